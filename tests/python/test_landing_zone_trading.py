"""Trading, signals, risk and backtests: what lands in the tables, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import CheckViolation, RestrictViolation

from trading_rows import AT, BAD, GOOD, LEDGERS, NO_NUMBERS, NUMBERS, STATES, insert, prepared, put

SCHEMAS = ["raw_trading", "raw_signals", "raw_risk", "raw_backtest"]


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


def test_good_rows_land_and_are_logged(conn: psycopg.Connection) -> None:
    assert sorted(GOOD) == sorted(LEDGERS + STATES)
    for table in GOOD:
        insert(conn, table)
        logged = conn.execute(
            "select rows from ops.change_log where relation = %s::regclass and operation = 'I'"
            " order by log_id desc",
            [table],
        ).fetchone()
        assert logged == (1,), table


def test_bad_rows_are_refused_with_the_name_of_what_they_break(conn: psycopg.Connection) -> None:
    for table, changes, message in BAD:
        with pytest.raises(psycopg.Error) as error:
            insert(conn, table, **changes)
        assert message in str(error.value), (table, changes, error.value)


def test_what_is_no_number_is_refused_in_every_column(conn: psycopg.Connection) -> None:
    declared = conn.execute(
        """
        select c.oid::regclass::text, array_agg(a.attname::text order by a.attname)
        from pg_class as c
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and a.attgenerated = ''
        left join pg_type as t on t.oid = a.atttypid
        where c.oid = any(%s::regclass[]::oid[])
            and coalesce(nullif(t.typbasetype, 0), t.oid) in ('numeric'::regtype, 'float8'::regtype)
        group by c.oid
        """,
        [list(GOOD)],
    ).fetchall()
    assert dict(declared) == {table: sorted(names.split()) for table, names in NUMBERS.items()}
    for table, names in NUMBERS.items():
        for name in names.split():
            for value in NO_NUMBERS:
                with pytest.raises((psycopg.DataError, CheckViolation)):
                    insert(conn, table, **{name: value})


@pytest.mark.parametrize("table", LEDGERS)
def test_nothing_in_a_ledger_changes(conn: psycopg.Connection, table: str) -> None:
    insert(conn, table)
    for statement in (
        f"update {table} set source = 'x'",
        f"delete from {table}",
        f"truncate {table} cascade",
    ):
        with pytest.raises(RestrictViolation, match="append-only") as error:
            conn.execute(statement)
        assert error.value.diag.message_hint


@pytest.mark.parametrize("table", STATES)
def test_a_state_may_change_but_stays(conn: psycopg.Connection, table: str) -> None:
    insert(conn, table)
    for statement in (f"delete from {table}", f"truncate {table} cascade"):
        with pytest.raises(RestrictViolation):
            conn.execute(statement)
    conn.execute(f"update {table} set source = 'x', updated_at = '2000-01-01Z'")
    row = conn.execute(
        f"select count(*) filter (where updated_at > '2020-01-01Z') = count(*) from {table}"
    ).fetchone()
    assert row == (True,)
    logged = conn.execute(
        "select count(*) from ops.change_log where relation = %s::regclass and operation = 'U'",
        [table],
    ).fetchone()
    assert logged is not None
    assert logged[0] >= 1


def test_everything_is_said_about_every_table_column_and_constraint(
    conn: psycopg.Connection,
) -> None:
    silent = conn.execute(
        """
        select c.oid::regclass::text || '.' || coalesce(a.attname, '')
        from pg_class as c
        left join pg_attribute as a
            on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind = 'r'
        where c.relnamespace::regnamespace::text = any(%(schemas)s) and c.relkind in ('r', 'v')
            and (obj_description(c.oid) is null
                or (a.attnum is not null and col_description(c.oid, a.attnum) is null))
        union all
        select conname::text from pg_constraint
        where connamespace::regnamespace::text = any(%(schemas)s) and contype in ('c', 'u', 'f')
            and obj_description(oid) is null
        union all
        select oid::regprocedure::text from pg_proc
        where pronamespace::regnamespace::text = any(%(schemas)s) and obj_description(oid) is null
        """,
        {"schemas": SCHEMAS},
    ).fetchall()
    assert silent == []


def test_no_time_is_without_its_zone(conn: psycopg.Connection) -> None:
    naive = conn.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = any(%s) and data_type = 'timestamp without time zone'",
        [SCHEMAS],
    ).fetchall()
    assert naive == []


def test_every_reference_has_an_index(conn: psycopg.Connection) -> None:
    """Checking that nobody refers to a row must not read a table that grows.

    Accounts, strategies and agents are never deleted and their keys never change.
    """
    missing = conn.execute(
        """
        select conrelid::regclass::text, conname from pg_constraint as f
        where f.contype = 'f' and f.connamespace::regnamespace::text = any(%s)
            and f.confrelid in ('raw_trading.orders'::regclass, 'raw_trading.fills'::regclass)
            and not exists (
                select from pg_index as i
                where i.indrelid = f.conrelid and i.indkey[0] = f.conkey[1]
            )
        """,
        [SCHEMAS],
    ).fetchall()
    assert missing == []


def test_a_restated_snapshot_is_the_next_revision(conn: psycopg.Connection) -> None:
    table = "raw_trading.portfolio_snapshots"
    insert(conn, table)
    insert(conn, table, strategy_id="s")
    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(conn, table, equity=1001)
    insert(conn, table, equity=1001, revision=1)


def test_a_reversal_is_the_exact_opposite(conn: psycopg.Connection) -> None:
    table = "raw_trading.cash_movements"
    insert(conn, table)
    opposite = GOOD[table] | {"movement_id": "n", "amount": -100, "reverses_movement_id": "m"}
    for wrong in ({"amount": -99}, {"kind": "rebate"}, {"currency": "EUR"}, {"amount": 100}):
        with pytest.raises(CheckViolation, match="movement n: is not the opposite"):
            put(conn, table, **(opposite | wrong))
    put(conn, table, **opposite)
    with pytest.raises(psycopg.errors.UniqueViolation, match="cash_movements_reversed_once"):
        put(conn, table, **(opposite | {"movement_id": "again"}))
    assert conn.execute(f"select sum(amount) from {table}").fetchone() == (0,)


def test_a_strategy_is_given_up_not_deleted(conn: psycopg.Connection) -> None:
    insert(conn, "raw_trading.orders")
    conn.execute(
        "update raw_trading.strategies set status = 'retired', deleted_at = now()"
        " where strategy_id = 's' and version = 1"
    )
    kept = conn.execute(
        "select version, (select count(*) from raw_trading.orders where strategy_id = 's')"
        " from raw_trading.strategies where strategy_id = 's'"
    ).fetchone()
    assert kept == (2, 1)


def test_what_names_nothing_that_landed_is_found(conn: psycopg.Connection) -> None:
    def orphans() -> list[tuple[str, str, str]]:
        return conn.execute(
            "select relation, columns, value from ops.orphans order by relation, columns"
        ).fetchall()

    assert orphans() == []
    insert(conn, "raw_signals.fusion_inputs")
    insert(conn, "raw_trading.orders", model_id="m?", signal_id="1")
    assert orphans() == [
        ("raw_signals.fusion_inputs", "agent_id, signal_id", "g, 1"),
        ("raw_trading.orders", "model_id", "m?"),
        ("raw_trading.orders", "signal_id", "1"),
    ]
    insert(conn, "raw_signals.signals", model_id="m?", prediction_id="p?", strategy_id="s?")
    assert orphans() == [
        ("raw_signals.signals", "model_id", "m?"),
        ("raw_signals.signals", "prediction_id", "p?"),
        ("raw_signals.signals", "strategy_id", "s?"),
        ("raw_trading.orders", "model_id", "m?"),
    ]
    insert(conn, "raw_trading.orders", order_id="o3", signal_id="u")
    assert len(orphans()) == 4


def test_the_decision_can_be_followed_from_signal_to_fill(conn: psycopg.Connection) -> None:
    insert(conn, "raw_signals.signals", correlation_id="c1")
    insert(conn, "raw_trading.orders", correlation_id="c1", signal_id="1")
    put(conn, "raw_trading.fills", fill_id="f", order_id="o2", quantity=1, price=2, timestamp=AT)
    found = conn.execute(
        "select t.account_id, t.symbol, t.side::text, t.strategy_id, s.agent_id"
        " from raw_trading.trades as t inner join raw_signals.signals as s using (correlation_id)"
    ).fetchall()
    assert found == [("a", "X", "buy", "s", "g")]
