"""Roles: every one tries every verb on every kind of object, and may what it should, no more."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from landing_files import land, write
from logins import logged_in, login
from warehouse import build, config, roles
from warehouse import database as db
from warehouse.cli import app
from warehouse.errors import WarehouseError

VERBS = {
    "r": "select * from {name} limit 1",
    "i": "insert into {name} ({column}) select {column} from {name} where false",
    "u": "update {name} set {column} = {column} where false",
    "d": "delete from {name} where false",
    "t": "truncate {name}",
}
# What a role may: read all columns, insert, update, delete, truncate; - nothing of it.
MATRIX = """
object                       loader transformer reader auditor
raw_market.bars              riu    r           r      r
raw_market.ticks             riu    r           r      r
raw_trading.fills            riu    r           r      r
raw_ml.models                riu    r           r      r
raw_logs.system_logs         riu    r           r      r
raw_logs.user_action_logs    riu    -           -      -
raw_prop.user_accounts       riu    r           r      r
raw_prop.users_pii           riu    -           -      -
raw_prop.users               r      -           -      -
raw_prop.payments            riu    r           r      r
ref.instruments              riu    r           r      r
ref.symbol_history           riud   r           r      r
ops.batches                  riu    r           -      r
ops.quarantine               riu    -           -      -
ops.change_log               r      r           -      r
ops.consumers                r      riud        -      r
ops.publication              r      riud        r      r
ops.schema_migrations        r      r           -      r
audit.row_changes            -      -           -      r
audit.seals                  -      -           -      r
audit.watched                -      -           -      r
staging.stg_market__bars     -      r           -      r
build.feature_engineered_data -     riudt       -      r
marts.feature_engineered_data r     riudt       r      r
"""
VIEWS = {"raw_prop.users", "staging.stg_market__bars"}
CREATE = {"transformer": {"ref", "indicators", "staging", "intermediate", "build", "marts"}}


@pytest.fixture
def built(home: config.Home, built_on_nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database in which dbt has built everything on nothing landed."""
    monkeypatch.setenv("WAREHOUSE_DATABASE", built_on_nothing)


def allowed(session: psycopg.Connection, statement: str) -> bool:
    """Try a statement; refused by the ledger's trigger, it was allowed by the roles."""
    try:
        with session.transaction(force_rollback=True):
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.RestrictViolation, psycopg.errors.RaiseException):
        return True
    return True


@pytest.mark.parametrize("role", roles.GROUPS)
def test_a_role_may_what_the_matrix_says(built: None, role: str) -> None:
    header, *lines = [line.split() for line in MATRIX.strip().splitlines()]
    column = header.index(role)
    expected = {line[0]: line[column].strip("-") for line in lines}
    found = {}
    with db.connect() as owner:
        columns = {
            name: owner.execute(
                "select quote_ident(attname) from pg_attribute where attrelid = %s::regclass"
                " and attnum > 0 and attidentity = '' and attgenerated = '' limit 1",
                [name],
            ).fetchone()
            for name in expected
        }
    with login(role) as made, psycopg.connect(made.url(), autocommit=True) as session:
        for name in expected:
            tried = {
                verb: statement.format(name=name, column=columns[name][0])
                for verb, statement in VERBS.items()
                if verb == "r" or name not in VIEWS
            }
            found[name] = "".join(v for v, s in tried.items() if allowed(session, s))
    assert found == expected


@pytest.mark.parametrize("role", roles.GROUPS)
def test_a_role_makes_tables_only_where_dbt_does(built: None, role: str) -> None:
    with login(role) as made, psycopg.connect(made.url(), autocommit=True) as session:
        schemas = [
            name
            for (name,) in session.execute(
                "select nspname from pg_namespace where nspname !~ '^pg_'"
                " and nspname <> 'information_schema'"
            ).fetchall()
        ]
        found = {s for s in schemas if allowed(session, f"create table {s}.probe (a integer)")}
        assert found == CREATE.get(role, set())
        assert not allowed(session, "create schema mine")
        assert not allowed(session, "create role mine")
        assert allowed(session, "create temp table mine (a integer)")
        assert not allowed(session, "set role warehouse")
        assert not allowed(session, "copy (select 1) to program 'true'")


@pytest.mark.parametrize("role", roles.GROUPS)
def test_no_function_that_runs_as_its_owner_is_a_door(built: None, role: str) -> None:
    # The loader makes partitions for what it lands: empty ones, 500 at most, of declared tables. It
    # merges what its own transaction noted of a table, each note as wide as those it replaces.
    meant = {
        "auditor": {"audit.mark", "audit.seal"},
        "loader": {"ops.ensure_partitions", "ops.coalesce_changes"},
    }
    with login(role) as made, psycopg.connect(made.url(), autocommit=True) as session:
        open_ = {
            name
            for (name,) in session.execute(
                "select p.pronamespace::regnamespace || '.' || p.proname from pg_proc as p"
                " where p.prosecdef and p.prorettype <> 'trigger'::regtype"
                " and has_schema_privilege(p.pronamespace, 'usage')"
                " and has_function_privilege(p.oid, 'execute')"
            )
        }
        harmless = {"ops.running_builds", "ops.own_tenants", "ops.sees_all_tenants"}
        # How a table is stored, for who may not read the catalogue of it.
        harmless |= {"ops.compressed_times", "ops.has_columnstore"}
        assert open_ - harmless == meant.get(role, set())
        assert allowed(session, "select audit.verify()") == (role == "auditor")
        assert not allowed(session, "select ops.expire_bars('1d', '2000-01-01')")


