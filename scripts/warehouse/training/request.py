"""What was asked for, checked against the catalogue and the project before anything is read."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from warehouse import config
from warehouse.errors import WarehouseError
from warehouse.feature_families import FEATURES

TIMEFRAME = "1d"
"""Labels are of daily bars (int_forward_returns)."""
FORMATS = ("parquet", "csv")
LABEL = re.compile(r"fwd_ret_([1-9][0-9]*)")
WITHIN = re.compile(r"([0-9]+) ?(m|h|d)")
MOST_FOLDS = 50


@dataclass(frozen=True)
class Request:
    """A training set, described."""

    features: tuple[str, ...]
    label: str
    to: Path
    format: str = "parquet"
    symbols: tuple[str, ...] = ()
    as_of: datetime | None = None
    """None: when the marts that readers see were published."""
    since: date | None = None
    until: date | None = None
    unlabelled: bool = False
    known_within: str = ""
    """An interval of PostgreSQL; empty: rows stay whenever their features were known."""
    folds: int = 0
    embargo: int = 0
    split_at: datetime | None = None
    split_until: datetime | None = None
    force: bool = False

    @property
    def horizon(self) -> int:
        """Sessions that the label looks ahead."""
        return int(self.label.rpartition("_")[2])


def request(
    *,
    features: str,
    label: str,
    to: Path,
    format: str = "",
    symbols: str = "",
    timeframe: str = TIMEFRAME,
    as_of: str = "",
    since: str = "",
    until: str = "",
    unlabelled: bool = False,
    known_within: str = "",
    folds: int = 0,
    embargo: int = 0,
    split_at: str = "",
    split_until: str = "",
    force: bool = False,
) -> Request:
    """Return what was asked for; raises WarehouseError naming what is wrong and what there is."""
    if timeframe != TIMEFRAME:
        raise WarehouseError(
            f"There are no labels of bars of {timeframe}.",
            where="--timeframe",
            do=f"forward returns are of daily bars: leave it out, or give {TIMEFRAME}",
        )
    asked = Request(
        features=feature_names(features),
        label=_label(label),
        to=to,
        format=_format(format, to),
        symbols=tuple(dict.fromkeys(_words(symbols))),
        as_of=instant(as_of, "--as-of") if as_of else None,
        since=_day(since, "--since") if since else None,
        until=_day(until, "--until") if until else None,
        unlabelled=unlabelled,
        known_within=_within(known_within),
        folds=folds,
        embargo=embargo,
        split_at=instant(split_at, "--split-at") if split_at else None,
        split_until=instant(split_until, "--split-until", last=True) if split_until else None,
        force=force,
    )
    _check(asked)
    return asked


def _check(asked: Request) -> None:
    """Refuse what contradicts itself or would overwrite a file."""
    wrong = ""
    if asked.since and asked.until and asked.since > asked.until:
        wrong = f"--since {asked.since} is after --until {asked.until}."
    elif asked.folds and asked.split_at:
        wrong = "--folds and --split-at are two ways to split."
    elif asked.folds and not 2 <= asked.folds <= MOST_FOLDS:
        wrong = f"--folds {asked.folds} is not between 2 and {MOST_FOLDS}."
    elif asked.embargo < 0 or (asked.embargo and not asked.folds and not asked.split_at):
        wrong = f"--embargo {asked.embargo} needs --folds or --split-at, and is a count from 0."
    elif asked.split_until and (not asked.split_at or asked.split_until <= asked.split_at):
        wrong = "--split-until needs a --split-at before it."
    if wrong:
        raise WarehouseError(wrong, do="see `warehouse export training-set --help`")
    if asked.to.is_dir():
        raise WarehouseError(f"{asked.to} is a folder.", where="-o", do="name a file in it")
    if asked.to.exists() and not asked.force:
        raise WarehouseError(
            f"{asked.to} exists.", where="-o", do="name another file, or overwrite it with --force"
        )
    if not asked.to.parent.is_dir():
        raise WarehouseError(
            f"There is no folder {asked.to.parent}.", where="-o", do="make it, or name another one"
        )


def feature_names(asked: str) -> tuple[str, ...]:
    """Return features by name, family or `all`, each once, in the order asked for."""
    families: dict[str, list[str]] = {}
    with FEATURES.seed.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            families.setdefault(row["family"], []).append(row["name"])
    names = [name for family in families.values() for name in family]
    found: dict[str, None] = {}
    for word in _words(asked):
        # A feature wins over a family of its name (returns): `family:returns` is all of it.
        family = word.removeprefix("family:")
        if word in names:
            chosen = [word]
        elif word == "all":
            chosen = names
        elif family in families:
            chosen = families[family]
        else:
            raise _unknown("feature", word, [*names, *families], "--features", "docs/features.md")
        found |= dict.fromkeys(chosen)
    if not found:
        raise WarehouseError("No feature was named.", where="--features", do="name some, or `all`")
    return tuple(found)


def _unknown(
    kind: str, word: str, known: Sequence[str], option: str, listed: str
) -> WarehouseError:
    """Return an error with the nearest names."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    do = f"did you mean {', '.join(near)}? " if near else ""
    return WarehouseError(f"There is no {kind} {word!r}.", where=option, do=f"{do}see {listed}")


def unknown_symbol(word: str, known: Sequence[str]) -> WarehouseError:
    """Return an error with the nearest tickers."""
    return _unknown("symbol", word, known, "--symbols", "ref.symbol_history")


def _label(asked: str) -> str:
    """Return the name of a label that is built."""
    built = [f"fwd_ret_{horizon}" for horizon in project_vars()["label_horizons"]]
    if asked in built:
        return asked
    if LABEL.fullmatch(asked):
        raise WarehouseError(
            f"Label {asked} is not built.",
            where="--label",
            do=f"there are {', '.join(built)}; var label_horizons of dbt_project.yml adds one",
        )
    raise _unknown("label", asked, built, "--label", f"docs/training_sets.md: {', '.join(built)}")


@lru_cache
def project_vars() -> dict[str, Any]:
    """Return the vars of dbt_project.yml: what is built."""
    project = yaml.safe_load((config.PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"])


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _format(asked: str, to: Path) -> str:
    found = asked or ("csv" if to.suffix == ".csv" else "parquet")
    if found not in FORMATS:
        raise _unknown("format", found, FORMATS, "--format", "`--help`: parquet, csv")
    return found


def _within(text: str) -> str:
    """Return an interval such as 1d as PostgreSQL has it."""
    found = WITHIN.fullmatch(text)
    if text and not found:
        raise WarehouseError(
            f"{text!r} is no length of time.", where="--known-within", do="give 30m, 6h or 1d"
        )
    units = {"m": "minutes", "h": "hours", "d": "days"}
    return f"{found[1]} {units[found[2]]}" if found else ""


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WarehouseError(
            f"{text!r} is no date.", where=option, do="give a session such as 2024-06-28"
        ) from None


def instant(text: str, option: str, *, last: bool = False) -> datetime:
    """Return an instant; a date is its midnight in UTC, with `last` the one that ends it."""
    try:
        if len(text) == len("2024-06-30"):
            start = datetime.combine(date.fromisoformat(text), time(), UTC)
            return start + timedelta(days=1) if last else start
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WarehouseError(
            f"{text!r} is no time.", where=option, do="give one such as 2024-06-30T20:00:00Z"
        ) from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
