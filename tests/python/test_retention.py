"""Retention as data: every landing table has a policy, what is due is known, a hold holds."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from landing_files import land, write
from warehouse import database as db


def test_every_landing_table_has_a_policy_with_a_time_of_its_own(database: str) -> None:
    with db.connect() as session:
        without = session.execute(
            "select c.oid::regclass::text from pg_class as c"
            " inner join pg_namespace as n on n.oid = c.relnamespace and n.nspname ~ '^raw_'"
            " where c.relkind in ('r', 'p') and not exists (select from ops.retention_policy as p"
            " where p.relation = n.nspname || '.' || c.relname)"
        ).fetchall()
        assert without == [], "add a row to ops.retention_policy in the migration"
        timeless = session.execute(
            "select p.relation, p.time_column from ops.retention_policy as p"
            " where not exists (select from pg_attribute as a where a.attname = p.time_column"
            " and a.attrelid = to_regclass(p.relation) and a.atttypid in"
            " ('timestamptz'::regtype, 'date'::regtype))"
        ).fetchall()
        assert timeless == []


def test_the_longest_legal_number_wins(database: str) -> None:
    years = (
        "select extract(year from drop_after)::int from ops.retention_policy where relation = %s"
    )
    with db.connect() as session:
        for relation, expected in {
            "raw_trading.fills": 7, "raw_trading.order_events": 7, "raw_logs.trading_events": 7,
            "raw_market.ticks": 2, "raw_alt.news_articles": 1, "raw_market.bars": None,
            "audit.row_changes": None,
        }.items():  # fmt: skip
            assert session.execute(years, [relation]).fetchone() == (expected,), relation
        with pytest.raises(psycopg.errors.CheckViolation, match="law_is_kept"):
            session.execute(
                "update ops.retention_policy set hot = null, archive_after = null,"
                " drop_after = '1 year' where relation = 'raw_trading.fills'"
            )


def test_nothing_is_compressed_while_it_is_corrected(database: str) -> None:
    change = "update ops.retention_policy set {} where relation = 'raw_market.ticks'"
    with db.connect("tests", autocommit=True) as session:
        for wrong in ("correction_horizon = '7 days'", "compress_after = '2 days'"):
            with pytest.raises(psycopg.errors.CheckViolation, match="compresses_what_is_settled"):
                session.execute(change.format(wrong).encode())
        session.execute(
            change.format("correction_horizon = '8 days', compress_after = '9 days'").encode()
        )
        # Nothing is compressed without a columnstore, and that costs no landing anything.
        assert session.execute("select * from ops.columnstore_parts()").fetchall() == []
        late = "select * from ops.compressed_times('raw_market.ticks')"
        assert session.execute(late).fetchall() == []


LOG = (
    'insert into raw_logs.performance_logs ("timestamp", operation_name, duration_ms, status)'
    " values (now() - interval '40 days', 'x', 1, 'success')"
)


def test_what_is_due_is_shown_and_a_hold_is_named(database: str) -> None:
    due = (
        "select action, is_held from ops.due_retention where relation = 'raw_logs.performance_logs'"
    )
    with db.connect() as session:
        assert session.execute(due).fetchall() == []
        session.execute(LOG)
        assert session.execute(due).fetchall() == [("compress", False), ("drop", False)]
        check = "select ops.check_drop('raw_logs.performance_logs', now() - interval '31 days')"
        session.execute(check)
        session.execute("update ops.retention_policy set legal_hold = true")
        assert session.execute(due).fetchall() == [("compress", False), ("drop", True)]
        with pytest.raises(psycopg.errors.RestrictViolation, match="legal hold"):
            session.execute(check)


@pytest.mark.parametrize(
    ("relation", "message"),
    [("raw_trading.fills", "is kept for 7 years"), ("raw_market.bars", "no policy lets")],
)
def test_what_the_policy_keeps_is_not_dropped(database: str, relation: str, message: str) -> None:
    with (
        db.connect() as session,
        pytest.raises(psycopg.errors.RestrictViolation, match=message),
    ):
        session.execute(f"select ops.check_drop('{relation}', now() - interval '6 years')")


def test_bars_under_legal_hold_do_not_expire(database: str, tmp_path: Path) -> None:
    land(write(tmp_path / "bars.csv", ["S0,2023-03-01,10,12,9,11,5"]))
    expire = "select ops.expire_bars('1d', '2024-01-01')"
    with db.connect("tests", autocommit=True) as session:
        held = "update ops.retention_policy set legal_hold = %s where relation = 'raw_market.bars'"
        session.execute(held, [True])
        with pytest.raises(psycopg.errors.RestrictViolation, match="legal hold"):
            session.execute(expire)
        assert session.execute("select count(*) from raw_market.bars").fetchone() == (1,)
        session.execute(held, [False])
        assert session.execute(expire).fetchone() == (1,)
        changes = session.execute(
            "select before ->> 'legal_hold', after ->> 'legal_hold' from audit.row_changes"
            " where relation = 'ops.retention_policy' and operation = 'UPDATE' order by change_seq"
        ).fetchall()
        assert changes == [("false", "true"), ("true", "false")]
