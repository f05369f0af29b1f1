"""Rows of the small reference tables: which columns they have and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

import pyarrow as pa
from pydantic import ConfigDict, field_validator
from pydantic import Field as PydanticField

from warehouse.errors import WarehouseError
from warehouse.landing.bars.judge import reasons
from warehouse.landing.profile import Layout, canonical_calendar
from warehouse.landing.quarantine import RAW
from warehouse.landing.readers import Source

LIMIT = Decimal(10) ** 14
OTHER_REASONS = {
    "bad_value": "A value is missing, or not one of those allowed.",
    "history_conflict": (
        "Bars of these sessions are landed for another instrument already. If the ticker changed"
        " hands, say so: `warehouse rename OLD NEW --on DATE`."
    ),
    "unknown_bar": "No bar with this key has landed from this source.",
    "unknown_action": "No such action has landed from this source.",
}
"""Rules of reference data only; the catalogue is about bars."""

Value = object


class _Unreadable(Exception):
    def __init__(self, rule: str) -> None:
        self.rule = rule


def _text(value: str) -> str:
    return value


def _date(value: str) -> date | str:
    if value in ("infinity", "-infinity"):
        return value
    compact = re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", value)
    try:
        return date.fromisoformat(compact)
    except ValueError:
        raise _Unreadable("bad_time") from None


def _number(value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _Unreadable("not_a_number") from None
    if not number.is_finite():
        raise _Unreadable("non_finite")
    if abs(number) >= LIMIT:
        raise _Unreadable("out_of_range")
    return round(number, 10)


def _ratio(value: str) -> Decimal:
    """Read a split ratio, new shares per old share: `2`, `2:1` or `3/2`."""
    new, _, old = re.sub(r"\s*[:/]\s*", ":", value).partition(":")
    divisor = _number(old) if old else Decimal(1)
    if divisor <= 0 or _number(new) <= 0:
        raise _Unreadable("bad_value")
    return round(_number(new) / divisor, 10)


def _amount(value: str) -> Decimal:
    number = _number(value)
    if number < 0:
        raise _Unreadable("bad_value")
    return number


def _yes(value: str) -> bool:
    truth = {"true": True, "t": True, "yes": True, "y": True, "1": True,
             "false": False, "f": False, "no": False, "n": False, "0": False}  # fmt: skip
    try:
        return truth[value.lower()]
    except KeyError:
        raise _Unreadable("bad_value") from None


def _action(value: str) -> str:
    known = {"split": "split", "cash_dividend": "cash_dividend", "dividend": "cash_dividend"}
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise _Unreadable("bad_value") from None


def _calendar(value: str) -> str:
    try:
        return canonical_calendar(value)
    except ValueError:
        raise _Unreadable("bad_value") from None


@dataclass(frozen=True)
class Field:
    """One column of ours: the headers it may have in a file, and how it is read."""

    headers: tuple[str, ...]
    read: Callable[[str], Value] = _text
    required: bool = False


TABLES: dict[str, dict[str, Field]] = {
    "instruments": {
        "symbol": Field(("symbol", "ticker"), required=True),
        "calendar": Field(("calendar",), _calendar),
        "currency": Field(("currency",)),
        "asset_class": Field(("asset_class",)),
        "allow_negative_price": Field(("allow_negative_price",), _yes),
    },
    "symbol_history": {
        "symbol": Field(("symbol", "ticker"), required=True),
        "calendar": Field(("calendar",), _calendar),
        "valid_from": Field(("valid_from",), _date),
        "valid_to": Field(("valid_to",), _date),
        "instrument": Field(("instrument",)),
    },
    "corporate_actions": {
        "symbol": Field(("symbol", "ticker"), required=True),
        "calendar": Field(("calendar",), _calendar),
        "ex_date": Field(("ex_date", "date"), _date, required=True),
        "action_type": Field(("type", "action_type"), _action, required=True),
        "split_ratio": Field(("ratio", "split_ratio"), _ratio),
        "cash_amount": Field(("amount", "cash_amount"), _amount),
        "currency": Field(("currency",)),
    },
    "stock_info": {
        "symbol": Field(("symbol", "ticker"), required=True),
        "company_name": Field(("company_name", "name")),
        "sector": Field(("sector", "gics_sector", "sector_yahoo")),
        "industry": Field(("industry", "industry_yahoo")),
        "market_cap": Field(("market_cap",), _amount),
        "country": Field(("country",)),
        "currency": Field(("currency",)),
        "exchange": Field(("exchange",)),
    },
}


class TableProfile(Layout):
    """What a file of reference data looks like; only `source` and `table` have no default."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    table: str
    columns: dict[str, str] = PydanticField(default={})
    calendar: str = "XNYS"

    @field_validator("calendar")
    @classmethod
    def _canonical(cls, value: str) -> str:
        return canonical_calendar(value)

    @field_validator("table")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in TABLES:
            raise ValueError(f"{value!r} is not one of {', '.join(TABLES)}")
        return value


