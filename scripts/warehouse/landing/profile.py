"""Source profiles: what one vendor's files look like, in a small YAML file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from exchange_calendars import errors as calendar_errors
from exchange_calendars import resolve_alias
from exchange_calendars.calendar_utils import get_calendar_names
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from warehouse.errors import WarehouseError

Model = TypeVar("Model", bound=BaseModel)
SHIPPED = Path(__file__).parent / "profiles"
SECONDS = {"m": 60, "h": 3600, "d": 86400}
EPOCHS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
PRICES = ("open", "high", "low", "close")


def normal_timeframe(text: object) -> str:
    """Return a timeframe in its normal form: `60m` is `1h`."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})(m|min|h|d)", str(text).strip().lower())
    if not found:
        raise ValueError(f"{text!r} is not a timeframe; write 1m, 5m, 15m, 1h, 4h or 1d")
    count, unit = int(found[1]), found[2][0]
    if unit == "m" and count % 60 == 0:
        count, unit = count // 60, "h"
    return f"{count}{unit}"


class Columns(BaseModel):
    """Names of the columns, as the file's header spells them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: str | list[str] | None = None
    timestamp: str | list[str]
    open: str
    high: str
    low: str
    close: str
    volume: str | None = None

    @property
    def symbols(self) -> list[str]:
        """Columns the symbol is joined from, with dots."""
        return _as_list(self.symbol)

    @property
    def timestamps(self) -> list[str]:
        """Columns the time is joined from, with a space."""
        return _as_list(self.timestamp)

    @property
    def numbers(self) -> dict[str, str]:
        """Column in the file by our name, for prices and volume."""
        named = {name: getattr(self, name) for name in PRICES}
        return {**named, "volume": self.volume} if self.volume else named


class Layout(BaseModel):
    """How the text of a file is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    source: str = Field(min_length=1)
    names: list[str] | None = None
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    multiline: bool = False
    null_values: list[str] = ["", "null", "NULL", "None", "N/A", "NA"]

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"{value!r} is not an encoding, such as utf-8 or cp1252") from None


class Profile(Layout):
    """Everything a loader must know of a source; docs/landing.md explains each key."""

    timeframe: str
    timezone: str | None = None
    label: Literal["start", "end"] = "start"
    calendar: str
    adjusted: Literal["none", "splits", "splits_and_dividends"]
    columns: Columns
    symbol: str | None = Field(default=None, min_length=1)
    strip_suffix: str | None = Field(default=None, min_length=1)
    filter: dict[str, str | list[str]] = {}
    decimal: Literal[".", ","] = "."
    timestamp_format: str | None = None
    currency: str | None = None
    asset_class: str = "equity"
    allow_negative_price: bool = False

    @field_validator("timeframe", mode="before")
    @classmethod
    def _timeframe(cls, value: object) -> str:
        return normal_timeframe(value)

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone, such as America/New_York") from None

    @field_validator("calendar")
    @classmethod
    def _calendar(cls, value: str) -> str:
        return canonical_calendar(value)

    @field_validator("timestamp_format")
    @classmethod
    def _format(cls, value: str | None) -> str | None:
        if value is not None and value not in EPOCHS and "%" not in value:
            raise ValueError(f"{value!r} is neither one of {', '.join(EPOCHS)} nor like %Y-%m-%d")
        return value

    @model_validator(mode="after")
    def _symbol_somewhere(self) -> Profile:
        if bool(self.symbol) == bool(self.columns.symbols):
            raise ValueError("name the symbol once: either columns.symbol or a constant `symbol`")
        if self.decimal == self.delimiter:
            raise ValueError("decimal and delimiter are the same character")
        return self

    @property
    def seconds(self) -> int:
        """Length of a bar."""
        return int(self.timeframe[:-1]) * SECONDS[self.timeframe[-1]]

    @property
    def is_daily(self) -> bool:
        """True for bars of a day or longer, which are keyed by their session date."""
        return self.timeframe.endswith("d")

    def with_timeframe(self, timeframe: str | None) -> Profile:
        """Return the profile for another timeframe of the same vendor."""
        if timeframe is None:
            return self
        try:
            return self.model_copy(update={"timeframe": normal_timeframe(timeframe)})
        except ValueError as error:
            raise WarehouseError(f"The timeframe cannot be used: {error}.") from None


def _as_list(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def canonical_calendar(name: str) -> str:
    """Return the calendar's canonical name: `NYSE` is `XNYS`."""
    try:
        return str(resolve_alias(name))
    except calendar_errors.InvalidCalendarName:
        near = [known for known in get_calendar_names() if known.startswith(name[:2].upper())]
        hint = f"; near: {', '.join(sorted(near)[:8])}" if near else ""
        raise ValueError(
            f"{name!r} is not a calendar of exchange_calendars, nor 24/7{hint}"
        ) from None


def shipped() -> list[str]:
    """Return the names of the profiles that come with the warehouse."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load_profile(name_or_path: str | Path) -> Profile:
    """Load a shipped profile by its name, or your own by its path.

    Raises WarehouseError naming the key that is wrong.
    """
    text = str(name_or_path)
    path = SHIPPED / f"{text}.yml"
    if text not in shipped():
        path = Path(name_or_path)
        if path.suffix not in (".yml", ".yaml"):
            raise WarehouseError(
                f"The source {text!r} is not known.",
                where=f"shipped profiles: {', '.join(shipped())}",
                do="use one of them, or describe the source: --profile my_vendor.yml",
            )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WarehouseError(
            "The profile does not exist.", where=str(path), do="check the path"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WarehouseError(
            f"The profile cannot be read: {error}", where=str(path), do="correct the YAML"
        ) from None
    return parse_profile(content, where=str(path))


def parse_profile(content: object, *, where: str) -> Profile:
    """Check the content of a profile of bars."""
    return parse_yaml(Profile, content, where=where)


def parse_yaml(kind: type[Model], content: object, *, where: str) -> Model:
    """Check the content of a profile.

    Raises WarehouseError naming every key that is wrong.
    """
    if not isinstance(content, dict):
        raise WarehouseError(
            "The profile is not a mapping of keys to values.",
            where=where,
            do="see docs/landing.md for an example",
        )
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'profile'}: "
            + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors(include_url=False)
        ]
        raise WarehouseError(
            "The profile is not valid: " + "; ".join(faults) + ".",
            where=where,
            do="correct these keys; docs/landing.md explains each",
        ) from None
