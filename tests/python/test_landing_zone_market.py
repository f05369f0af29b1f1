"""Market, model, alternative and log tables: what lands in them, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from market_rows import BAD, GOOD, TABLES, insert, prepared


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with prepared() as session:
        yield session


def test_good_rows_land_and_are_logged(conn: psycopg.Connection) -> None:
    assert sorted(GOOD) == sorted(TABLES)
    for table in TABLES:
        insert(conn, table)
        logged = conn.execute(
            "select rows from ops.change_log where relation = %s::regclass order by log_id desc",
            [table],
        ).fetchone()
        assert logged == (1,), table


def test_bad_rows_are_refused_with_the_name_of_what_they_break(conn: psycopg.Connection) -> None:
    for table, changes, message in BAD:
        with pytest.raises(psycopg.Error) as error:
            insert(conn, table, **changes)
        assert message in str(error.value), (table, changes, error.value)


def test_a_negative_price_lands_where_it_is_real(conn: psycopg.Connection) -> None:
    conn.execute("update ref.instruments set allow_negative_price = true")
    insert(conn, "raw_market.ticks", price=-37.63)
    insert(conn, "raw_market.quotes", bid=-1, ask=0)


def test_what_was_allowed_can_be_withdrawn(conn: psycopg.Connection) -> None:
    conn.execute("update ref.instruments set allow_negative_price = true")
    insert(conn, "raw_market.quotes", bid=-1, ask=0)
    conn.execute("update ref.instruments set allow_negative_price = false")
    insert(conn, "raw_market.quotes", bid=-1, ask=0, revision=1, is_withdrawn=True)
    assert conn.execute("select count(*) from raw_market.forex_crypto_data").fetchone() == (0,)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "raw_ml.models"])
def test_nothing_landed_changes(conn: psycopg.Connection, table: str) -> None:
    insert(conn, table)
    for statement in (
        f"update {table} set source = 'x'",
        f"delete from {table}",
        f"truncate {table}",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            conn.execute(statement)


def test_the_life_of_a_model(conn: psycopg.Connection) -> None:
    def become(status: str) -> None:
        conn.execute("update raw_ml.models set status = %s where model_id = 'm'", [status])

    insert(conn, "raw_ml.models", status="training")
    for status in ("shadow", "active", "retired", "shadow", "retired"):
        become(status)
    with pytest.raises(
        psycopg.errors.CheckViolation, match="model m: retired cannot become active"
    ):
        become("active")
    with pytest.raises(psycopg.errors.RestrictViolation, match="cannot change"):
        conn.execute("update raw_ml.models set version = '2' where model_id = 'm'")
    with pytest.raises(psycopg.errors.RestrictViolation):
        conn.execute("delete from raw_ml.models")
    conn.execute("update raw_ml.models set metrics = '{\"auc\": 0.6}' where model_id = 'm'")
    kept = conn.execute(
        "select updated_at > created_at, status from raw_ml.models where model_id = 'm'"
    ).fetchone()
    assert kept == (True, "retired")


def test_everything_is_said_about_every_table_column_and_constraint(
    conn: psycopg.Connection,
) -> None:
    silent = conn.execute(
        """
        select c.oid::regclass::text || '.' || a.attname
        from pg_class as c
        inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
        where c.oid = any(%(tables)s::regclass[]::oid[]) and (
            col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null
        )
        union all
        select conname::text from pg_constraint
        where conrelid = any(%(tables)s::regclass[]::oid[]) and contype in ('c', 'u', 'f')
            and obj_description(oid) is null
        """,
        {"tables": TABLES},
    ).fetchall()
    assert silent == []
