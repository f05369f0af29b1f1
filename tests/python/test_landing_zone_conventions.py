"""What holds for every landing table, asked of the catalogue: a new table is tested by being."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from warehouse import database as db

TABLES = """
    select c.oid
    from pg_class as c
    inner join pg_namespace as n on c.relnamespace = n.oid
    where n.nspname like 'raw\\_%' and c.relkind in ('r', 'p')
"""
COLUMNS = f"""
    select a.attrelid::regclass::text || '.' || a.attname
    from pg_attribute as a
    where a.attrelid in ({TABLES}) and a.attnum > 0 and not a.attisdropped
"""
LANDED = ("source", "batch_id", "known_at")
# Nobody lands it: a trigger keeps it from the fills.
KEPT_BY_TRIGGER = {"raw_trading.positions_live"}
# Numbers of a row among its own, ids of other systems, and users of any system that writes logs.
NAMES_NOTHING = {
    "raw_alt.news_articles.article_id",
    "raw_alt.social_posts.post_id",
    "raw_backtest.backtest_runs.parent_search_id",
    "raw_logs.error_logs.user_id",
    "raw_logs.system_logs.process_id",
    "raw_logs.user_action_logs.session_id",
    "raw_logs.user_action_logs.user_id",
    "raw_market.ticks.tick_id",
    "raw_prop.payment_events.provider_event_id",
    "raw_prop.payments.provider_payment_id",
    "raw_prop.trades.trade_id",
    "raw_risk.risk_alert_events.alert_id",
    "raw_risk.risk_limits.limit_id",
    "raw_signals.signals.signal_id",
    "raw_trading.orders.client_order_id",
    "raw_trading.orders.exchange_order_id",
}
# raw_prop.payment_event_orphans looks for it.
NAMES_NOTHING |= {"raw_prop.payment_events.provider_payment_id"}
OPEN_REFERENCES = f"""
    {COLUMNS}
    and a.attname like '%\\_id' and a.attname not in ('tenant_id', 'correlation_id')
    and not exists (
        select from pg_constraint as k
        where k.conrelid = a.attrelid and a.attnum = any(k.conkey)
            and (k.contype = 'f' or k.contype = 'p' and k.conkey = array[a.attnum])
    )
    and not exists (
        select from ops.open_references as r
        where r.relation = a.attrelid and a.attname::text = any(r.columns)
    )
"""
NUMBERS_THAT_TAKE_NAN = f"""
    {COLUMNS}
    and a.atttypid in ('numeric'::regtype, 'real'::regtype, 'double precision'::regtype)
    and a.attgenerated = ''
    and not exists (
        select from pg_constraint as k
        where k.conrelid = a.attrelid and k.contype = 'c' and a.attnum = any(k.conkey)
            and pg_get_constraintdef(k.oid) ~ '(NaN|Infinity)'
    )
"""
UNTRACKED = f"""
    select t.oid::regclass::text
    from ({TABLES}) as t
    where not exists (
        select from pg_trigger as g
        inner join pg_proc as p on g.tgfoid = p.oid
        where g.tgrelid = t.oid and g.tgnewtable is not null and p.proname like 'log\\_%'
    )
"""
LEDGERS_THAT_CHANGE = f"""
    select t.oid::regclass::text
    from ({TABLES}) as t
    where
        not exists (
            select from pg_attribute as a
            where a.attrelid = t.oid and a.attname = 'updated_at' and not a.attisdropped
        )
        and coalesce((
            -- 8 delete, 16 update, 32 truncate
            select bit_or(g.tgtype & 56)
            from pg_trigger as g
            inner join pg_proc as p on g.tgfoid = p.oid
            where g.tgrelid = t.oid and p.proname = 'refuse_mutation'
        ), 0) <> 56
"""


@pytest.fixture
def session(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("tests", autocommit=True) as conn:
        yield conn


def found(session: psycopg.Connection, query: str) -> set[str]:
    return {row[0] for row in session.execute(query.encode()).fetchall()}


def test_there_are_landing_tables(session: psycopg.Connection) -> None:
    assert len(found(session, f"select oid::regclass::text from ({TABLES}) as t")) > 40


@pytest.mark.parametrize("column", LANDED)
def test_every_row_says_where_it_came_from_and_when(
    session: psycopg.Connection, column: str
) -> None:
    missing = found(
        session,
        f"""
        select t.oid::regclass::text from ({TABLES}) as t
        where not exists (
            select from pg_attribute as a where a.attrelid = t.oid and a.attname = '{column}'
        )
        """,
    )
    assert missing - KEPT_BY_TRIGGER == set()


def test_no_time_is_without_a_zone(session: psycopg.Connection) -> None:
    assert found(session, COLUMNS + "and a.atttypid = 'timestamp'::regtype") == set()


def test_text_has_no_length(session: psycopg.Connection) -> None:
    assert found(session, COLUMNS + "and a.atttypid = 'varchar'::regtype") == set()


def test_no_number_takes_nan_or_infinity(session: psycopg.Connection) -> None:
    # greatest() in bars_ohlcv_sane is NaN when one of its prices is: compared with the high.
    sane = {f"raw_market.bars.{name}" for name in ("open", "high", "low", "close", "volume")}
    assert found(session, NUMBERS_THAT_TAKE_NAN) - sane == set()


def test_every_table_has_a_key(session: psycopg.Connection) -> None:
    keyless = f"""
        select t.oid::regclass::text from ({TABLES}) as t
        where not exists (
            select from pg_constraint as k where k.conrelid = t.oid and k.contype = 'p'
        )
    """
    assert found(session, keyless) == set()


def test_what_names_another_row_has_a_foreign_key_or_is_looked_for(
    session: psycopg.Connection,
) -> None:
    assert found(session, OPEN_REFERENCES) == NAMES_NOTHING


def test_every_open_reference_can_be_looked_for(session: psycopg.Connection) -> None:
    assert session.execute("select * from ops.orphans").fetchall() == []


def test_every_change_is_captured(session: psycopg.Connection) -> None:
    assert found(session, UNTRACKED) - KEPT_BY_TRIGGER == set()


def test_what_is_not_a_state_is_append_only(session: psycopg.Connection) -> None:
    assert found(session, LEDGERS_THAT_CHANGE) == set()
