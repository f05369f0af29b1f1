"""Versioned schema: Alembic walks the versions, plain SQL files hold the bodies.

Each version is one transaction, so a failed one leaves nothing behind. What was run, when and from
which text is kept in `ops.schema_migrations`; the runner makes that table itself, because it has to
outlive a rollback of the first version.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from warehouse import config, database
from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script

FOLDER = config.PROJECT / "migrations"
LOCK = 7_203_001
"""Advisory lock: two runners at once would both see the same version as pending."""

BOOKKEEPING = """
create schema if not exists ops;
create table if not exists ops.schema_migrations (
    run_id bigint generated always as identity primary key,
    version text not null,
    name text not null,
    direction text not null check (direction in ('up', 'down')),
    checksum text not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    seconds double precision not null,
    success boolean not null,
    error text,
    executed_by text not null default session_user
);
comment on table ops.schema_migrations is
'Every run of a migration, failed ones included; public.alembic_version says where the schema is.';
"""


@dataclass(frozen=True)
class MigrationState:
    """One version of the schema and what this database knows of it."""

    version: str
    name: str
    checksum: str
    state: str
    """pending, applied, or edited (applied, but from another text than the file has now)."""
    applied_at: datetime | None = None
    seconds: float | None = None
    last_error: str | None = None


def sql_file(version_file: str | Path, direction: str) -> Path:
    """Return the SQL body that belongs to a version file."""
    stem = Path(version_file).stem
    return Path(version_file).resolve().parents[1] / "sql" / f"{stem}.{direction}.sql"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_sql(version_file: str, direction: str) -> None:
    """Run the SQL body of a version (called by the files in migrations/versions).

    The text goes to psycopg as it is: SQLAlchemy would take `:name` for a parameter and `%` for a
    format. Offline (`alembic upgrade --sql`) it is printed instead.
    """
    from alembic import context, op

    body = sql_file(version_file, direction).read_text(encoding="utf-8")
    if context.is_offline_mode():
        op.get_context().impl.static_output(body)
        return
    session = op.get_bind().connection.driver_connection
    assert isinstance(session, psycopg.Connection)  # noqa: S101 (narrows the type)
    session.execute(body.encode())


def record(session: psycopg.Connection[Any], *, script: Script, up: bool, error: str = "") -> None:
    """Write one run of a version, inside the transaction that ran it when it succeeded."""
    direction = "up" if up else "down"
    session.execute(
        """
        insert into ops.schema_migrations (
            version, name, direction, checksum, started_at, finished_at, seconds, success, error
        )
        -- now() is the start of the transaction, which is the start of this version
        select
            %s, %s, %s, %s, now(), clock_timestamp(),
            extract(epoch from clock_timestamp() - now()), %s, nullif(%s, '')
        """,
        [
            script.revision,
            Path(script.path).stem,
            direction,
            checksum(sql_file(script.path, direction)),
            not error,
            error,
        ],
    )


def alembic_config(folder: Path | None = None, output: io.StringIO | None = None) -> Config:
    """Return Alembic's configuration; another folder of migrations is for tests."""
    from alembic.config import Config

    settings = Config(output_buffer=output) if output else Config()
    settings.set_main_option("script_location", str(folder or FOLDER).replace("%", "%%"))
    return settings


def _scripts(folder: Path | None) -> list[Script]:
    """Return the versions, oldest first."""
    from alembic.script import ScriptDirectory

    walked = ScriptDirectory.from_config(alembic_config(folder)).walk_revisions()
    return list(walked)[::-1]


def _current(session: psycopg.Connection[Any]) -> str | None:
    """Return the version the schema is at, None for an empty database."""
    row = session.execute("select to_regclass('public.alembic_version') is not null").fetchone()
    if not row or not row[0]:
        return None
    row = session.execute("select version_num from public.alembic_version").fetchone()
    return str(row[0]) if row else None