@dataclass
class Row:
    """One row of a file: its values, or the rules it breaks."""

    line: int
    payload: dict[str, object]
    values: dict[str, Value]
    rules: list[str] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The row's ticker."""
        return str(self.values.get("symbol") or "")


def all_reasons() -> dict[str, str]:
    """Return the reason of each rule that can reject a row of reference data."""
    return {**reasons(), **OTHER_REASONS}


def headers(source: Source, profile: TableProfile) -> dict[str, str]:
    """Return the file's header of each of our columns.

    Raises WarehouseError naming the columns that are missing.
    """
    fields = TABLES[profile.table]
    strange = [name for name in profile.columns if name not in fields]
    if strange:
        raise WarehouseError(
            f"The profile maps {', '.join(strange)}, which {profile.table} does not have.",
            where=source.name,
            do=f"use some of: {', '.join(fields)}",
        )
    found: dict[str, str] = {}
    missing: list[str] = []
    for name, each in fields.items():
        asked = (profile.columns[name],) if name in profile.columns else each.headers
        header = next((header for header in asked if header in source.columns), None)
        if header is not None:
            found[name] = header
        elif each.required or name in profile.columns:
            missing.append(asked[0])
    if missing:
        raise WarehouseError(
            f"The column {', '.join(map(repr, missing))} is missing; "
            f"the file has {', '.join(map(repr, source.columns))}.",
            where=source.name,
            do="map the columns in a profile of the table, or land another file",
        )
    return found


def read_rows(source: Source, profile: TableProfile) -> Iterator[Row]:
    """Read every row of a source."""
    header_of = headers(source, profile)
    for chunk in source.chunks():
        for line, text in chunk.malformed:
            yield Row(line, {RAW: text}, {}, ["malformed_row"])
        texts = {name: chunk.table[name].cast(pa.string()).to_pylist() for name in source.columns}
        for index, line in enumerate(chunk.lines.tolist()):
            payload: dict[str, object] = {name: column[index] for name, column in texts.items()}
            yield _row(line, payload, header_of, profile)


def _row(
    line: int, payload: dict[str, object], header_of: dict[str, str], profile: TableProfile
) -> Row:
    row = Row(line, payload, {})
    if all(payload[header] == header for header in header_of.values()):
        row.rules.append("repeated_header")
        return row
    for name, spec in TABLES[profile.table].items():
        text = str(payload.get(header_of.get(name, "")) or "").strip().replace("\0", "\ufffd")
        if text in profile.null_values:
            row.values[name] = None
            if spec.required:
                row.rules.append("missing_symbol" if name == "symbol" else "bad_value")
            continue
        try:
            row.values[name] = spec.read(text)
        except _Unreadable as unreadable:
            row.rules.append(unreadable.rule)
    if "calendar" in TABLES[profile.table] and row.values.get("calendar") is None:
        row.values["calendar"] = profile.calendar
    row.rules = list(dict.fromkeys(row.rules))
    return row
