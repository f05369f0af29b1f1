"""The binary way into the scratch table: the same values as by text, or not taken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landing_files import BARS, ask, counts, land, rejected, vendor, write
from test_landing_bars import clear
from warehouse.landing.bars import land_frame, rows, scratch
from warehouse.landing.calendars import calendar
from warehouse.landing.numbers import Decimals, exact_decimals
from warehouse.landing.profile import Profile
from warehouse.landing.readers import FrameSource, Source, open_source

NULLS = ["", "null", "NA"]
DAYS = [day.date().isoformat() for day in pd.bdate_range("2023-01-03", periods=60)]


def values(found: Decimals) -> list[Decimal | None]:
    """Return what was read as Python's decimals."""
    missing = np.zeros(len(found.units), bool) if found.missing is None else found.missing
    units = [Decimal(int(each)).scaleb(-found.scale) for each in found.units]
    return [None if absent else unit for unit, absent in zip(units, missing.tolist(), strict=True)]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.decimals(min_value=-(10**12), max_value=10**12, places=2),
            st.decimals(min_value=-1000, max_value=1000, places=10),
            st.decimals(min_value=0, max_value=10**14, places=0),
            st.sampled_from([Decimal("0.1"), Decimal("1e5"), Decimal("-0.0000000001")]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_taken_is_what_was_sent(numbers: list[Decimal]) -> None:
    texts = [str(number) for number in numbers]
    found = exact_decimals(pa.array(texts), NULLS)
    short = all(len(text) <= 15 for text in texts)
    if found is None:
        units = max(abs(number) for number in numbers) * 10**10
        assert not short or units >= 10**15
    else:
        assert values(found) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "inf", "-Infinity", "soon", "1,5", "1e400", "1e-20", "0.00000000001",
        "1000000000000000", "123456.7890123456789", "185.63999938964844",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_text(text: str) -> None:
    assert exact_decimals(pa.array(["1.5", text]), NULLS) is None


def test_missing_values_and_a_decimal_comma() -> None:
    found = exact_decimals(pa.array(["1,5", "", "NA", None, "-2"]), NULLS, ",")
    assert found is not None
    assert values(found) == [Decimal("1.5"), None, None, None, Decimal(-2)]
    assert exact_decimals(pa.array(["1", "0"]), ["0"]) is None


def test_floats_and_integers_as_they_are() -> None:
    floats = exact_decimals(pa.array([0.1, None, -1e-10, 99999.5]), NULLS)
    assert floats is not None
    assert values(floats) == [Decimal("0.1"), None, Decimal("-1e-10"), Decimal("99999.5")]
    whole = exact_decimals(pa.array([10**14, -7]), NULLS)
    assert whole is not None
    assert values(whole) == [Decimal(10**14), Decimal(-7)]
    for column in (
        pa.array([1.1], pa.float32()),
        pa.array([0.1 + 0.2]),
        pa.array([float("nan")]),
        pa.array([10**15]),
        pa.array([2**60]),
    ):
        assert exact_decimals(column, NULLS) is None


def many(seed: int, *, volume: bool = True) -> list[str]:
    """Return rows of symbols of several lengths and alphabets, prices of all sizes and NULLs."""
    rng = random.Random(seed)  # noqa: S311
    lines = []
    for symbol in ("A", "BRK.B", "SOCIÉTÉ", "株式", "x\\ty", "LONG-SYMBOL-OF-A-FUTURE"):
        for day in DAYS:
            size = Decimal(10) ** rng.randint(-3, 4)
            low, steps = size * rng.randint(1, 99), sorted(rng.randint(0, 9) for _ in range(3))
            open_, close, high = (
                low + Decimal(step).scaleb(-rng.choice((0, 2, 4, 6))) for step in steps
            )
            prices = (open_, max(open_, close, high), min(low, open_, close), close)
            traded = rng.choice(["", "0", "17", "250000", "12345678.5"]) if volume else ""
            lines.append(f"{symbol},{day},{','.join(f'{p:f}' for p in prices)},{traded}")
    return lines


def statements(source: Source, profile: Profile) -> set[str]:
    """Return the COPY statements that a source is sent with."""
    reader = rows.RowReader(source, profile, calendar(profile.calendar))
    return {statement for statement, _ in reader.copies()}


@pytest.fixture
def only_text(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let nothing be plain, until undone."""

    def none(*_: Any) -> None:
        return None

    monkeypatch.setattr(rows, "exact_decimals", none)
    return monkeypatch


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("volume", [True, False])
def test_binary_lands_what_text_lands(
    tmp_path: Path, seed: int, volume: bool, only_text: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.csv", many(seed, volume=volume))
    assert statements(open_source(path, vendor()), vendor()) == {scratch.COPY}
    assert land(path).accepted == 6 * len(DAYS)
    by_text, quarantine = ask(BARS), counts()[2]
    only_text.undo()
    assert quarantine == 0
    clear()
    assert scratch.COPY_BINARY in statements(open_source(path, vendor()), vendor())
    land(path)
    assert ask(BARS) == by_text
    assert land(path).known == len(by_text)


@pytest.mark.usefixtures("database")
def test_a_frame_of_floats_goes_as_binary() -> None:
    frame = pd.DataFrame(
        {
            "symbol": ["A", "B"], "date": ["2024-01-02"] * 2, "open": [1.1, 2.0],
            "high": [1.25, 2.0], "low": [0.0001, 2.0], "close": [1.2, 2.0], "volume": [None, 5.0],
        }
    )  # fmt: skip
    assert statements(FrameSource(frame, "frame"), vendor()) == {scratch.COPY_BINARY}
    assert land_frame(frame, profile=vendor()).accepted == 2
    found = ask("select symbol, open, low, close, volume from raw_market.bars order by 1")
    assert found == [
        ("A", Decimal("1.1"), Decimal("0.0001"), Decimal("1.2"), None),
        ("B", 2, 2, 2, 5),
    ]


@pytest.mark.usefixtures("database")
def test_a_block_with_a_bad_row_goes_as_text(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("warehouse.landing.delimited.DelimitedSource._blocks.__defaults__", (400,))
    lines = many(1)
    lines[50] = f"A,{DAYS[50]},1,2,x,1,5"
    lines[51] += ",too,many"
    path = write(tmp_path / "a.csv", lines)
    assert statements(open_source(path, vendor()), vendor()) == {scratch.COPY, scratch.COPY_BINARY}
    result = land(path)
    assert (result.landed, result.accepted) == (len(lines), len(lines) - 2)
    assert rejected() == [(52, ["not_a_number"]), (53, ["malformed_row"])]
