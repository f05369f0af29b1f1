"""The catalogue of rules, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from warehouse.errors import WarehouseError

CATALOGUE = Path(__file__).with_name("rules.yml")

Tier = Literal["structural", "logical", "analytical"]
Severity = Literal["error", "warning"]
Scope = Literal["parse", "row", "series", "cross"]

WHOLE_BATCH = ("quarantine_rate",)
"""Rules about a whole batch, which no predicate over rows can say."""

PLAIN = """(
    low > 0 and low <= open and low <= close and high >= open and high >= close and high < 1e14
    and (volume is null or (volume >= 0 and volume < 1e14))
)"""
"""True for nearly every row: one look instead of the predicates of all `plain_is_good` rules."""

LOADER_CONTEXT = {
    "symbol": "text",
    "timeframe": "text",
    "seconds": "bigint",
    "bar_ts": "timestamptz",
    "session_date": "date",
    "local_ts": "timestamp",
    "open": "numeric",
    "high": "numeric",
    "low": "numeric",
    "close": "numeric",
    "volume": "numeric",
    "allow_negative_price": "boolean",
    "known_at": "timestamptz",
    "session_open_at": "timestamptz",
}
"""Columns that the predicates of `row_rules()` may use, and their types."""

GATE_CONTEXT = LOADER_CONTEXT | {
    "has_volume": "boolean",
    "is_session_day": "boolean",
    "overlaps_session": "boolean",
    "prev_ts": "timestamptz",
    "prev_close": "numeric",
    "split_ratio": "numeric",
    "missed_sessions": "bigint",
    "missed_sessions_from": "timestamptz",
    "missed_sessions_until": "timestamptz",
    "missed_bars": "bigint",
    "missed_bars_from": "timestamptz",
    "missed_bars_until": "timestamptz",
    "other_source": "text",
    "other_close": "numeric",
    "twin_symbol": "text",
    "twin_bars": "bigint",
    "twin_from": "timestamptz",
    "twin_until": "timestamptz",
}
"""Columns of the gate's table (sql/bars.sql) that any predicate may use."""


class Rule(BaseModel):
    """One rule of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{2,62}$")
    tier: Tier
    severity: Severity
    scope: Scope
    reason: str = Field(min_length=10)
    why: str = Field(min_length=10)
    example: str = Field(min_length=5)
    remedy: str = Field(min_length=5)
    predicate: str | None = None
    plain_is_good: bool = False
    count: str | None = None
    gap: tuple[str, str] | None = None
    shows: tuple[str, ...] = ("open", "high", "low", "close", "volume")

    @model_validator(mode="after")
    def _hangs_together(self) -> Rule:
        if self.scope == "parse" and self.predicate:
            raise ValueError("a rule of scope `parse` is the loader's and has no predicate")
        if self.scope != "parse" and not self.predicate and self.id not in WHOLE_BATCH:
            raise ValueError(f"a rule of scope `{self.scope}` needs a predicate")
        if re.search(r"[%{}]", self.predicate or ""):
            raise ValueError("a predicate may not contain %, { or }: drivers would fill them in")
        unknown = {*self.shows, *(self.gap or ()), self.count or "symbol"} - set(GATE_CONTEXT)
        if unknown:
            raise ValueError(f"no column of the context: {', '.join(sorted(unknown))}")
        if (self.count is None) != (self.gap is None):
            raise ValueError("`count` and `gap` belong together")
        if self.tier == "analytical" and self.severity == "error":
            raise ValueError("analytical rules only warn")
        return self


def read_rules(path: Path) -> list[Rule]:
    """Read a catalogue.

    Raises WarehouseError naming the rule and the key when it is not sound.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise _broken(path, f"it cannot be read: {error}") from None
    if not isinstance(raw, list) or not raw:
        raise _broken(path, "it is not a list of rules")
    try:
        rules = TypeAdapter(list[Rule]).validate_python(raw)
    except ValidationError as error:
        raise _broken(path, _first_problem(raw, error)) from None
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise _broken(path, f"rule {rule.id} is there twice")
        seen.add(rule.id)
    return rules


def _first_problem(raw: list[object], error: ValidationError) -> str:
    """Say which rule and key the first problem is about."""
    problem = error.errors(include_url=False)[0]
    position = problem["loc"][0]
    entry = raw[position] if isinstance(position, int) else None
    name = entry.get("id") if isinstance(entry, dict) else None
    key = ".".join(str(part) for part in problem["loc"][1:])
    rule = f"rule {name}" if name else f"entry {position}"
    return f"{rule}{f', {key}' if key else ''}: {problem['msg']}"


def _broken(path: Path, what: str) -> WarehouseError:
    return WarehouseError(
        f"The catalogue of quality rules is broken: {what}.",
        where=str(path),
        do="correct the file; docs/data_quality.md says what each key means",
    )


@cache
def _shipped() -> tuple[Rule, ...]:
    return tuple(read_rules(CATALOGUE))


def load_rules() -> list[Rule]:
    """Return the rules of the project, in the order of the catalogue."""
    return list(_shipped())


def row_rules() -> list[Rule]:
    """Return the rules by which the loader quarantines a row it could read."""
    return [rule for rule in load_rules() if rule.scope == "row" and rule.severity == "error"]


def broken_rules_sql(rules: Iterable[Rule] | None = None) -> str:
    """Return SQL that gives the ids of all rules a row breaks: text[], empty for a good row."""
    cases = [
        f"case when {rule.predicate} then '{rule.id}' end"
        for rule in (row_rules() if rules is None else rules)
    ]
    return "array_remove(array[" + ", ".join(cases) + "]::text[], null)"


def any_broken_sql(rules: Iterable[Rule] | None = None) -> str:
    """Return SQL that is true for a row that breaks any rule, else false: cheaper than the list."""
    chosen = list(row_rules() if rules is None else rules)
    plain = [f"({rule.predicate})" for rule in chosen if rule.plain_is_good]
    others = [f"({rule.predicate})" for rule in chosen if not rule.plain_is_good]
    parts = [f"({PLAIN} is not true and ({' or '.join(plain)}))"] if plain else []
    return "coalesce(" + " or ".join([*parts, *others]) + ", false)"


def verify(conn: psycopg.Connection, rules: Iterable[Rule]) -> None:
    """Have the server read every predicate.

    Raises WarehouseError naming the rule whose predicate is not SQL over its context.
    """
    for rule in rules:
        if rule.predicate is None:
            continue
        loader = rule.scope == "row" and rule.severity == "error"
        context = LOADER_CONTEXT if loader else GATE_CONTEXT
        columns = ", ".join(f"null::{kind} as {name}" for name, kind in context.items())
        query = f"select from (select {columns}) as context where {rule.predicate}"
        try:
            with conn.transaction():
                conn.execute(query)
        except psycopg.Error as error:
            fault = str(error).splitlines()[0]
            raise _broken(CATALOGUE, f"rule {rule.id}, predicate: {fault}") from None