def test_nobody_but_the_application_reads_personal_data(built: None) -> None:
    query = """
        select r.name from unnest(%s::text[]) as r (name), pg_attribute as a
        inner join pg_class as c on c.oid = a.attrelid
        where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v', 'm', 'p')
            and (ops.is_personal(c.oid, a.attname) or c.relname ~ '_pii$')
            and has_column_privilege(r.name, c.oid, a.attname, 'select')
    """
    with db.connect() as session:
        others = [role for role in roles.GROUPS.values() if role != "trading_app"]
        views = session.execute(query, [others]).fetchall()
        assert views == []
        assert session.execute(query, [["trading_app"]]).fetchall() != []
        session.execute("set role trading_readonly")
        session.execute("select user_id, action_type from raw_logs.user_action_logs")


def test_every_landing_table_has_its_grants(database: str) -> None:
    with db.connect() as session:
        without = session.execute(
            "select c.oid::regclass from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace"
            " where n.nspname ~ '^raw_' and c.relkind in ('r', 'p', 'v')"
            " and not has_table_privilege('trading_app', c.oid, 'select, insert, update')"
        ).fetchall()
    assert without == [], "end the migration with `select ops.apply_roles();`"


def test_dbt_builds_as_a_transformer_and_grants_outlive_a_full_refresh(
    database: str, tmp_path: Path
) -> None:
    land_sample(tmp_path)
    with logged_in("transformer"):
        first = build.build(check=False)
        assert (first.success, first.published) == (True, True), first
        second = build.build(check=False, full_refresh=True)
        assert (second.success, second.published) == (True, True), second
    with login("reader") as made, psycopg.connect(made.url()) as session:
        rows = session.execute("select count(*) from marts.feature_engineered_data").fetchone()
        assert rows
        assert rows[0] > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select from build.feature_engineered_data")
    with db.connect() as session:
        owners = session.execute(
            "select distinct relowner::regrole::text from pg_class where relnamespace in"
            " ('marts'::regnamespace, 'build'::regnamespace, 'staging'::regnamespace)"
        ).fetchall()
    assert owners == [("trading_transformer",)]


def land_sample(folder: Path) -> int:
    """Land forty days of three symbols, one row of them bad, as the login in force."""
    rows = [
        f"S{symbol},2023-{month:02}-{day:02},10,12,9,{11 + day / 100},{100 * day}"
        for symbol in range(3)
        for month, days in ((3, (1, 2, 3, 6, 7, 8, 9, 10)), (5, range(1, 6)))
        for day in days
    ]
    done = land(write(folder / "bars.csv", [*rows, "S0,2023-05-08,10,8,9,11,1"]))
    assert done.quarantined == 1
    return done.accepted


def test_a_loader_lands_bars(database: str, tmp_path: Path) -> None:
    with logged_in("loader"):
        accepted = land_sample(tmp_path)
    with db.connect() as session:
        row = session.execute("select count(*) from raw_market.bars").fetchone()
    assert row == (accepted,)
    assert accepted > 0


def test_a_login_is_made_without_its_password_being_shown(database: str, tmp_path: Path) -> None:
    run = CliRunner().invoke
    file = tmp_path / "desk.env"
    told = run(app, ["roles", "add", "desk_7", "--role", "reader", "--to", str(file)])
    assert told.exit_code == 0, told.output
    password = file.read_text().split("WAREHOUSE_PASSWORD=")[1].strip()
    assert password not in told.output
    assert file.stat().st_mode & 0o077 == 0
    assert "desk_7" in run(app, ["roles", "list"]).output
    with db.connect(autocommit=True) as session:
        stored = session.execute(
            "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'desk_7'"
        ).fetchone()
        assert stored == (True,)
        session.execute("drop role desk_7")
    log = (config.Home.current().logs / "postgres.log").read_text()
    assert password not in log
    for name, role in (("warehouse", "reader"), ("someone", "king")):
        with pytest.raises(WarehouseError):
            roles.add(name, role=role, to=tmp_path / "none")
    assert "PGPASSWORD" not in os.environ


def test_logins_do_not_wait_for_ever(database: str) -> None:
    with login("reader", "alpha") as reader, login("transformer") as builder:
        asked = (
            "select current_setting('statement_timeout'), current_setting('idle_session_timeout')"
        )
        with psycopg.connect(reader.url()) as session:
            assert session.execute(asked).fetchone() == ("5min", "8h")
        with psycopg.connect(builder.url()) as session:
            assert session.execute(asked).fetchone() == ("0", "0")
