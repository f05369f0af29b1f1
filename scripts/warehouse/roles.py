"""Logins, members of the group roles; their passwords are made here and kept in a file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from warehouse import config, database
from warehouse.errors import WarehouseError

GROUPS = {
    "loader": "trading_app",
    "transformer": "trading_transformer",
    "reader": "trading_readonly",
    "auditor": "trading_auditor",
}
"""What a login may be, and the role of the migrations behind it."""

LIMITS = {
    "loader": {"statement_timeout": "1h", "idle_in_transaction_session_timeout": "1min"},
    # A full build of a large warehouse takes hours, and nobody should have to guess how many.
    "transformer": {},
    "reader": {
        "statement_timeout": "5min",
        "idle_in_transaction_session_timeout": "1min",
        "idle_session_timeout": "8h",
    },
    "auditor": {"statement_timeout": "1h", "idle_in_transaction_session_timeout": "1min"},
}
"""Settings of a login: what nobody waits for any more must not hold locks, rows or a backend.

Members do not inherit settings of a group, so each login has its own; `alter role` changes them.
"""

MEMBERS = """
select login.rolname, array_agg(team.rolname order by team.rolname)
from pg_roles as login
inner join pg_auth_members as m on m.member = login.oid
inner join pg_roles as team on team.oid = m.roleid
where login.rolcanlogin and not login.rolsuper and (team.rolname = any(%s) or exists (
    select from pg_auth_members as up inner join pg_roles as top on top.oid = up.roleid
    where up.member = login.oid and top.rolname = any(%s)
))
group by login.rolname order by login.rolname
"""


@dataclass(frozen=True)
class Login:
    """A login and the roles that it is a direct member of."""

    name: str
    roles: list[str]


def members() -> list[Login]:
    """Return the logins that are members of the warehouse's roles."""
    groups = list(GROUPS.values())
    with database.connect("warehouse roles") as session:
        return [Login(*row) for row in session.execute(MEMBERS, [groups, groups])]


def add(name: str, *, role: str, to: Path, tenant: str | None = None) -> config.Connection:
    """Make a login, or give one a new password; write how it connects to a file of its own.

    `tenant`: whose rows it sees; None: everybody's, or, as a reader, no tenant's.

    The server is sent a SCRAM verifier: the password itself appears in no statement and no log.

    Raises WarehouseError when the role is unknown or this login may not make others.
    """
    if role not in GROUPS:
        raise WarehouseError(f"There is no role {role!r}.", do=f"pick one: {', '.join(GROUPS)}")
    where = config.connection()
    fresh = config.Connection(where.host, where.port, name, secrets.token_urlsafe(24), where.dbname)
    with database.connect("warehouse roles", autocommit=False) as session:
        known = session.execute("select rolsuper from pg_roles where rolname = %s", [name])
        found = known.fetchone()
        if name in (where.user, config.OWNER, *GROUPS.values()) or (found and found[0]):
            raise WarehouseError(f"{name!r} is no login of a user.", do="give another name")
        verifier = session.pgconn.encrypt_password(
            fresh.password.encode(), name.encode(), b"scram-sha-256"
        ).decode()
        login, group = sql.Identifier(name), sql.Identifier(GROUPS[role])
        verb = sql.SQL("alter role" if found else "create role")
        try:
            session.execute(
                sql.SQL("{} {} login password {}").format(verb, login, sql.Literal(verifier))
            )
            session.execute(sql.SQL("grant {} to {}").format(group, login))
            for setting, value in LIMITS[role].items() if not found else ():
                session.execute(
                    sql.SQL("alter role {} set {} = {}").format(
                        login, sql.Identifier(setting), sql.Literal(value)
                    )
                )
            if tenant:
                team = sql.Identifier(_tenant_role(session, tenant))
                session.execute(sql.SQL("grant {} to {}").format(team, login))
        except psycopg.errors.InsufficientPrivilege as error:
            raise WarehouseError(
                f"This login may not make others: {str(error).strip().splitlines()[0]}",
                where=f"{where.user} on {where.host}:{where.port}",
                do="run it as an administrator (createrole, and admin of the group roles)",
            ) from None
        _write(to, fresh)
    return fresh


def _tenant_role(session: psycopg.Connection, tenant: str) -> str:
    """Return the role of a tenant, which is made when it is new."""
    session.execute(
        "insert into ops.tenants (tenant_id, role_name) values (%s, %s) on conflict do nothing",
        [tenant, f"tenant_{tenant}"],
    )
    row = session.execute("select role_name from ops.tenants where tenant_id = %s", [tenant])
    name = str((row.fetchone() or [""])[0])
    if not session.execute("select from pg_roles where rolname = %s", [name]).rowcount:
        session.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))
    return name


def _write(path: Path, made: config.Connection) -> None:
    """Write the variables of target `server`, readable by the owner of the file only."""
    lines = (
        "export WAREHOUSE_TARGET=server",
        f"export WAREHOUSE_HOST={made.host} WAREHOUSE_PORT={made.port}",
        f"export WAREHOUSE_DATABASE={made.dbname} WAREHOUSE_USER={made.user}",
        f"export WAREHOUSE_PASSWORD={made.password}",
    )
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
