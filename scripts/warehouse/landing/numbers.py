"""Prices and volumes as text that PostgreSQL's numeric reads, exactly as sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
NOT_FINITE = r"^(?i)[+-]?(nan|inf|infinity)$"
HUGE_EXPONENT = r"[eE]\+?0*[1-9][0-9]{3,}$"
TINY_EXPONENT = r"[eE]-0*[1-9][0-9]{3,}$"
DECIMALS = 10
LONGEST = 1000
"""Digits: a number text longer than this is no price."""

DIGITS = 15
"""Decimals of so many digits are told apart by a 64-bit float, and come out of it as they were."""
SCALES = (0, 4, 8, DECIMALS)


@dataclass
class Decimals:
    """Numbers as whole units of a power of ten, exactly as sent."""

    units: npt.NDArray[Any]
    scale: int
    missing: npt.NDArray[Any] | None


def exact_decimals(column: pa.Array, null_values: list[str], decimal: str = ".") -> Decimals | None:
    """Return the column as decimals, or None when some value is not plainly one.

    Plain are finite numbers of at most 15 digits, no more of them behind the point than the landing
    table keeps. Everything else is left to numeric_text(), which costs three times as much.
    """
    kind = column.type
    if pa.types.is_string(kind):
        column = _floats(column, null_values, decimal)
    elif pa.types.is_integer(kind):
        column = pc.cast(column, pa.float64(), safe=False)
    elif not pa.types.is_float64(kind):
        return None
    if column is None:
        return None
    missing = None
    if column.null_count:
        missing = column.is_null().to_numpy(zero_copy_only=False)
        column = pc.fill_null(column, 0.0)
    values = column.to_numpy(zero_copy_only=False)
    if not np.isfinite(values).all():
        return None
    for scale in SCALES:
        factor = 10.0**scale
        units = np.rint(values * factor)
        if np.abs(units).max(initial=0.0) >= 10.0**DIGITS:
            return None
        # Only the decimal itself, of all with so few digits, becomes this float again.
        if (units / factor == values).all():
            return Decimals(units.astype(np.int64), scale, missing)
    return None


def _floats(text: pa.Array, null_values: list[str], decimal: str) -> pa.Array | None:
    """Return short texts as floats; None where a text is too long or no number."""
    if decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    if any(re.match(NUMBER, value) for value in null_values):
        return None
    if (pc.max(pc.binary_length(text)).as_py() or 0) > DIGITS:
        return None
    try:
        return pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        missing = pc.is_in(text, value_set=pa.array(null_values, pa.string()))
    try:
        return pc.cast(pc.if_else(missing, pa.scalar(None, pa.string()), text), pa.float64())
    except pa.ArrowInvalid:
        return None


def numeric_text(
    column: pa.Array, null_values: list[str], decimal: str = "."
) -> tuple[pa.Array, pa.Array | None]:
    """Return the column as text, NULL where there is no value, and a mask of what is no number.

    Infinite, NaN and enormous values stay: the catalogue's rules judge them in the database.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string()), None
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string()), None
    text = column.cast(pa.string())
    if decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    if _plain(text, null_values):
        return text, None
    return _careful(text, null_values)


def _plain(text: pa.Array, null_values: list[str]) -> bool:
    """Say quickly whether every text is an ordinary finite number, which nearly all are."""
    if any(re.match(NUMBER, value) for value in null_values):
        return False
    try:
        parsed = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return False
    if not pc.all(pc.is_finite(parsed), min_count=0).as_py():
        return False
    if (pc.max(pc.binary_length(text)).as_py() or 0) > LONGEST:
        return False
    # A text that underflows to zero, such as 1e-200000, is beyond numeric's scale.
    zeros = text.filter(pc.equal(parsed, 0.0)).unique().to_pylist()
    return all(value is None or (len(value) < 300 and "e" not in value.lower()) for value in zeros)


def _careful(text: pa.Array, null_values: list[str]) -> tuple[pa.Array, pa.Array | None]:
    """Tell numbers, missing values and other text apart, one pattern at a time."""
    text = pc.utf8_trim_whitespace(text)
    missing = pc.is_in(text, value_set=pa.array(null_values, pa.string()))
    text = pc.if_else(missing, pa.scalar(None, pa.string()), text)
    number = pc.and_(
        pc.match_substring_regex(text, NUMBER), pc.less(pc.binary_length(text), LONGEST)
    )
    readable = pc.or_(number, pc.match_substring_regex(text, NOT_FINITE))
    bad = pc.fill_null(pc.invert(readable), False)
    text = pc.if_else(bad, pa.scalar(None, pa.string()), text)
    # Exponents beyond numeric's own range keep their meaning: far too large, or zero.
    text = pc.replace_substring_regex(text, HUGE_EXPONENT, "e999")
    text = pc.replace_substring_regex(text, "^(.*)" + TINY_EXPONENT, "0")
    return text, bad if pc.any(bad).as_py() else None


def is_exact(text: pa.Array) -> bool:
    """Say whether no number has more decimals than the landing table keeps."""
    point = pc.find_substring(text, ".")
    decimals = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.binary_length(text), point))
    if (pc.max(decimals).as_py() or 0) > DECIMALS + 1:
        return False
    marked = pc.or_(pc.match_substring(text, "e"), pc.match_substring(text, "E"))
    return not pc.any(marked, min_count=0).as_py()
