"""The loader of any table: kinds, rules and triggers of tables made up for these tests."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from landing_files import ask, do
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_files, land_records
from warehouse.landing.records.profile import RecordProfile, record_profile
from warehouse.landing.replay import replay

KEPT = """
    source types.label not null default 'application', batch_id bigint,
    known_at timestamptz not null default now()
"""
TABLES = f"""
create table raw_trading.factors (
    name types.label, at timestamptz, value types.finite not null, note text, {KEPT},
    revision integer not null default 0,
    primary key (name, at, source, revision),
    constraint factors_small check (value < 1000)
);
comment on constraint factors_small on raw_trading.factors is 'No factor is that large.';

create table raw_trading.moves (
    move_id types.label primary key, account_id text, at timestamptz not null,
    amount types.amount not null, side types.side, tags text[], extra jsonb, corrects text, {KEPT},
    constraint moves_corrects_a_move foreign key (corrects) references raw_trading.moves,
    constraint moves_amount_once unique (account_id, at)
);
comment on constraint moves_corrects_a_move on raw_trading.moves is 'It corrects no known move.';
create trigger moves_append_only before update or delete or truncate on raw_trading.moves
for each statement execute function ops.refuse_mutation('Append a move back.');
create trigger moves_log_changes after insert on raw_trading.moves
referencing new table as changed
for each statement execute function ops.log_landed('account_id', 'at');

create table raw_trading.jobs (
    job_id types.label primary key, status text not null default 'new', owner text,
    updated_at timestamptz not null default now(), {KEPT}
);
create function raw_trading.check_job() returns trigger language plpgsql as $$
begin
    if old.status = 'done' and new.status <> 'done' then
        raise exception 'job % is done and cannot become %', old.job_id, new.status
            using errcode = 'check_violation', hint = 'Make another job.';
    end if;
    return new;
