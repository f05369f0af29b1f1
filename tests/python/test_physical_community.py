"""The columnstore, on a server of the Community edition: WAREHOUSE_TEST_COMMUNITY_URL names it.

Each database allows one decompressed row a transaction (timescale.LOW_LIMIT): what passes here
does not depend on how many rows there are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dbt_runs import parsed
from warehouse import database
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_records
from warehouse.physical.apply import apply
from warehouse.physical.plan import Difference, differences
from warehouse.physical.wishes import Wish, from_manifest

TICKS, QUOTES, OPTIONS = "raw_market.ticks", "raw_market.quotes", "raw_market.option_quotes"
MARKET = (TICKS, QUOTES, OPTIONS)
OLD = datetime(2026, 1, 5, 15, tzinfo=UTC)
PACK = "select compress_chunk(chunk, true) from show_chunks(%s::regclass) as chunk"
SUM = "select count(*), md5(string_agg(t::text, ',' order by t::text)) from {} as t"


@pytest.fixture
def wishes(community_database: str) -> list[Wish]:
    """What the project declares for tables with a columnstore, in a fresh database."""
    return [each for each in from_manifest(parsed()) if each["relation"] in MARKET]


def ask(query: str, *arguments: object) -> list[tuple[object, ...]]:
    with database.connect("tests", autocommit=True) as session:
        done = session.execute(query.encode(), arguments)
        return done.fetchall() if done.description else []


def drift(wishes: list[Wish]) -> list[Difference]:
    with database.connect() as session:
        return differences(session, wishes)


def ticks(count: int, **changed: object) -> list[dict[str, object]]:
    """Return ticks of two symbols, a second apart."""
    one = {"price": 10, "size": 1}
    return [
        one | {"tick_ts": OLD + timedelta(seconds=n), "symbol": "XY"[n % 2]} | changed
        for n in range(count)
    ]


def quotes(count: int, bid: float = 10) -> list[dict[str, object]]:
    return [
        {"quote_ts": OLD + timedelta(seconds=n), "symbol": "X", "bid": bid, "ask": 12}
        for n in range(count)
    ]


def options(count: int, **changed: object) -> list[dict[str, object]]:
    one = {"quote_ts": OLD, "symbol": "X", "expiry": "2027-01-15", "option_right": "call"}
    return [one | {"strike": 1 + n, "bid": 1, "ask": 2} | changed for n in range(count)]


def land(relation: str, rows: list[dict[str, object]]) -> BatchResult:
    return land_records(relation, rows, source="venue")


def test_the_columnstore_is_as_declared(wishes: list[Wish]) -> None:
    done = apply(wishes)
    assert done.success, done.left
    assert [each.relation for each in done.done if each.wish == "columnstore"] == sorted(MARKET)
    assert drift(wishes) == []
    jobs = (
        "select hypertable_name, config ->> 'compress_after' from timescaledb_information.jobs"
        " where hypertable_schema = 'raw_market' order by 1"
    )
    assert ask(jobs) == [("option_quotes", "7 days"), ("quotes", "7 days"), ("ticks", "7 days")]
    # Another age, another order: for what is compressed from now on.
    ask(
        "update ops.retention_policy set compress_after = '30 days', correction_horizon = '10 days'"
        " where relation = 'raw_market.ticks'"
    )
    assert [each.wish for each in drift(wishes)] == ["columnstore"]
    assert apply(wishes).success
    assert ask(jobs)[2] == ("ticks", "30 days")


def test_late_and_corrected_rows_into_compressed_chunks(wishes: list[Wish]) -> None:
    assert apply(wishes).success
    land(TICKS, ticks(5000))
    land(QUOTES, quotes(3000))
    land(OPTIONS, options(3000))
    for relation in MARKET:
        ask(PACK, relation)
    assert ask("show timescaledb.max_tuples_decompressed_per_dml_transaction") == [("1",)]
    assert drift(wishes) == []

    # Ticks between those that are there, some that are known, one that contradicts a ledger.
    between = [ticks(1, tick_ts=OLD + timedelta(seconds=n + 0.5))[0] for n in range(2500)]
    done = land(TICKS, [*between, *ticks(100), ticks(200, price=99)[150]])
    assert (done.accepted, done.known, done.quarantined, done.late) == (2500, 100, 1, 2500)
    assert ask("select late from ops.batches where batch_id = %s", done.batch_id) == [(2500,)]
    # Every quote is corrected, half of the chain too, with a strike that is new.
    assert land(QUOTES, quotes(3000, bid=11)).late == 3000
    assert land(OPTIONS, [*options(1500, bid=1.5), *options(3001)[3000:]]).late == 1501
    counts = "select count(*), count(*) filter (where revision = 1) from {}"
    assert ask(counts.format(QUOTES)) == [(6000, 3000)]
    assert ask(counts.format(OPTIONS)) == [(4501, 1500)]
    assert land(TICKS, [*between, *ticks(5000)]).known == 7500
    # A new chunk is not late.
    assert land(TICKS, [{**ticks(1)[0], "tick_ts": OLD + timedelta(days=30)}]).late == 0

    found = drift(wishes)
    assert [(each.relation, each.kind, each.wish) for each in found] == [
        (relation, "finding", "late rows") for relation in sorted(MARKET)
    ]
    before = [ask(SUM.format(relation)) for relation in MARKET]
    for each in found:
        for statement in each.sql:
            ask(statement)
    assert drift(wishes) == []
    assert [ask(SUM.format(relation)) for relation in MARKET] == before


def test_the_job_packs_what_is_settled_and_nothing_else(wishes: list[Wish]) -> None:
    assert apply(wishes).success
    now = datetime.now(UTC)
    ages = {"settled": 20, "new": 0}
    for days in ages.values():
        land(TICKS, ticks(50, tick_ts=now - timedelta(days=days))[:1])
    job = (
        "select job_id from timescaledb_information.jobs"
        " where hypertable_name = 'ticks' and proc_name like 'policy_c%%'"
    )
    ask(f"call run_job({ask(job)[0][0]})")
    parts = "select hi <= now() - interval '7 days' from ops.columnstore_parts()"
    assert ask(parts) == [(True,)]
    assert drift(wishes) == []

    # By hand, against the policy.
    ask(PACK, TICKS)
    (found,) = drift(wishes)
    assert (found.kind, found.wish) == ("finding", "columnstore of what is corrected")
    for statement in found.sql:
        ask(statement)
    assert drift(wishes) == []


def test_rows_of_tenants_and_the_columnstore_never_meet(wishes: list[Wish]) -> None:
    assert apply(wishes).success
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="has a columnstore") as refused:
        ask("select ops.protect_rows('raw_market.ticks', 'true')")
    assert "physical_design" in str(refused.value.diag.message_hint)
    assert ask("select relrowsecurity from pg_class where relname = 'ticks'") == [(False,)]
    # The other way round, TimescaleDB refuses; the plan says so before and proposes nothing.
    policies = {"segment_by": "agent_id", "order_by": "timestamp desc"}
    logs = [
        each | {"compress": policies}
        for each in from_manifest(parsed()) if each["relation"] == "raw_logs.agent_metrics"
    ]  # fmt: skip
    assert apply(logs).success
    (found,) = drift(logs)
    assert (found.kind, found.is_now, found.sql) == ("finding", "row-level security", [])
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        ask("alter table raw_logs.agent_metrics set (timescaledb.enable_columnstore)")


def test_expired_chunks_are_dropped_though_compressed(wishes: list[Wish]) -> None:
    assert apply(wishes).success
    land(TICKS, [*ticks(1, tick_ts="2020-01-06 15:00Z"), *ticks(1)])
    ask(PACK, TICKS)
    (due,) = drift(wishes)
    assert due.kind == "expired"
    assert apply(wishes, drop_expired=True).success
    assert ask("select count(*) from raw_market.ticks") == [(1,)]
