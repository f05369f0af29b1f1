"""The report: complete, offline, safe against hostile data, useful on an empty warehouse."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from warehouse import build, config, report
from warehouse import database as sessions
from warehouse.landing.bars import land_frame
from warehouse.landing.profile import load_profile
from warehouse.quality import gate
from warehouse.report import figures
from warehouse.report.facts import Coverage, Facts, Prices, collect, period_unit
from warehouse.report.page import as_script, render

SECTIONS = ("health", "quarantine", "coverage", "prices", "sessions", "builds", "batches")
HOSTILE = '<script>alert("x")</script>'
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Page(HTMLParser):
    """The elements of a page that matter here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.policy = ""
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if values.get("id"):
            self.ids.add(str(values["id"]))
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(values["content"])
        links = ("src", "href", "srcset", "data", "action", "poster", "background")
        self.loads += [str(values[name]) for name in links if values.get(name)]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def price_rows(symbol: str, days: int) -> pd.DataFrame:
    """Daily bars of some sessions."""
    dates = pd.bdate_range("2024-01-02", periods=days)
    close = [100 + (k * 7) % 11 for k in range(days)]
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": dates.strftime("%Y-%m-%d"),
            "open": close,
            "high": [c + 2 for c in close],
            "low": [c - 2 for c in close],
            "close": close,
            "volume": 1000,
        }
    )


def profile_file(folder: Path) -> Path:
    path = folder / "vendor.yml"
    path.write_text(
        "source: vendor\ntimeframe: 1d\ntimezone: America/New_York\nlabel: start\ncalendar: XNYS\n"
        "adjusted: none\ncolumns: {symbol: symbol, timestamp: date, open: open, high: high,"
        " low: low, close: close, volume: volume}\n"
    )
    return path


def hostile_facts() -> Facts:
    """Facts in which every text of a source is markup."""
    bar = dict.fromkeys(("open", "high", "low", "close", "volume", "sma_20", "sma_50"), 1.5)
    more = ("bb_upper", "bb_lower", "rsi_14", "macd", "macd_signal", "macd_hist")
    row = {**bar, **dict.fromkeys(more, None), "at": NOW, "label": "2026-03-02"}
    broken = {
        **{"rules": [HOSTILE], "reason": HOSTILE, "source": HOSTILE, "file": HOSTILE, "line": 2},
        **{"symbol": HOSTILE, "timeframe": "1d", "bar_ts": NOW, "payload": f'{{"a": "{HOSTILE}"}}'},
    }
    series = {
        **{"symbol": HOSTILE, "timeframe": "1d", "source": HOSTILE, "calendar": "XNYS", "bars": 1},
        **{"first_day": date(2026, 3, 2), "last_day": date(2026, 3, 2), "expected": 1},
        **{"half_days": 0, "missing_sessions": 0, "missing_bars": None},
    }
    return Facts(
        made_at=NOW,
        database=HOSTILE,
        server="18",
        headline={"bars": 1, "quarantined": 1},
        quarantine_rules=[
            {"rule": HOSTILE, "waiting": 1, "replayed": 0, "symbols": 1, "files": 1},
        ],
        quarantine_rows=[broken],
        coverage=[
            Coverage(
                *("1d", "day", date(2026, 3, 2), date(2026, 3, 2), [date(2026, 3, 2)]),
                *(["returns"], [HOSTILE], [4], [[3]]),
            )
        ],
        prices=[Prices(HOSTILE, "1d", "America/New_York", HOSTILE, 1, [row])],
        series=[series],
    )


def assert_offline(text: str, page: Page) -> None:
    assert [load for load in page.loads if not load.startswith("#")] == []
    assert "default-src 'none'" in page.policy
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert styles
    assert not re.search(r"url\(|@import", styles)
    assert not {"link", "iframe", "object", "embed", "img"} & set(page.tags)


def test_built_warehouse(database: str, home: config.Home, tmp_path: Path) -> None:
    profile = load_profile(str(profile_file(tmp_path)))
    land_frame(price_rows("GOOD", 60), profile=profile)
    bad = price_rows(HOSTILE, 3).assign(high=1.0)
    land_frame(pd.concat([bad, price_rows("OTHER", 6)]), profile=profile, name="mixed")
    gate.check(docs=False)
    built = build.BuildResult()
    build.run_dbt("build", ["--select", "+feature_engineered_data"], built)
    assert built.errors == {}
    path = report.write_report()
    assert path == home.reports / "warehouse.html"
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert_offline(text, page)
    assert set(SECTIONS) <= page.ids
    assert {"numbers", "charts"} <= page.ids
    for chart in ("families-0", "features-0", "prices-0", "models"):
        assert f'data-chart="{chart}"' in text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert "high_lt_low" in text
    assert path.stat().st_size < 8_000_000
    assert "not complete yet" not in text
    assert text.count("plotly.js v") == 1
    assert list(path.parent.glob("*.new")) == []
    with sessions.connect() as session:
        counted = collect(session).coverage
    build.run_dbt("build", ["--select", "+feature_coverage"], built)
    assert built.errors == {}
    with sessions.connect() as session:
        assert collect(session).coverage == counted, "kept by the mart, or counted now"


def test_empty_warehouse_says_what_to_run(database: str, tmp_path: Path) -> None:
    path = report.write_report(tmp_path / "deep" / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert_offline(text, page)
    assert set(SECTIONS) <= page.ids
    assert "warehouse land bars" in text
    assert len(text) < 50_000, "nothing to plot needs no plotting library"


def test_unmigrated_warehouse_says_what_to_run(empty_database: str, tmp_path: Path) -> None:
    text = report.write_report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert set(SECTIONS) <= Page(text).ids
    assert "<code>warehouse migrate</code>" in text


def test_bars_without_a_build_say_what_to_run(database: str, tmp_path: Path) -> None:
    land_frame(price_rows("GOOD", 3), profile=load_profile(str(profile_file(tmp_path))))
    text = report.write_report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<code>warehouse build</code>" in text
    assert "<code>warehouse check</code>" in text
    assert ">GOOD<" in text


def test_markup_in_data_stays_text() -> None:
    text = render(hostile_facts())
    page = Page(text)
    assert HOSTILE not in text
    assert "alert" not in "".join(re.findall(r"<script>(?!\(\()(.{0,40})", text))
    assert page.tags.count("script") == 3, "the library, the data and our own code"
    assert_offline(text, page)


@pytest.mark.parametrize("sign", ["</script>", "<!--", "&", "\u2028"])
def test_data_cannot_end_its_script(sign: str) -> None:
    text = as_script({"a": sign})
    assert sign not in text
    assert json.loads(text) == {"a": sign}


@pytest.mark.parametrize(
    ("last_day", "days", "unit"),
    [
        (date(2020, 2, 1), 22, "day"),
        (date(2023, 2, 1), 800, "month"),
        (date(2033, 1, 1), 3300, "quarter"),
        (date(2070, 1, 1), 12_600, "year"),
    ],
)
def test_heatmaps_stay_readable(last_day: date, days: int, unit: str) -> None:
    span = {"first_day": date(2020, 1, 2), "last_day": last_day, "days": days}
    assert period_unit(span) == unit


def test_full_coverage_is_not_claimed_by_rounding() -> None:
    assert figures.percent(99_999, 100_000) == 99.9
    assert figures.percent(100_000, 100_000) == 100.0
