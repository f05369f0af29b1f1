"""Where the warehouse is and whether it answers."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse import config
from warehouse.errors import WarehouseError


@dataclass(frozen=True)
class WarehouseStatus:
    """The target in force, without its password."""

    target: str
    running: bool
    host: str | None = None
    port: int | None = None
    database: str | None = None
    version: str | None = None
    pid: int | None = None
    home: str | None = None
    pending_migrations: int | None = None
    problem: str | None = None


def warehouse_status() -> WarehouseStatus:
    """Return the state of the target in force; a server that does not answer is no error."""
    from warehouse import migrate, server

    target = config.target()
    home = config.Home.current()
    embedded = target == "embedded"
    shown_home = str(home.path) if embedded else None
    if embedded and not home.settings_file.exists():
        problem = "there is no embedded warehouse yet: `warehouse up` creates it"
        return WarehouseStatus(target, running=False, home=shown_home, problem=problem)
    where = config.connection()
    version: str | None = None
    pending: int | None = None
    trouble: str | None = None
    try:
        version = server.version(where)
        pending = sum(state.state == "pending" for state in migrate.status())
    except WarehouseError as error:
        trouble = error.what
    return WarehouseStatus(
        target,
        running=version is not None,
        host=where.host,
        port=where.port,
        database=where.dbname,
        version=version,
        pid=server.status(home).pid if embedded else None,
        home=shown_home,
        pending_migrations=pending,
        problem=trouble,
    )
