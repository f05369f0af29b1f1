"""`warehouse roles …`: who may log in as what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse import output

app = output.group(
    "Logins of the warehouse: loader, transformer, reader, auditor.",
    epilog=output.examples(
        "warehouse roles add desk_7 --role reader --to desk_7.env",
        "source desk_7.env",
        "warehouse roles list",
    ),
)


@app.command(
    epilog=output.examples(
        "warehouse roles add nightly --role transformer --to nightly.env",
        "warehouse roles add alpha_desk --role reader --tenant alpha --to alpha_desk.env",
    )
)
def add(
    name: Annotated[str, typer.Argument(help="Login to make; a known one gets a new password.")],
    role: Annotated[str, typer.Option(help="loader, transformer, reader or auditor.")],
    to: Annotated[Path, typer.Option(help="File for its password and address, for `source`.")],
    tenant: Annotated[
        str | None, typer.Option(help="Whose rows it sees (readers: house, unless said).")
    ] = None,
) -> None:
    """Make a login with a generated password, which is written to a file and shown nowhere."""
    from warehouse import roles

    seen = tenant or ("house" if role == "reader" else None)
    made = roles.add(name, role=role, to=to, tenant=seen)
    whose = f"the rows of {seen}" if seen else "the rows of every tenant"
    output.say(f"{made.user} may log in as {role} and sees {whose}; its password is in {to}")


@app.command(name="list", epilog=output.examples("warehouse roles list --json"))
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the logins and their roles."""
    from warehouse import roles

    found = roles.members()
    if as_json:
        output.print_json({"logins": found})
    else:
        output.table(("login", "roles"), [(each.name, ", ".join(each.roles)) for each in found])
