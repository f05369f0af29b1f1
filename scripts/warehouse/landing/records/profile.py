"""What a file for a landing table looks like: which header is which column, zone, formats."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import ConfigDict, Field, field_validator

from warehouse.errors import WarehouseError
from warehouse.landing.profile import EPOCHS, Layout, canonical_calendar, parse_yaml

SHIPPED = Path(__file__).parent / "profiles"


class RecordProfile(Layout):
    """Only `table` and `source` have no default; docs/landing.md explains each key."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    table: str
    columns: dict[str, str] = Field(default={})
    constants: dict[str, str] = Field(default={})
    expressions: dict[str, str] = Field(default={})
    group: list[str] = Field(default=[])
    filter: dict[str, str | list[str]] = Field(default={})
    timezone: str | None = None
    time_formats: list[str] = Field(default=[])
    decimal: str = "."
    skip_empty_lines: bool = False
    calendar: str = "XNYS"
    currency: str | None = None
    asset_class: str = "equity"
    allow_negative_price: bool = False

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str | None) -> str | None:
        try:
            return value if value is None else ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone, such as America/New_York") from None

    @field_validator("time_formats")
    @classmethod
    def _formats(cls, value: list[str]) -> list[str]:
        for each in value:
            if each not in EPOCHS and "%" not in each:
                raise ValueError(
                    f"{each!r} is neither one of {', '.join(EPOCHS)} nor like %Y-%m-%d"
                )
        return value

    @field_validator("calendar")
    @classmethod
    def _calendar(cls, value: str) -> str:
        return canonical_calendar(value)

    def headers(self, found: list[str], fillable: list[str]) -> dict[str, str]:
        """Return the file's header of each of our columns that it has, by name without case."""
        by_name = {name.strip().lower(): name for name in reversed(found)}
        taken = {*self.constants, *self.expressions}
        mapped = {
            column: by_name[column.lower()]
            for column in fillable
            if column.lower() in by_name and column not in taken
        }
        return {**mapped, **self.columns}


def record_profile(content: object, *, where: str) -> RecordProfile:
    """Check the content of a profile of a landing table."""
    return parse_yaml(RecordProfile, content, where=where)


def shipped_record_profiles() -> list[str]:
    """Return the names of the profiles of landing tables that come with the warehouse."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def chosen_profile(table: str, path: str | None, options: dict[str, str | None]) -> RecordProfile:
    """Return the profile of a table from a file, the command line, or both; the latter goes first.

    `path` may be the name of a shipped profile. Raises WarehouseError naming the key that is wrong.
    """
    content: dict[str, object] = _read(_found(path)) if path else {}
    meant = str(content.get("table", table))
    if table not in (meant, meant.partition(".")[2]) and meant != table.partition(".")[2]:
        raise WarehouseError(
            f"The profile is for {meant}, not for {table}.",
            where=str(path),
            do=f"land into {meant}, or pass another profile",
        )
    said = {key: value for key, value in options.items() if value is not None}
    if "source" not in {**content, **said}:
        raise WarehouseError(
            "Neither --source nor a profile with `source:` is given.",
            do="name the source of the rows, as in --source broker",
        )
    return record_profile(content | said | {"table": table}, where=path or "the command line")


def _found(name_or_path: str) -> Path:
    path = SHIPPED / f"{name_or_path}.yml"
    return path if path.is_file() else Path(name_or_path)


def _read(path: Path) -> dict[str, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WarehouseError(
            "The profile does not exist.",
            where=str(path),
            do=f"check the path, or name a shipped one: {', '.join(shipped_record_profiles())}",
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WarehouseError(
            f"The profile cannot be read: {error}", where=str(path), do="correct the YAML"
        ) from None
    if not isinstance(content, dict):
        raise WarehouseError(
            "The profile is not a mapping of keys to values.",
            where=str(path),
            do="see docs/landing.md for an example",
        )
    return content
