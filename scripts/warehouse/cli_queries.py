"""`warehouse queries …`: the published access patterns, and whether they keep their budgets."""

from __future__ import annotations

from typing import Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode, WarehouseError

app = output.group(
    "What is asked of the warehouse, how often, and how fast it has to be (docs/queries).",
    epilog=output.examples(
        "warehouse queries list",
        "warehouse queries run daily_bars --set symbol=AAPL --set until=2013-03-01",
        "warehouse queries time --runs 100",
    ),
)

Given = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter, name=value; left out, values are drawn."),
]


@app.command(name="list", epilog=output.examples("warehouse queries list --json"))
def list_queries(as_json: output.AsJson = False) -> None:
    """List the queries with who asks them, how often, and their budgets."""
    from warehouse import queries

    found = queries.catalogue()
    if as_json:
        output.print_json(found)
        return
    output.table(
        ("query", "asked by", "how often", "budget ms", "parameters"),
        [(q.name, q.role, q.frequency, int(q.budget_ms), ", ".join(q.parameters)) for q in found],
    )


@app.command(
    epilog=output.examples(
        "warehouse queries run last_bar --set symbol=AAPL --set timeframe=1d",
        "warehouse queries run features_of_30_days --explain",
    )
)
def run(
    name: Annotated[str, typer.Argument(help="Name of the query.")],
    given: Given = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the plan instead.")] = False,
    as_json: output.AsJson = False,
) -> None:
    """Ask one query, or show its plan."""
    from warehouse import queries

    query = queries.find(name)
    values = parameters(given, query.parameters)
    if explain:
        for line in queries.explained(query, values):
            output.say(line)
        return
    columns, rows = queries.answer(query, values)
    if as_json:
        output.print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        output.table(columns, rows)


@app.command(
    name="time",
    epilog=output.examples(
        "warehouse queries time", "warehouse queries time daily_bars last_bar --runs 200"
    )
    + "\n\nExit codes: 0 all within budget; 1 some not, they are marked; 2 error.",
)
def time_queries(
    names: Annotated[list[str] | None, typer.Argument(help="Queries (default: all).")] = None,
    runs: Annotated[int, typer.Option(min=2, help="How often each is asked.")] = 20,
    as_json: output.AsJson = False,
) -> None:
    """Time queries on the server, values drawn from the data, against their budgets."""
    from warehouse import queries

    chosen = [queries.find(name) for name in names] if names else queries.catalogue()
    timed = [queries.measure(query, runs=runs) for query in chosen]
    if as_json:
        output.print_json(timed)
    else:
        verdict = {True: "", False: "TOO SLOW", None: "nothing landed"}
        output.table(
            ("query", "p50 ms", "p95 ms", "budget ms", "rows", ""),
            [
                (t.name, t.p50_ms, t.p95_ms, t.budget_ms, t.rows, verdict[t.is_within])
                for t in timed
            ],
        )
    if any(t.is_within is False for t in timed):
        raise typer.Exit(ExitCode.FINDINGS)


def parameters(given: list[str] | None, names: list[str]) -> dict[str, str] | None:
    """Return the values of all parameters; None when they are to be drawn.

    Raises WarehouseError when one is missing or unknown.
    """
    if not given:
        return None
    values = dict(pair.partition("=")[::2] for pair in given)
    if set(values) != set(names):
        raise WarehouseError(
            f"The parameters are {', '.join(names) or 'none'}, not {', '.join(values)}",
            do="give each of them with --set name=value, or none",
        )
    return values
