"""The gate: open, closed, what it writes, and what it leaves behind."""

from __future__ import annotations

import pandas as pd
import pytest

from quality_bars import clean, found, land, sessions
from warehouse import database as db
from warehouse.config import Home
from warehouse.errors import WarehouseError
from warehouse.quality import gate, suite

DAYS = sessions("2024-01-02", "2024-02-28")

INSERT = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id
    )
    select
        instrument_id, %(timeframe)s, %(bar_ts)s::timestamptz, 'acme', symbol,
        %(bar_ts)s::timestamptz::date, 100, 101, 99, 100.5, 10, 'none', %(batch)s
    from ref.instruments
"""


def _insert(timeframe: str, bar_ts: str, batch: int) -> None:
    with db.connect() as conn:
        conn.execute(INSERT, {"timeframe": timeframe, "bar_ts": bar_ts, "batch": batch})


def _value(query: str) -> object:
    with db.connect() as conn:
        row = conn.execute(query).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


def _gate_tables() -> object:
    return _value("select count(*) from pg_class where starts_with(relname, 'gate_bars_')")


def test_an_empty_warehouse_says_so(database: str) -> None:
    result = gate.check()
    assert result.success
    assert "no bars to check" in result.message


def test_a_database_without_a_landing_zone(empty_database: str) -> None:
    with pytest.raises(WarehouseError, match="no landing zone"):
        gate.check()


def test_an_unknown_batch_is_named(database: str) -> None:
    with pytest.raises(WarehouseError, match=r"no batch of bars 41, 42"):
        gate.check([42, 41])


def test_the_gate_opens_and_writes_what_it_saw(database: str, home: Home) -> None:
    frame = clean(DAYS)
    frame.loc[3, "open"] = None
    frame.loc[5, "volume"] = 0
    batch = land(frame)
    result = gate.check()

    assert result.success
    assert result.batches == [batch]
    assert {each.scope for each in result.results} == {"batch", "table"}
    assert {each.rule for each in result.warnings} == {"zero_volume", "missing_session"}
    with db.connect() as conn:
        rows = conn.execute(
            "select scope, rule, severity, evaluated, found, quarantined, success, sample"
            " from ops.dq_results where found > 0 and run_id = %s order by scope, rule",
            [result.run_id],
        ).fetchall()
        kept = conn.execute(
            "select scope, batch_id, symbol, bar_ts::date::text, detail from ops.dq_findings"
            " where rule = 'zero_volume' order by scope"
        ).fetchall()
    all_of_them = len(DAYS)
    # What is in quarantine arrived, so the batch misses no session; the table does.
    assert [row[:7] for row in rows] == [
        ("batch", "null_ohlc", "error", all_of_them, 1, 1, True),
        ("batch", "zero_volume", "warning", all_of_them, 1, 0, False),
        ("table", "missing_session", "warning", all_of_them - 1, 1, 0, False),
        ("table", "zero_volume", "warning", all_of_them - 1, 1, 0, False),
    ]
    assert rows[0][7][0]["symbol"] == "ABC"
    assert rows[0][7][0]["bar_ts"] == f"{DAYS[3]:%Y-%m-%d}"
    day = f"{DAYS[5]:%Y-%m-%d}"
    assert [row[:4] for row in kept] == [("batch", batch, "ABC", day), ("table", None, "ABC", day)]
    assert kept[0][4]["volume"] == 0

    assert result.data_docs == home.reports / "data_docs" / "index.html"
    assert result.data_docs.is_file()
    pages = "".join(
        page.read_text(encoding="utf-8")
        for page in sorted((home.reports / "data_docs").rglob("*.html"))
    )
    assert "zero_volume (analytical, warning)" in pages
    assert home.connection.password not in pages
    assert (home.logs / "great_expectations.log").is_file()
    assert _gate_tables() == 0


def test_findings_are_of_the_newest_run(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[5, "volume"] = 0
    batch = land(frame)
    first = gate.check(docs=False)
    second = gate.check(docs=False)
    assert (first.batches, second.batches) == ([batch], [])
    assert _value("select count(*) from ops.dq_findings where scope = 'batch'") == 1
    assert _value("select count(*) from ops.dq_findings where scope = 'table'") == 1
    assert _value("select count(distinct run_id) from ops.dq_results where scope = 'table'") == 2


@pytest.mark.parametrize(
    ("rule", "timeframe", "bar_ts"),
    [
        ("future_time", "1d", "2199-01-02 00:00+00"),
        ("off_grid_time", "1d", "2024-01-06 10:00+00"),
        ("off_grid_time", "30m", "2024-01-05 15:07+00"),
        ("future_time", "30m", "2199-01-02 15:00+00"),
    ],
)
def test_a_bad_row_in_the_landing_table_closes_the_gate(
    database: str, rule: str, timeframe: str, bar_ts: str
) -> None:
    batch = land(clean(DAYS))
    _insert(timeframe, bar_ts, batch)
    result = gate.check()
    assert not result.success
    assert {(each.scope, each.rule) for each in result.failures} == {
        ("batch", rule),
        ("table", rule),
    }
    [named] = result.failures[0].rows
    assert (named.symbol, named.timeframe) == ("ABC", timeframe)
    assert named.bar_ts.startswith(bar_ts[:10])
    assert float(named.detail["close"]) == 100.5
    assert "The gate is closed" in result.message
    assert f"ABC {timeframe} {bar_ts[:10]}" in result.message
    assert (
        _value("select count(*) from ops.dq_results where severity = 'error' and not success") == 2
    )
    assert _gate_tables() == 0


def test_a_batch_mostly_in_quarantine_closes_the_gate(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[: len(DAYS) // 2 + 1, "open"] = None
    good = land(clean(DAYS, "GOOD"))
    bad = land(frame)
    result = gate.check(docs=False)
    [failure] = result.failures
    assert (failure.rule, failure.batch_id) == ("quarantine_rate", bad)
    assert good in result.batches
    assert f"quarantine_rate (batch {bad})" in result.message


def test_a_batch_of_nothing_readable(database: str) -> None:
    frame = clean(DAYS).assign(symbol="")
    result = gate.check([land(frame)], docs=False)
    assert [each.rule for each in result.failures] == ["quarantine_rate"]
    assert {each.rule: each.found for each in result.results}["missing_symbol"] == len(DAYS)


def test_repaired_rows_leave_their_batch(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[3, "open"] = None
    batch = land(frame)
    assert found(batch) == {"null_ohlc": 1}
    with db.connect() as conn:
        conn.execute("update ops.quarantine set replayed_at = now(), replayed_batch_id = batch_id")
    assert found(batch) == {"missing_session": 1}


def test_the_table_is_the_latest_revision(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[5, "volume"] = 0
    land(frame)
    land(clean(DAYS).iloc[[5]])
    result = gate.check(docs=False)
    table = {each.rule: each for each in result.results if each.scope == "table"}
    assert table["zero_volume"].found == 0
    assert table["zero_volume"].evaluated == len(DAYS)


def test_many_batches_in_one_run(database: str) -> None:
    frame = clean(DAYS)
    frame.loc[4, "volume"] = 0
    batches = [land(frame.iloc[[position]]) for position in range(6)]
    result = gate.check(docs=False)
    flagged = [
        each.batch_id for each in result.results if each.rule == "zero_volume" and each.found
    ]
    assert result.batches == batches
    assert flagged == [batches[4], None]
    assert "missing_session" not in {each.rule for each in result.warnings}


def test_tables_of_a_run_that_died_are_dropped(database: str) -> None:
    batch = land(clean(DAYS))
    with db.connect(autocommit=True) as alive:
        alive.execute("create table ops.gate_bars_batch_alive ()")
        alive.execute("select pg_advisory_lock(hashtext('gate_bars_batch_alive'))")
        alive.execute("create table ops.gate_bars_batch_dead ()")
        gate.check([batch], docs=False)
        assert _gate_tables() == 1
        alive.execute("drop table ops.gate_bars_batch_alive")


def test_nothing_is_left_when_the_checkpoint_breaks_off(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = land(clean(DAYS))
    monkeypatch.setattr(suite, "COLUMNS", "no_such_column")
    with pytest.raises(WarehouseError, match="could not evaluate the rule null_ohlc"):
        gate.check([batch], docs=False)
    assert _gate_tables() == 0
    assert _value("select count(*) from ops.dq_results") == 0


def test_verdicts_must_agree(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = land(clean(DAYS))
    blind = suite.Verdicts({("batch", "null_ohlc"): False}, None)
    monkeypatch.setattr(suite, "run_checkpoint", lambda *_, **__: blind)
    with pytest.raises(WarehouseError, match="differ on null_ohlc"):
        gate.check([batch])


def test_the_terminal_stays_quiet(database: str, capfd: pytest.CaptureFixture[str]) -> None:
    gate.check([land(clean(DAYS))])
    assert capfd.readouterr() == ("", "")


def test_no_bar_is_expected_where_the_calendar_ends(database: str) -> None:
    days = [*DAYS, pd.Timestamp("2024-03-01")]
    batch = land(clean(days))
    with db.connect() as conn:
        conn.execute("delete from ref.exchange_sessions where session_date > '2024-02-28'")
    assert found(batch) == {}