end $$;
create trigger jobs_machine before update on raw_trading.jobs
for each row execute function raw_trading.check_job();
create trigger jobs_touched before update on raw_trading.jobs
for each row execute function ops.touch_updated_at();
"""


@pytest.fixture(autouse=True)
def _tables(database: str) -> None:
    do(TABLES)


def land(path: Path, table: str, **keys: object) -> BatchResult:
    return land_files([path], profile=described(table, **keys))[0]


def described(table: str, **keys: object) -> RecordProfile:
    return record_profile({"table": table, "source": "acme", **keys}, where="test")


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def counted(result: BatchResult) -> tuple[int, int, int, int]:
    return result.landed, result.accepted, result.known, result.quarantined


def reasons() -> list[tuple[int, str, str]]:
    return ask("select line, rule, reason from ops.quarantine order by quarantine_id")


class TestRestatable:
    def test_other_values_are_the_next_revision(self, tmp_path: Path) -> None:
        path = csv(tmp_path / "a.csv", "name,at,value,note", "mkt,2024-01-02T00:00Z,1.5,first")
        assert counted(land(path, "factors")) == (1, 1, 0, 0)
        assert counted(land(path, "factors")) == (1, 0, 1, 0)
        path = csv(tmp_path / "b.csv", "name,at,value", "mkt,2024-01-02T00:00Z,1.6")
        assert counted(land(path, "raw_trading.factors")) == (1, 1, 0, 0)
        # What a file does not say stays as it was.
        assert ask("select revision, value, note from raw_trading.factors order by 1") == [
            (0, 1.5, "first"),
            (1, 1.6, "first"),
        ]

    def test_shuffled_and_split_changes_nothing(self, tmp_path: Path) -> None:
        rows = [f"f{n},2024-01-{n:02}T00:00Z,{n}" for n in range(1, 21)]
        land(csv(tmp_path / "a.csv", "name,at,value", *rows), "factors")
        again = csv(tmp_path / "b.csv", "name,at,value", *reversed(rows))
        halves = csv(tmp_path / "c.csv", "value,at,name", "7,2024-01-07 00:00+00,f7")
        assert counted(land(again, "factors")) == (20, 0, 20, 0)
        assert counted(land(halves, "factors")) == (1, 0, 1, 0)

    def test_checks_are_named_by_their_constraints(self, tmp_path: Path) -> None:
        path = csv(
            tmp_path / "a.csv",
            "name,at,value",
            "a,2024-01-02T00:00Z,1000",
            "a,2024-01-03T00:00Z,Infinity",
            "a,2024-01-03T00:00Z,1e400",
            " ,2024-01-03T00:00Z,1",
            "a,2024-01-03T00:00Z,",
            "a,yesterday,2",
            "a,2024-01-04T00:00Z,1,2",
            "name,at,value",
            "b,2024-01-02T00:00Z,1",
            "b,2024-01-02T00:00Z,1",
            "c,2024-01-02T00:00Z,1",
            "c,2024-01-02T00:00Z,2",
        )
        assert counted(land(path, "factors", timezone="UTC")) == (12, 1, 1, 10)
        found = {line: (rule, reason) for line, rule, reason in reasons()}
        assert found[2] == ("factors_small", "No factor is that large.")
        assert found[3][0] == found[4][0] == "bad_value:value"
        assert "is_finite" in found[3][1]
        assert found[5][0] == "bad_value:name"
        assert found[6] == ("missing_value:value", "value is missing.")
        assert found[7][0] == "bad_time:at"
        assert found[8][0] == "malformed_row"
        assert found[9][0] == "repeated_header"
        assert found[12][0] == found[13][0] == "conflicting_duplicate"


class TestLedger:
    def test_other_values_are_refused(self, tmp_path: Path) -> None:
        path = csv(tmp_path / "a.csv", "move_id,account_id,at,amount", "m1,a,2024-01-02T00:00Z,5")
        assert counted(land(path, "moves")) == (1, 1, 0, 0)
        path = csv(tmp_path / "b.csv", "move_id,account_id,at,amount", "m1,a,2024-01-02T00:00Z,6")
        assert counted(land(path, "moves")) == (1, 0, 0, 1)
        assert reasons() == [
            (
                2,
                "conflicts_with_landed",
                "A row with this key has landed with other values, and stays. Append a move back.",
            )
        ]
        assert ask("select amount from raw_trading.moves") == [(Decimal(5),)]

    def test_references_and_uniques(self, tmp_path: Path) -> None:
        path = csv(
            tmp_path / "a.csv",
            "move_id,account_id,at,amount,corrects",
            "m3,a,2024-01-04T00:00Z,5,m1",
            "m1,a,2024-01-02T00:00Z,5,",
            "m4,a,2024-01-05T00:00Z,5,m9",
            "m5,a,2024-01-02T00:00Z,5,",
        )
        assert counted(land(path, "moves")) == (4, 2, 0, 2)
        assert [(line, rule) for line, rule, _ in reasons()] == [
            (4, "moves_corrects_a_move"),
            (5, "moves_amount_once"),
        ]
        assert reasons()[0][2] == "It corrects no known move."

    def test_rows_of_a_program(self) -> None:
        rows = [
            {"move_id": "m1", "at": pd.Timestamp("2024-01-02", tz="UTC"), "amount": Decimal("1.50"),
             "side": "buy", "tags": ["a", 'b"c'], "extra": {"x": [1, 2.5, None]}},
            {"move_id": "m2", "at": "2024-01-02T10:00:00+01:00", "amount": 2, "corrects": "m1"},
            {"move_id": "m3", "at": "2024-01-02T10:00:00+01:00", "amount": float("nan")},
        ]  # fmt: skip
        assert counted(land_records("moves", rows, source="app")) == (3, 2, 0, 1)
        assert counted(land_records("moves", rows, source="app")) == (3, 0, 2, 1)
        assert ask("select amount, side, tags, extra from raw_trading.moves order by 1") == [
            (Decimal("1.5"), "buy", ["a", 'b"c'], {"x": [1, 2.5, None]}),
            (Decimal(2), None, None, None),
        ]

    def test_a_frame(self) -> None:
        frame = pd.DataFrame(
            {
                "move_id": ["m1", "m2"],
                "at": pd.to_datetime(["2024-01-02", "2024-01-03"], utc=True),
                "amount": [1.25, 2],
                "unknown": [1, 2],
            }
        )
        result = land_records("moves", frame, source="app")
        assert counted(result) == (2, 2, 0, 0)
        assert result.ignored == ["unknown"]


class TestState:
    def test_rows_are_updated_where_they_differ(self, tmp_path: Path) -> None:
        first = csv(tmp_path / "a.csv", "job_id,status,owner", "j1,new,ann", "j2,done,bob")
        assert counted(land(first, "jobs")) == (2, 2, 0, 0)
        second = csv(tmp_path / "b.csv", "job_id,status", "j1,done", "j2,new", "j3,new")
        assert counted(land(second, "jobs")) == (3, 2, 0, 1)
        assert ask("select job_id, status, owner from raw_trading.jobs order by 1") == [
            ("j1", "done", "ann"),
            ("j2", "done", "bob"),
            ("j3", "new", None),
        ]
        assert reasons() == [
            (3, "check_violation", "job j2 is done and cannot become new. Make another job.")
        ]

    def test_only_refused_rows_are_set_aside(self) -> None:
        land_records(
            "jobs", [{"job_id": f"j{n}", "status": "done"} for n in range(200)], source="a"
        )
        rows = [
            {"job_id": f"j{n}", "status": "new" if n % 17 == 0 else "done", "owner": "x"}
            for n in range(200)
        ]
        assert counted(land_records("jobs", rows, source="a")) == (200, 188, 0, 12)
        assert ask("select count(*) from raw_trading.jobs where owner = 'x'") == [(188,)]

    def test_replay(self, tmp_path: Path) -> None:
        land(csv(tmp_path / "a.csv", "job,state", "j1,done"), "jobs", columns=NAMES)
        land(csv(tmp_path / "b.csv", "job,state", "j1,new", ",new"), "jobs", columns=NAMES)
        (still,) = replay()
        assert counted(still) == (2, 0, 0, 2)
        do('update ops.quarantine set payload = payload || \'{"job": "j4"}\'')
        (batch,) = replay("acme")
        assert counted(batch) == (2, 1, 1, 0)
        assert replay() == []
        assert ask("select job_id from raw_trading.jobs order by 1") == [("j1",), ("j4",)]
        assert ask("select landed = accepted + known + quarantined from ops.batches") == [
            (True,)
        ] * len(ask("select from ops.batches"))


NAMES = {"job_id": "job", "status": "state"}


class TestProfile:
    def test_constants_and_expressions(self, tmp_path: Path) -> None:
        path = csv(
            tmp_path / "a.csv",
            "Time,Qty,Price,Id",
            '" 7:51  PM ET Fri, 17 July 2020",-4,2.5,1',
            '" 7:52  PM ET Fri, 17 July 2020",3,x,2',
            '" 7:53  PM ET Fri, 17 July 2020",3,1,3',
        )
        keys = {
            "columns": {"at": "Time"},
            "constants": {"account_id": "main"},
            "expressions": {
                "move_id": "'t' || \"Id\"",
                "amount": 'abs("Qty"::numeric) * "Price"::numeric',
                "side": "case when \"Qty\" like '-%' then 'sell' else 'buy' end",
            },
            "time_formats": ["%I:%M %p ET %a, %d %B %Y"],
            "timezone": "America/New_York",
        }
        assert counted(land(path, "moves", **keys)) == (3, 2, 0, 1)
        assert ask("select move_id, at::text, amount, side from raw_trading.moves order by 1") == [
            ("t1", "2020-07-17 23:51:00+00", Decimal(10), "sell"),
            ("t3", "2020-07-17 23:53:00+00", Decimal(3), "buy"),
        ]
        assert reasons() == [
            (3, "expression_failed", 'invalid input syntax for type numeric: "x".')
        ]
        do("update ops.quarantine set payload = payload || '{\"Price\": 2}'")
        assert counted(replay()[0]) == (1, 1, 0, 0)

    def test_groups_are_one_row(self, tmp_path: Path) -> None:
        path = csv(
            tmp_path / "a.csv",
            "pair,side,ts,px",
            "GBPUSD,bid,2024-01-02T00:00Z,1.1",
            "GBPUSD,ask,2024-01-02T00:00Z,1.2",
            "GBPUSD,bid,2024-01-02T00:01Z,1.3",
        )
        keys = {
            "columns": {"symbol": "pair", "quote_ts": "ts"},
            "group": ["pair", "ts"],
            "expressions": {
                "bid": "max(px) filter (where side = 'bid')",
                "ask": "max(px) filter (where side = 'ask')",
            },
            "calendar": "24/7",
        }
        assert counted(land(path, "quotes", **keys)) == (2, 2, 0, 0)
        assert counted(land(path, "quotes", **keys)) == (2, 0, 2, 0)
        assert ask("select bid, ask from raw_market.quotes order by quote_ts") == [
            (Decimal("1.1"), Decimal("1.2")),
            (Decimal("1.3"), None),
        ]

    def test_a_group_is_kept_whole_and_replayed(self, tmp_path: Path) -> None:
        path = csv(
            tmp_path / "a.csv",
            "pair,side,ts,px",
            "GBPUSD,bid,2024-01-02T00:00Z,1.1",
            "EURUSD,bid,2024-01-02T00:00Z,1.0",
            "GBPUSD,ask,2024-01-02T00:00Z,x",
        )
        keys = {
            "columns": {"symbol": "pair", "quote_ts": "ts"},
            "group": ["pair", "ts"],
            "expressions": {
                "bid": "max(px) filter (where side = 'bid')",
                "ask": "max(px) filter (where side = 'ask')",
            },
            "calendar": "24/7",
        }
        assert counted(land(path, "quotes", **keys)) == (2, 1, 0, 1)
        (payload,) = ask("select payload from ops.quarantine")[0]
        assert [row["px"] for row in payload["rows"]] == ["1.1", "x"]
        assert counted(replay()[0]) == (1, 0, 0, 1)
        do("update ops.quarantine set payload = jsonb_set(payload, '{rows, 1, px}', '1.2')")
        assert counted(replay()[0]) == (1, 1, 0, 0)
        assert ask("select bid, ask from raw_market.quotes where symbol = 'GBPUSD'") == [
            (Decimal("1.1"), Decimal("1.2"))
        ]

    @pytest.mark.parametrize(
        ("keys", "told"),
        [
            ({"columns": {"owner": "boss"}}, "'boss' is missing for raw_trading.jobs"),
            ({"columns": {"wages": "pay"}}, "wages, which raw_trading.jobs lacks"),
            ({"constants": {"batch_id": "7"}}, "the loader fills itself"),
            ({"expressions": {"owner": "nobody("}}, "no SQL over the file's headers"),
            ({"expressions": {"owner": '"nobody"'}}, "no SQL over the file's headers"),
        ],
    )
    def test_wrong_profiles(self, tmp_path: Path, keys: dict[str, object], told: str) -> None:
        path = csv(tmp_path / "a.csv", "job_id,status", "j1,new")
        with pytest.raises(WarehouseError, match=r"profile|missing") as caught:
            land(path, "jobs", **keys)
        assert told in str(caught.value)
        assert ask("select from ops.batches") == []
