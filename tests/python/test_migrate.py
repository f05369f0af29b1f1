"""Migrations: up and down leave no trace, failures too, edits are noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from warehouse import checksums, migrate
from warehouse import database as db
from warehouse.errors import WarehouseError

CATALOG = """
select 'relation', n.nspname, c.relname, c.relkind::text, coalesce(obj_description(c.oid), '')
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'routine', n.nspname, p.proname, p.prokind::text, pg_get_function_arguments(p.oid)
from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select 'schema', nspname, '', '', '' from pg_namespace where nspname !~ '^pg_'
union all
select 'trigger', tgrelid::regclass::text, tgname, '', '' from pg_trigger where not tgisinternal
union all
select 'column', attrelid::regclass::text, attname, atttypid::regtype::text, attnotnull::text
from pg_attribute where attnum > 0 and not attisdropped and attrelid >= 16384
    and attrelid::regclass::text !~ '^pg_toast'
order by 1, 2, 3, 4, 5
"""
BOOKKEEPING = {"schema_migrations", "schema_migrations_pkey", "schema_migrations_run_id_seq"}


def catalog() -> list[tuple[str, ...]]:
    with db.connect() as session:
        return session.execute(CATALOG).fetchall()


def states(folder: Path | None = None) -> list[str]:
    return [s.state for s in migrate.status(folder)]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def add_version(folder: Path, name: str, up: str, down: str = "select 1;") -> None:
    """Append a version after the last one."""
    # Not their count: a number may have been given to work that landed later under another.
    number = max(int(path.name[:4]) for path in (folder / "versions").glob("[0-9]*.py"))
    stem = f"{number + 1:04}_{name}"
    template = next((folder / "versions").glob("0001_*.py")).read_text()
    text = template.replace('"0001"', f'"{number + 1:04}"')
    text = text.replace("down_revision = None", f'down_revision = "{number:04}"')
    (folder / "versions" / f"{stem}.py").write_text(text)
    (folder / "sql" / f"{stem}.up.sql").write_text(up)
    (folder / "sql" / f"{stem}.down.sql").write_text(down)


def test_up_down_up_leaves_the_same_schema(empty_database: str) -> None:
    done = migrate.migrate()
    first = catalog()
    assert done == sorted(done)
    assert migrate.migrate() == []

    assert migrate.rollback(len(done)) == done[::-1]
    left = {row[2] for row in catalog() if row[0] == "relation"}
    assert left <= BOOKKEEPING | {"alembic_version", "alembic_version_pkc"}
    assert {row[2] for row in catalog() if row[0] == "routine"} == set()

    assert migrate.migrate() == done
    assert catalog() == first
    with db.connect() as session:
        runs = session.execute(
            "select direction, count(*) from ops.schema_migrations where success group by 1"
        ).fetchall()
    assert dict(runs) == {"up": 2 * len(done), "down": len(done)}


def test_rollback_takes_back_one_step(empty_database: str) -> None:
    done = migrate.migrate()
    assert migrate.rollback() == done[-1:]
    assert states() == ["applied"] * (len(done) - 1) + ["pending"]


def test_rollback_of_nothing_is_harmless(empty_database: str) -> None:
    assert migrate.rollback() == []


def test_status_knows_when_and_how_long(empty_database: str) -> None:
    assert set(states()) == {"pending"}
    migrate.migrate()
    for state in migrate.status():
        assert state.state == "applied"
        assert state.applied_at is not None
        assert state.seconds is not None
        assert 0 <= state.seconds < 60
        assert len(state.checksum) == 64


def test_a_failed_version_leaves_nothing_and_is_recorded(empty_database: str, copied: Path) -> None:
    migrate.migrate(copied)
    before = catalog()
    add_version(copied, "broken", "create table ops.half (a int); select 1 / 0;")

    with pytest.raises(WarehouseError, match="division by zero") as told:
        migrate.migrate(copied)
    assert told.value.where.endswith("_broken.up.sql")
    assert catalog() == before
    last = migrate.status(copied)[-1]
    assert last.state == "pending"
    assert "division by zero" in str(last.last_error)

    (copied / "sql" / Path(told.value.where).name).write_text("create table ops.whole (a int);")
    assert migrate.migrate(copied) == [last.version]
    assert migrate.status(copied)[-1].last_error is None


def test_versions_before_the_failed_one_are_kept(empty_database: str, copied: Path) -> None:
    add_version(copied, "broken", "select 1 / 0;")
    with pytest.raises(WarehouseError):
        migrate.migrate(copied)
    assert states(copied)[-2:] == ["applied", "pending"]


def test_an_edited_version_is_refused(empty_database: str, copied: Path) -> None:
    migrate.migrate(copied)
    path = next((copied / "sql").glob("0001_*.up.sql"))
    path.write_text(path.read_text() + "\n-- a later thought\n")
    assert states(copied)[0] == "edited"
    with pytest.raises(WarehouseError, match="0001_landing_zone"):
        migrate.migrate(copied)


def test_dry_run_prints_and_changes_nothing(empty_database: str) -> None:
    before = catalog()
    printed = migrate.dry_run()
    assert "create table raw_market.bars" in printed
    assert printed.index("0001_") < printed.index("0002_")
    assert catalog() == before
    migrate.migrate()
    assert migrate.dry_run() == ""


def test_percent_and_colon_reach_the_server_as_they_are(empty_database: str, copied: Path) -> None:
    add_version(
        copied,
        "signs",
        "create table ops.signs as select '100%s :name %(x)s'::text as t, 7 % 4 as m;",
        "drop table ops.signs;",
    )
    migrate.migrate(copied)
    with db.connect() as session:
        assert session.execute("select t, m from ops.signs").fetchone() == ("100%s :name %(x)s", 3)


def test_a_second_runner_is_refused(empty_database: str) -> None:
    with db.connect() as session:
        session.execute("select pg_advisory_lock(%s)", [migrate.LOCK])
        with pytest.raises(WarehouseError, match="Another"):
            migrate.migrate()


def test_every_version_has_both_bodies_and_one_parent() -> None:
    scripts = migrate._scripts(None)
    assert [s.down_revision for s in scripts] == [None, *[s.revision for s in scripts[:-1]]]
    for script in scripts:
        assert Path(script.path).stem.startswith(f"{script.revision}_")
        for direction in ("up", "down"):
            assert migrate.sql_file(script.path, direction).read_text().strip()
    bodies = {p.name for p in (migrate.FOLDER / "sql").iterdir()}
    assert len(bodies) == 2 * len(scripts)


def test_landed_migrations_are_not_edited() -> None:
    assert checksums.differences() == []


def test_an_edit_after_landing_is_noticed_and_not_recorded_over(copied: Path) -> None:
    checksums.write(copied)
    assert checksums.differences(copied) == []
    path = next((copied / "sql").glob("0001_*.up.sql"))
    path.write_text(path.read_text() + "-- later\n")
    add_version(copied, "fresh", "select 1;")
    assert len(checksums.differences(copied)) == 3
    checksums.write(copied)
    assert checksums.differences(copied) == [f"{path.name} was edited after it landed"]
