"""Landing tables on plain PostgreSQL, stored as declared: partitions, indexes, what is dropped."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dbt_runs import parsed
from warehouse import database, schema
from warehouse.landing.records import land_records
from warehouse.physical import apply as applying
from warehouse.physical import plan as planning
from warehouse.physical.apply import Applied, apply
from warehouse.physical.plan import Difference, differences
from warehouse.physical.wishes import Wish, from_manifest

TICKS = "raw_market.ticks"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
AGES = {"now": 0, "a month ago": 30, "expired": 1000, "far ahead": -30_000, "ahead": -10}
"""Days back from now, by what the time is to the partitions."""

SUM = "select count(*), md5(string_agg(t::text, ',' order by t::text)) from raw_market.ticks as t"
REST = "select count(*) from partitions.raw_market_ticks_default"
WEEK = "explain select price from raw_market.ticks where tick_ts >= %s and tick_ts < %s"


@pytest.fixture(scope="module")
def wishes(home: object) -> list[Wish]:
    """What the project declares, parsed once."""
    return from_manifest(parsed())


def plan(wishes: list[Wish], kind: str = "") -> list[Difference]:
    with database.connect() as session:
        found = differences(session, wishes)
    return [each for each in found if each.relation == TICKS and kind in ("", each.kind)]


def ticks(wishes: list[Wish], **changed: object) -> list[Wish]:
    """Return the design of ticks alone, some of it said otherwise."""
    return [each | changed for each in wishes if each["relation"] == TICKS]


def land(*ages: str, first: int = 1) -> None:
    """Land one tick of each age by the loader."""
    rows = [
        {"tick_ts": NOW - timedelta(days=AGES[age]), "symbol": "X", "price": 10 + number, "size": 1}
        for number, age in enumerate(ages, first)
    ]
    done = land_records(TICKS, rows, source="venue")
    assert (done.accepted, done.quarantined) == (len(ages), 0), done


def one(query: str, *arguments: object) -> tuple[object, ...]:
    with database.connect("tests", autocommit=True) as session:
        return session.execute(query.encode(), arguments).fetchone() or ()


def parts_of(age: str) -> list[str]:
    """Return the parts that a query of the day of an age reads."""
    at = NOW - timedelta(days=AGES[age])
    with database.connect() as session:
        lines = session.execute(WEEK, [at, at + timedelta(hours=1)]).fetchall()
    return sorted(set(re.findall(r" on (raw_market_ticks_\w+)", str(lines))))


@pytest.mark.usefixtures("database")
def test_rows_grants_views_and_triggers_survive(wishes: list[Wish]) -> None:
    land(*AGES)
    before = one(SUM)
    logged = "select count(*) from ops.change_log where relation = 'raw_market.ticks'::regclass"
    changes = one(logged)
    (storage,) = plan(wishes)
    assert (storage.wish, storage.is_now) == ("storage", "a table")
    assert storage.should_be == "partitions of tick_ts, 7 days each"

    done = apply(wishes)
    assert done.left == {f"{TICKS}: retention": "dropped with --drop-expired only"}
    assert storage.sql in [each.sql for each in done.done]
    assert plan(wishes, "difference") == []
    assert apply(wishes) == Applied(left=done.left)
    assert one(SUM) == before
    assert one(logged) == changes
    assert schema.differences() == []
    # Too old or too far ahead for a partition: they have a place all the same.
    assert one(REST) == (2,)
    assert [(each.kind, each.wish) for each in plan(wishes)] == [
        ("expired", "retention"), ("finding", "default partition"),
    ]  # fmt: skip
    hf = "select count(*) from raw_market.market_data_hf where record_type = 'tick'"
    assert one(hf) == (len(AGES),)
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        one("update raw_market.ticks set price = 1")
    # A query of a time reads its partition, and the one for any time.
    for age in ("now", "a month ago", "ahead"):
        assert len(parts_of(age)) == 1, age
        assert not parts_of(age)[0].endswith("default")


@pytest.mark.usefixtures("database")
def test_rows_of_any_time_land(wishes: list[Wish]) -> None:
    apply(ticks(wishes))
    land(*AGES)
    assert one(SUM)[0] == len(AGES)
    # The loader made one for the month before; what no partition should be made for is kept too.
    assert len(parts_of("a month ago")) == 1
    assert one(REST) == (2,)
    # A program that writes by itself makes none: its rows wait, and move.
    one(
        "insert into raw_market.ticks (instrument_id, tick_ts, symbol, price, size)"
        " select 1, now() - interval '60 days', 'X', 5, 1 returning 1"
    )
    assert one(REST) == (3,)
    before = one(SUM)
    assert [each.wish for each in plan(wishes, "difference")] == ["partitions"]
    apply(ticks(wishes))
    assert plan(wishes, "difference") == []
    assert one(REST) == (2,)
    assert one(SUM) == before
    with pytest.raises(psycopg.errors.UniqueViolation):
        one(
            "insert into raw_market.ticks (instrument_id, tick_ts, source, symbol, price, size)"
            " select instrument_id, tick_ts, source, symbol, price, size from raw_market.ticks"
        )


@pytest.mark.usefixtures("database")
def test_a_lock_that_is_not_had_delays_the_partition_alone(wishes: list[Wish]) -> None:
    apply(ticks(wishes))
    with database.connect("reader") as reader:
        reader.execute(SUM)
        land("a month ago")
    assert one(REST) == (1,)
    assert apply(ticks(wishes)).success
    assert one(REST) == (0,)


@pytest.mark.usefixtures("database")
def test_an_interval_changes_for_what_comes(wishes: list[Wish]) -> None:
    apply(ticks(wishes))
    land("now")
    daily = ticks(wishes, chunk_interval="2 days")
    assert [each.wish for each in plan(daily)] == ["interval"]
    assert apply(daily).success
    assert plan(daily) == []
    land("ahead", first=2)
    widths = (
        "select array_agg(distinct hi - lo order by hi - lo) from ops.time_parts()"
        " where hi is not null"
    )
    assert one(widths) == ([timedelta(days=2), timedelta(days=7)],)
    assert one(SUM)[0] == 2
    assert one(REST) == (0,)


@pytest.mark.usefixtures("database")
def test_an_interval_that_does_not_fit_is_found(
    wishes: list[Wish], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(ticks(wishes))
    assert plan(wishes) == []
    monkeypatch.setattr(
        planning, "SQL", planning.SQL.replace("setting::bigint * 8192", "1::bigint")
    )
    (large,) = plan(wishes)
    assert (large.kind, large.wish) == ("finding", "interval")
    assert large.should_be.endswith(": 1 days")
    monkeypatch.setattr(planning, "SQL", planning.SQL.replace("number > 500", "number > 3"))
    (many,) = plan(wishes)
    assert many.is_now.startswith("4 parts of 7 days")
    assert many.should_be.startswith("at most 500 parts")


@pytest.mark.usefixtures("database")
def test_what_is_expired_goes_when_asked_and_nobody_holds_it(wishes: list[Wish]) -> None:
    land("now", "a month ago", "expired")
    apply(ticks(wishes))
    keep = "update ops.retention_policy set {} where relation = 'raw_market.ticks' returning 1"
    one(keep.format("hot = null, drop_after = '20 days'"))
    one(keep.format("legal_hold = true"))
    assert plan(wishes, "expired") == []
    with pytest.raises(psycopg.errors.RestrictViolation, match="legal hold"):
        one("select ops.drop_expired('raw_market.ticks')")
    one(keep.format("legal_hold = false"))
    (due,) = plan(wishes, "expired")
    assert due.wish == "retention"
    assert apply(ticks(wishes)).left == {f"{TICKS}: retention": "dropped with --drop-expired only"}
    assert one(SUM)[0] == 3
    assert apply(ticks(wishes), drop_expired=True).success
    # The month before went as a whole, the oldest from the default partition.
    assert one(SUM)[0] == 1
    assert plan(wishes) == []


@pytest.mark.usefixtures("database")
def test_indexes_are_made_again_and_never_dropped(wishes: list[Wish]) -> None:
    wishes = [each for each in wishes if each["relation"] in (TICKS, "raw_market.bars")]
    apply(wishes)
    with database.connect("tests", autocommit=True) as session:
        session.execute("drop index raw_market.ticks_batch_idx, raw_market.bars_batch_idx")
        session.execute("create index ticks_batch_idx on raw_market.ticks (batch_id)")
        session.execute("create index mine on raw_market.ticks (symbol)")
    found = {(each.wish, each.is_now): each for each in plan(wishes)}
    changed = found["index ticks_batch_idx", "btree (batch_id)"]
    assert changed.should_be == "brin (batch_id)"
    assert [statement.split()[0] for statement in changed.sql] == ["create", "drop", "alter"]
    assert found["index mine", "btree (symbol)"].kind == "finding"
    done = apply(wishes)
    assert done.success
    (bars,) = [each for each in done.done if each.relation == "raw_market.bars"]
    assert bars.sql == [
        "create index concurrently bars_batch_idx on raw_market.bars using brin (batch_id)"
    ]
    assert [each.wish for each in plan(wishes)] == ["index mine"]


@pytest.mark.usefixtures("database")
def test_a_big_table_is_not_locked_unasked(
    wishes: list[Wish], monkeypatch: pytest.MonkeyPatch
) -> None:
    land("now")
    monkeypatch.setattr(applying, "BIG", 0)
    refused = apply(ticks(wishes))
    assert not refused.success
    assert refused.left[f"{TICKS}: storage"].endswith("--rewrite")
    assert apply(ticks(wishes), rewrite=True).success
    assert one(SUM)[0] == 1
