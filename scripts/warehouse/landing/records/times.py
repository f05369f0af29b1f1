"""Times and dates in the text of a file as PostgreSQL reads them without a doubt."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import WarehouseError
from warehouse.landing.profile import EPOCHS
from warehouse.landing.records.profile import RecordProfile
from warehouse.landing.times import DATE, OFFSET, distinct, epoch_micros, localized, parse_iso

CLOCK = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
PLAIN = rf"^{CLOCK}$"
AWARE = rf"^{CLOCK}([Zz]|[+-]\d{{2}}(:?\d{{2}})?)$"
PLAIN_DATE = r"^\d{4}-\d{2}-\d{2}$"
HAS_OFFSET = r".*\d[ T]?\d{1,2}:\d{2}\S*?\s?" + OFFSET

Rules = dict[str, pa.Array]
"""Mask of the rows that break each rule."""


def read_times(
    values: pa.Array, base: str, profile: RecordProfile, where: str
) -> tuple[pa.Array, Rules]:
    """Return the values of a column of type `base` as ISO text, and the rules that some break.

    Raises WarehouseError when times have no zone and the profile names none.
    """
    if base == "date":
        if not profile.time_formats and _all(values, PLAIN_DATE):
            return values, {}
    elif not profile.time_formats:
        if _all(values, AWARE):
            return values, {}
        if profile.timezone == "UTC" and _all(values, PLAIN):
            return pc.binary_join_element_wise(values, pa.scalar("Z"), ""), {}
    dictionary, index = distinct(values)
    text = pd.Series(dictionary.to_pandas(), dtype="str").str.strip()
    missing = text.isna()
    stamps, rules = _dates(text, profile) if base == "date" else _instants(text, profile, where)
    rules = rules.mask(stamps.isna() & ~missing & (rules == ""), "bad_time")
    layout = "%Y-%m-%d" if base == "date" else "%Y-%m-%dT%H:%M:%S.%fZ"
    shown = pd.Series(stamps.dt.strftime(layout), dtype="object").where(stamps.notna(), None)
    told = pa.array(rules.to_numpy(dtype=object), pa.string()).take(index)
    found = sorted({rule for rule in rules.unique() if rule})
    masks = {rule: pc.fill_null(pc.equal(told, rule), False) for rule in found}
    return pa.array(shown.to_numpy(dtype=object), pa.string()).take(index), masks


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern), min_count=0).as_py())


def _instants(
    text: pd.Series[str], profile: RecordProfile, where: str
) -> tuple[pd.Series[pd.Timestamp], pd.Series[str]]:
    """Read instants as naive UTC."""
    utc = _empty(text)
    local = _empty(text)
    if profile.time_formats:
        for layout in profile.time_formats:
            left = utc.isna() & local.isna() & text.notna()
            if layout in EPOCHS:
                utc = utc.fillna(epoch_micros(text[left], layout))
            elif "%z" in layout:
                aware = pd.to_datetime(
                    _spaced(text[left]), format=_one(layout), errors="coerce", utc=True
                )
                utc = utc.fillna(aware.dt.tz_localize(None).astype("datetime64[us]"))
            else:
                local = local.fillna(_formatted(text[left], layout))
    else:
        has_offset = text.str.fullmatch(HAS_OFFSET).fillna(False).astype(bool)
        aware = pd.to_datetime(text[has_offset], format="ISO8601", errors="coerce", utc=True)
        utc = utc.fillna(aware.dt.tz_localize(None).astype("datetime64[us]"))
        local = local.fillna(parse_iso(text[~has_offset & text.notna()]))
    rules = pd.Series("", index=text.index, dtype="str")
    if local.notna().any():
        if profile.timezone is None:
            raise WarehouseError(
                f"The time {text[local.notna()].iloc[0]!r} has no zone and no profile names one."
                " Nothing landed.",
                where=where,
                do="write `timezone:` in a profile of the table, such as America/New_York or UTC,"
                " or pass --timezone",
            )
        instants, unclear = localized(local[local.notna()], profile.timezone)
        utc = utc.fillna(instants)
        if unclear is not None:
            rules.update(unclear[unclear != ""])
    return utc, rules


def _dates(
    text: pd.Series[str], profile: RecordProfile
) -> tuple[pd.Series[pd.Timestamp], pd.Series[str]]:
    """Read dates; a time beside them must be midnight."""
    stamps = _empty(text)
    for layout in profile.time_formats:
        if layout not in EPOCHS and "%z" not in layout:
            stamps = stamps.fillna(_formatted(text[stamps.isna() & text.notna()], layout))
    plain = text.str.fullmatch(rf"(?:{DATE})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+]00:?00)?)?")
    plain = plain.fillna(False).astype(bool) & stamps.isna()
    bare = text[plain].str.replace(r"[T ]00:00.*$", "", regex=True)
    stamps = stamps.fillna(parse_iso(bare))
    midnight = stamps.isna() | (stamps == stamps.dt.normalize())
    return stamps.where(midnight), pd.Series("", index=text.index, dtype="str")


def _empty(text: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    return pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")


def _formatted(text: pd.Series[str], layout: str) -> pd.Series[pd.Timestamp]:
    found = pd.to_datetime(_spaced(text), format=_one(layout), errors="coerce")
    return found.astype("datetime64[us]")


def _spaced(text: pd.Series[str]) -> pd.Series[str]:
    """Make any run of spaces one: vendors pad their times."""
    return text.str.replace(r"\s+", " ", regex=True).str.strip()


def _one(layout: str) -> str:
    return " ".join(layout.split())