def status(folder: Path | None = None) -> list[MigrationState]:
    """Return every version, oldest first, as pending, applied or edited."""
    with database.connect("warehouse migrate --status") as session:
        at = _current(session)
        known: dict[str, tuple[Any, ...]] = {}
        errors: dict[str, str] = {}
        row = session.execute("select to_regclass('ops.schema_migrations') is not null").fetchone()
        if row and row[0]:
            for version, *rest in session.execute(
                "select version, direction, success, checksum, finished_at, seconds, error"
                " from ops.schema_migrations order by run_id"
            ):
                if rest[1]:
                    known[version] = tuple(rest)
                    errors.pop(version, None)
                else:
                    errors[version] = str(rest[5])
    states = []
    applied = at is not None
    for script in _scripts(folder):
        now = checksum(sql_file(script.path, "up"))
        run = known.get(script.revision)
        state, at_time, seconds = "pending", None, None
        if applied:
            state = "applied"
            if run and run[0] == "up":
                state = "applied" if run[2] == now else "edited"
                at_time, seconds = run[3], run[4]
        if script.revision == at:
            applied = False
        states.append(
            MigrationState(
                script.revision,
                Path(script.path).stem.partition("_")[2],
                now,
                state,
                at_time,
                seconds,
                errors.get(script.revision),
            )
        )
    return states


def _check_unedited(states: list[MigrationState]) -> None:
    """Refuse to build on a version whose text is not the one that was run."""
    if edited := [f"{s.version}_{s.name}" for s in states if s.state == "edited"]:
        raise WarehouseError(
            f"Already applied, but edited since: {', '.join(edited)}.",
            where=str(FOLDER / "sql"),
            do="restore the file and write a new migration; where the data may go:"
            " `warehouse migrate --rollback` down to it, then `warehouse migrate`",
        )


@contextmanager
def _one_runner() -> Iterator[psycopg.Connection[Any]]:
    """Hold the advisory lock of the migrations, with the bookkeeping in place."""
    with database.connect("warehouse migrate", autocommit=True) as session:
        row = session.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if not row or not row[0]:
            raise WarehouseError(
                "Another `warehouse migrate` is running on this database.",
                do="wait for it, then ask `warehouse migrate --status`",
            )
        session.execute(BOOKKEEPING)
        yield session


def migrate(folder: Path | None = None, until: str | None = None) -> list[str]:
    """Run every pending version, each in its own transaction; return the versions run.

    `until`: run no version after this one; empty, run none.

    Raises WarehouseError when an applied version was edited or when one fails, which leaves the
    schema at the version before it.
    """
    before = status(folder)
    _check_unedited(before)
    wanted = before if until is None else [s for s in before if s.version <= until]
    pending = [s.version for s in wanted if s.state == "pending"]
    if pending:
        with _one_runner() as session:
            _walk(session, folder, pending, up=True)
    return pending


def rollback(steps: int = 1, folder: Path | None = None) -> list[str]:
    """Take back the last versions, newest first; return the versions taken back."""
    done = [s.version for s in status(folder) if s.state != "pending"][::-1][:steps]
    if done:
        with _one_runner() as session:
            _walk(session, folder, done, up=False)
    return done


def _walk(
    session: psycopg.Connection[Any], folder: Path | None, versions: list[str], *, up: bool
) -> None:
    """Run versions one by one, so that a failure is known by its version and recorded."""
    from alembic import command

    settings = alembic_config(folder)
    scripts = {script.revision: script for script in _scripts(folder)}
    for version in versions:
        script = scripts[version]
        try:
            if up:
                command.upgrade(settings, version)
            else:
                command.downgrade(settings, "-1")
        except Exception as error:
            told = str(getattr(error, "orig", None) or error).strip()
            record(session, script=script, up=up, error=told)
            raise WarehouseError(
                f"Migration {Path(script.path).stem} failed: {told}",
                where=str(sql_file(script.path, "up" if up else "down")),
                do="nothing of it was kept; repair it and run `warehouse migrate` again",
            ) from error


def dry_run(folder: Path | None = None) -> str:
    """Return the SQL that `migrate` would run, after a rehearsal on a clone of the schema.

    Raises WarehouseError when a version fails there; the database in force is not touched.
    """
    from warehouse import schema

    states = status(folder)
    _check_unedited(states)
    by_version = {script.revision: script for script in _scripts(folder)}
    parts = []
    for state in states:
        if state.state == "pending":
            path = sql_file(by_version[state.version].path, "up")
            body = path.read_text(encoding="utf-8").rstrip()
            parts.append(f"-- {path.name}, sha256 {state.checksum}\nbegin;\n{body}\ncommit;\n")
    if parts:
        schema.rehearse(folder)
    return "\n".join(parts)
