"""`warehouse audit …`: the chain over who changed what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse import output
from warehouse.errors import ExitCode

app = output.group(
    "Who changed what, and proof that nobody has edited that since.",
    epilog=output.examples(
        "warehouse audit seal",
        "warehouse audit anchor /mnt/worm/audit-heads.jsonl",
        "warehouse audit verify --anchor /mnt/worm/audit-heads.jsonl",
    ),
)


@app.command(epilog=output.examples("warehouse audit seal", "warehouse audit seal --wait 60"))
def seal(
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for transactions still writing.")
    ] = 10.0,
    as_json: output.AsJson = False,
) -> None:
    """Seal what has changed since the last seal. Run it every few minutes."""
    from warehouse import audit

    done = audit.seal(patience=wait)
    if as_json:
        output.print_json(done)
        return
    output.say(f"{done.rows:,} rows sealed in {done.seals} seals; the newest is {done.head}")
    if done.waiting_for:
        output.say(f"{done.unsealed:,} rows wait for {done.waiting_for}; the next run seals them")


@app.command(
    epilog=output.examples(
        "warehouse audit verify", "warehouse audit verify --anchor heads.jsonl --json"
    )
    + "\n\nExit codes: 0 nothing was altered; 1 something was, it is named; 2 error.",
)
def verify(
    anchor: Annotated[
        Path | None, typer.Option(help="Heads that were anchored: notices a rewritten chain.")
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    """Find every row that was edited, deleted, inserted or moved, in the audit or past it."""
    from warehouse import audit

    told = audit.verify(anchor)
    if as_json:
        output.print_json(told)
    else:
        if told.findings:
            output.table(
                ("finding", "seal", "change", "table", "key", "detail"),
                [
                    (f.finding, f.seal_no, f.change_seq, f.relation, f.key, f.detail)
                    for f in told.findings
                ],
            )
        output.say(
            f"{len(told.findings)} findings in {told.sealed:,} sealed rows ({told.seals} seals),"
            f" {told.unsealed:,} not sealed yet, {told.watched} tables, {told.anchors} anchors"
        )
        if not anchor:
            output.say("without --anchor a chain that was rewritten as a whole is not noticed")
    if not told.success:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command(epilog=output.examples("warehouse audit anchor /mnt/worm/audit-heads.jsonl"))
def anchor(
    file: Annotated[Path, typer.Argument(help="A file that the database's owner cannot write.")],
) -> None:
    """Append the head of the chain to a file outside of the database."""
    from warehouse import audit

    done = audit.write_anchor(file)
    output.say(f"seal {done.seal_no}, {done.seal_hash}, is anchored in {file}")
