"""The gate against real files whose defects are known row for row."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from warehouse import database as db
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import parse_profile
from warehouse.quality import gate


@dataclass(frozen=True)
class File:
    """One file, how it is described to the loader, and what its README counts."""

    name: str
    profile: dict[str, Any]
    rows: int
    counts: dict[str, int]


def _profile(**changes: Any) -> dict[str, Any]:
    columns = {name: name for name in ("symbol", "open", "high", "low", "close", "volume")}
    columns["timestamp"] = changes.pop("timestamp", "date")
    if changes.pop("quotes", False):
        del columns["volume"]
    base = {"timeframe": "1d", "calendar": "XNYS", "adjusted": "splits", "columns": columns}
    return {**base, **changes}


NEW_YORK = {"timestamp": "ts", "timezone": "America/New_York", "adjusted": "none"}
ROUND_THE_CLOCK = {
    "timestamp": "ts",
    "timezone": "UTC",
    "adjusted": "none",
    "calendar": "24/7",
    "timeframe": "1m",
}

FILES = [
    File(
        "daily_sp500",
        _profile(source="sp500"),
        619040,
        {
            "null_ohlc": 11,
            "high_lt_low": 1,
            "high_lt_max_open_close": 1,
            "low_gt_min_open_close": 11,
            "zero_volume": 4,
            "flat_bar": 1,
            "jump_gt_40pct": 11,
            "missing_session": 51,
        },
    ),
    File(
        "daily_yahoo88",
        _profile(source="yahoo88"),
        108592,
        {
            "null_ohlc": 3,
            "null_volume": 3,
            "zero_volume": 111,
            "flat_bar": 171,
            "flat_zero_volume": 111,
            "jump_gt_40pct": 1,
        },
    ),
    File(
        "daily_lean_unadjusted",
        _profile(source="lean", adjusted="none"),
        36375,
        {"flat_bar": 153, "jump_gt_40pct": 15, "missing_session": 2464},
    ),
    File(
        "intraday_1h_us",
        _profile(source="lean", timeframe="1h", **NEW_YORK),
        204105,
        {"flat_bar": 33, "jump_gt_40pct": 16, "outside_session": 188, "missing_bar": 18},
    ),
    File(
        "intraday_1m_us",
        _profile(source="lean", timeframe="1m", **NEW_YORK),
        15732,
        {"flat_bar": 2334, "jump_gt_40pct": 1, "outside_session": 5205, "missing_bar": 3},
    ),
    File(
        "intraday_1m_crypto_future",
        _profile(source="futures", label="end", filter={"symbol": "6EH4"}, **ROUND_THE_CLOCK),
        29996,
        # Saturdays are sessions of 24/7, but not of this future.
        {"missing_bar": 1503, "missing_session": 4, "flat_bar": 3400},
    ),
    File(
        "intraday_1m_crypto_future",
        _profile(source="crypto", filter={"symbol": "BTC-PERP"}, **ROUND_THE_CLOCK),
        45031,
        {"flat_bar": 5},
    ),
    *(
        File(
            "intraday_1m_fx_quotes",
            _profile(source=f"fx_{side}", filter={"side": side}, quotes=True, **ROUND_THE_CLOCK),
            30117,
            {"missing_bar": 120, "missing_session": 4, **flat},
        )
        for side, flat in (("bid", {}), ("ask", {"flat_bar": 197}))
    ),
]

KEYED = (
    "null_ohlc",
    "null_volume",
    "high_lt_low",
    "high_lt_max_open_close",
    "low_gt_min_open_close",
    "zero_volume",
    "jump_gt_40pct",
    "missing_session",
)
"""Defects that known_defects.csv.gz lists row for row."""

ROWS = """
    select
        f.rule,
        f.symbol,
        case when f.timeframe = '1d' then f.bar_ts else f.bar_ts at time zone 'America/New_York' end
    from ops.dq_findings as f
    where f.scope = 'batch' and f.rule = any(%(keyed)s) and f.rule <> 'missing_session'
    union all
    select 'missing_session', f.symbol, s.session_date
    from ops.dq_findings as f
    inner join ref.exchange_sessions as s
        on
            s.calendar = 'XNYS'
            and s.session_date >= f.bar_ts::date
            and s.session_date < f.until_ts::date
    where f.scope = 'batch' and f.rule = 'missing_session'
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.name}-{file.profile['source']}")
def test_counts_equal_the_readme(file: File, database: str, shared_data: Path) -> None:
    path = shared_data / f"{file.name}.parquet"
    [batch] = land_bars([path], profile=parse_profile(file.profile, where="test"))
    assert batch.landed == file.rows

    result = gate.check([batch.batch_id], docs=False)

    assert result.success
    found = {each.rule: each.found for each in result.results if each.found}
    assert found == file.counts
    if file.profile["calendar"] == "XNYS":
        assert _found() == _known(shared_data, f"{file.name}.parquet")


def _found() -> Counter[tuple[str, str, str]]:
    with db.connect() as conn:
        rows = conn.execute(ROWS, {"keyed": list(KEYED)}).fetchall()
    return Counter((rule, symbol, str(moment)[:10]) for rule, symbol, moment in rows)


def _known(shared_data: Path, file: str) -> Counter[tuple[str, str, str]]:
    with gzip.open(shared_data / "known_defects.csv.gz", "rt", encoding="utf-8") as lines:
        return Counter(
            (row["defect"], row["symbol"], row["ts"][:10])
            for row in csv.DictReader(lines)
            if row["file"] == file
        )


def test_gaps_of_the_future_are_ranges(database: str, shared_data: Path) -> None:
    [file] = [each for each in FILES if each.profile["source"] == "futures"]
    path = shared_data / f"{file.name}.parquet"
    [batch] = land_bars([path], profile=parse_profile(file.profile, where="test"))
    gate.check([batch.batch_id], docs=False)
    with db.connect() as conn:
        row = conn.execute(
            "select count(*), sum(count), bool_and(until_ts - bar_ts = count * interval '1 minute')"
            " from ops.dq_findings where rule = 'missing_bar'"
        ).fetchone()
    assert row == (371, 1503, True)
