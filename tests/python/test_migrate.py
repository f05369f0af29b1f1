"""Migrations: up and down leave no trace, failures too, edits are noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from warehouse import checksums, migrate, schema
from warehouse import database as db
from warehouse.errors import WarehouseError

BOOKKEEPING = {"schema_migrations", "schema_migrations_pkey", "schema_migrations_run_id_seq"}


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


def clones() -> int:
    with db.connect() as session:
        row = session.execute(
            "select count(*) from pg_database where datname like 'warehouse_clone_%'"
        ).fetchone()
    assert row
    return int(row[0])


def without_runner(catalogue: schema.Catalogue) -> schema.Catalogue:
    """Leave out what the runner itself keeps: its version table, and the comment of its schema."""
    return {k: v for k, v in catalogue.items() if k[0] != "public" and k[1:] != ("schema", "ops")}


def test_up_down_up_from_every_version(empty_database: str) -> None:
    versions = [state.version for state in migrate.status()]
    with db.connect() as session:
        session.execute(migrate.BOOKKEEPING)
    before = schema.catalogue()
    for version in versions:
        assert migrate.migrate(until=version) == [version]
        after = schema.catalogue()
        assert migrate.rollback() == [version]
        assert without_runner(schema.catalogue()) == without_runner(before)
        assert migrate.migrate(until=version) == [version]
        assert schema.catalogue() == after
        before = after


def test_up_all_down_all_up_all(empty_database: str) -> None:
    done = migrate.migrate()
    first = schema.catalogue()
    assert done == sorted(done)
    assert migrate.migrate() == []

    assert migrate.rollback(len(done)) == done[::-1]
    left = {key[2].partition(".")[2] for key in schema.catalogue() if key[1] == "relation"}
    assert left <= BOOKKEEPING | {"alembic_version"}
    assert not [key for key in schema.catalogue() if key[1] in ("function", "type")]

    assert migrate.migrate() == done
    assert schema.catalogue() == first
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
    before = schema.catalogue()
    add_version(copied, "broken", "create table ops.half (a int); select 1 / 0;")

    with pytest.raises(WarehouseError, match="division by zero") as told:
        migrate.migrate(copied)
    assert told.value.where.endswith("_broken.up.sql")
    assert schema.catalogue() == before
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
    before = schema.catalogue()
    printed = migrate.dry_run()
    assert "create table raw_market.bars" in printed
    assert printed.index("0001_") < printed.index("0002_")
    assert schema.catalogue() == before
    migrate.migrate()
    assert migrate.dry_run() == ""


def test_dry_run_fails_where_the_migration_would(empty_database: str, copied: Path) -> None:
    migrate.migrate(copied)
    before = schema.catalogue()
    add_version(copied, "broken", "create table ops.half (a int); select 1 / 0;")
    with pytest.raises(WarehouseError, match="broken failed: division by zero"):
        migrate.dry_run(copied)
    assert schema.catalogue() == before
    assert migrate.status(copied)[-1].last_error is None
    assert clones() == 0


class TestCompare:
    """The schema as it is against the schema as declared."""

    @pytest.mark.usefixtures("database")
    def test_as_declared(self) -> None:
        assert schema.differences() == []
        assert clones() == 0

    @pytest.mark.usefixtures("empty_database")
    def test_a_part_of_the_versions(self) -> None:
        assert schema.differences() == []
        migrate.migrate(until="0003")
        assert schema.differences() == []

    @pytest.mark.usefixtures("database")
    @pytest.mark.parametrize(
        ("change", "kind", "name", "found"),
        [
            ("alter table ops.batches add x int", "column", "ops.batches.x", "extra"),
            (
                "alter table ops.batches drop constraint batches_conserve_rows",
                *("constraint", "ops.batches.batches_conserve_rows", "missing"),
            ),
            (
                "alter table raw_market.bars disable trigger bars_append_only",
                *("trigger", "raw_market.bars.bars_append_only", "changed"),
            ),
            (
                "create or replace function ops.system_identifier() returns bigint"
                " language sql stable as 'select 1::bigint'",
                *("function", "ops.system_identifier()", "changed"),
            ),
            ("comment on table ops.batches is 'mine'", "relation", "ops.batches", "changed"),
            ("grant select on ops.batches to public", "relation", "ops.batches", "changed"),
            ("drop index ops.dq_results_run_idx", "index", "ops.dq_results_run_idx", "missing"),
            (
                "alter domain types.label drop constraint label_is_not_empty",
                *("type", "types.label", "changed"),
            ),
        ],
    )
    def test_a_change_by_hand_is_named(self, change: str, kind: str, name: str, found: str) -> None:
        with db.connect(autocommit=True) as session:
            session.execute(change)
        assert schema.Difference(kind, name, found) in schema.differences()

    @pytest.mark.usefixtures("database")
    def test_what_dbt_and_other_people_made_is_theirs(self) -> None:
        with db.connect(autocommit=True) as session:
            session.execute("create schema mine create table notes (a int)")
            session.execute("create table public.notes (a int)")
            session.execute("create table ref.feature_catalog (seed_of_dbt int)")
        assert schema.differences() == []

    @pytest.mark.usefixtures("database")
    def test_a_login_that_may_not_create_a_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = db.connect

        def humble(*words: str, **options: bool) -> psycopg.Connection:
            session = connect(*words, **options)
            session.execute("set session authorization humble")
            return session

        with connect(autocommit=True) as session:
            session.execute("create role humble")
        try:
            monkeypatch.setattr(db, "connect", humble)
            with pytest.raises(WarehouseError, match="may not create a database"):
                schema.rehearse()
        finally:
            with connect(autocommit=True) as session:
                session.execute("drop role humble")


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
