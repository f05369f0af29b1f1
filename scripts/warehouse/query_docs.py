"""The table of docs/queries/README.md, made from the headers: `python -m warehouse.query_docs`."""

from __future__ import annotations

from itertools import groupby

from warehouse import output, queries

PAGE = queries.FOLDER / "README.md"
BEGIN, END = "<!-- queries: begin -->", "<!-- queries: end -->"


def described() -> str:
    """Return the page with a table for each file as the headers have it now."""
    lines = []
    for file, found in groupby(queries.catalogue(), key=lambda query: query.file):
        lines += [f"### [{file}]({file})", ""]
        lines += [
            "| query | asked by | budget | reads | parameters | why |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_line(query) for query in found]
        lines += [""]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return "\n".join([before + BEGIN, "", *lines, END + rest.partition(END)[2]])


def _line(query: queries.Query) -> str:
    reads = ", ".join(f"`{name}`" for name in query.relations)
    asked = f"{query.role}, {query.frequency}"
    budget = f"{query.budget_ms:g} ms, {query.kind}"
    parameters = ", ".join(f"`{name}`" for name in query.parameters)
    return f"| `{query.name}` | {asked} | {budget} | {reads} | {parameters} | {query.why} |"


if __name__ == "__main__":
    PAGE.write_text(described(), encoding="utf-8")
    output.say(f"written: {PAGE}")
