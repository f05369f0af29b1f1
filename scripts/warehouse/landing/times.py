"""Times of vendors as the start of the bar in UTC, and the session it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import WarehouseError
from warehouse.landing.calendars import Calendar
from warehouse.landing.profile import EPOCHS, Profile

DATE = r"\d{4}-\d{2}-\d{2}|\d{8}"
OFFSET = r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)"
MICROSECOND = pd.Timedelta(1, "us")
BEYOND = 9 * 10**18
UNITS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}


@dataclass
class Times:
    """What the distinct time values of a batch mean."""

    starts: pd.Series[pd.Timestamp]
    """Start of the bar, naive UTC; NaT where it could not be read."""
    sessions: pd.Series[pd.Timestamp]
    """Session date at midnight."""
    rules: pd.Series[str]
    """Broken rule, or an empty text."""


class TimeReader:
    """Reads the times of one source."""

    def __init__(self, profile: Profile, calendar: Calendar, where: str) -> None:
        """Keep what the profile says about times."""
        self.profile = profile
        self.calendar = calendar
        self.where = where
        self.step = pd.Timedelta(profile.seconds, "s") if profile.label == "end" else None

    def read(self, values: pa.Array) -> Times:
        """Read distinct values: text, numbers, dates or timestamps.

        Raises WarehouseError when they have no zone and the profile names none.
        """
        kind = values.type
        if pa.types.is_dictionary(kind):
            values = values.dictionary_decode()
            kind = values.type
        if pa.types.is_timestamp(kind):
            stamps = pd.Series(values.cast(pa.timestamp("us", kind.tz), safe=False).to_pandas())
            return self._aware(stamps) if kind.tz else self._naive(stamps)
        if pa.types.is_date(kind):
            dates = values.cast(pa.date32()).cast(pa.timestamp("us")).to_pandas()
            return self._dates(pd.Series(dates))
        if self.profile.timestamp_format in EPOCHS:
            return self._epochs(values)
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise WarehouseError(
                f"The time column has the type {kind}, which may mean several things.",
                where=self.where,
                do=f"write `timestamp_format:` in the source profile: {', '.join(EPOCHS)}",
            )
        return self._texts(values)

    def _epochs(self, values: pa.Array) -> Times:
        text = values.cast(pa.string()).to_pandas().astype("str").str.strip()
        stamps = epoch_micros(text, str(self.profile.timestamp_format))
        return self._aware(stamps.dt.tz_localize("UTC"))

    def _texts(self, values: pa.Array) -> Times:
        text = pd.Series(values.to_pandas(), dtype="str").str.strip()
        if self.profile.timestamp_format:
            return self._formatted(text)
        only_date = text.str.fullmatch(DATE).fillna(False).astype(bool)
        has_offset = text.str.fullmatch(r".*\d[ T]?\d{1,2}:\d{2}\S*?\s?" + OFFSET)
        has_offset = has_offset.fillna(False).astype(bool)
        parts: list[Times] = []
        if only_date.any():
            parts.append(self._dates(parse_iso(text[only_date])))
        if has_offset.any():
            aware = pd.to_datetime(text[has_offset], format="ISO8601", errors="coerce", utc=True)
            parts.append(self._aware(aware.astype("datetime64[us, UTC]")))
        others = ~only_date & ~has_offset
        if others.any():
            parts.append(self._naive(parse_iso(text[others]), text[others]))
        return Times(
            pd.concat([part.starts for part in parts]).sort_index(),
            pd.concat([part.sessions for part in parts]).sort_index(),
            pd.concat([part.rules for part in parts]).sort_index(),
        )

    def _formatted(self, text: pd.Series[str]) -> Times:
        layout = str(self.profile.timestamp_format)
        if "%z" in layout:
            aware = pd.to_datetime(text, format=layout, errors="coerce", utc=True)
            return self._aware(aware.astype("datetime64[us, UTC]"))
        stamps = pd.to_datetime(text, format=layout, errors="coerce").astype("datetime64[us]")
        has_time = any(code in layout for code in ("%H", "%I", "%T", "%X", "%c"))
        return self._naive(stamps, text) if has_time else self._dates(stamps)

    def _dates(self, stamps: pd.Series[pd.Timestamp]) -> Times:
        """Take bare dates: session dates, or midnights where bars are shorter than a day."""
        if not self.profile.is_daily:
            return self._naive(stamps)
        return self._times(stamps, stamps)

    def _naive(self, stamps: pd.Series[pd.Timestamp], text: pd.Series[str] | None = None) -> Times:
        if self.profile.timezone is None and stamps.notna().any():
            shown = (stamps if text is None else text)[stamps.notna()].iloc[0]
            raise WarehouseError(
                f"The time {str(shown)!r} has no zone and the profile names none. Nothing landed.",
                where=self.where,
                do="write `timezone:` in the source profile, such as America/New_York or UTC",
            )
        if self.profile.is_daily:
            return self._session_dates(stamps)
        if self.profile.timezone is None:
            return self._times(stamps, stamps)
        utc, rules = localized(stamps, self.profile.timezone)
        return self._intraday(utc, rules)

    def _aware(self, stamps: pd.Series[pd.Timestamp]) -> Times:
        if self.profile.is_daily:
            local = stamps.dt.tz_convert(self.profile.timezone or self.calendar.timezone)
            return self._session_dates(local.dt.tz_localize(None))
        return self._intraday(stamps.dt.tz_convert("UTC").dt.tz_localize(None), None)

    def _session_dates(self, local: pd.Series[pd.Timestamp]) -> Times:
        """Take the local date; a bar that ends at midnight belongs to the day before."""
        if self.profile.label == "end":
            local = local - MICROSECOND
        dates = local.dt.normalize()
        return self._times(dates, dates)

    def _intraday(self, starts: pd.Series[pd.Timestamp], rules: pd.Series[str] | None) -> Times:
        if self.step is not None:
            starts = starts - self.step
        return self._times(starts, self.calendar.sessions_of(starts), rules)

    def _times(
        self,
        starts: pd.Series[pd.Timestamp],
        sessions: pd.Series[pd.Timestamp],
        rules: pd.Series[str] | None = None,
    ) -> Times:
        if rules is None:
            rules = pd.Series("", index=starts.index, dtype="str")
        return Times(starts, sessions, rules.mask(starts.isna() & (rules == ""), "bad_time"))


def localized(
    stamps: pd.Series[pd.Timestamp], zone: str
) -> tuple[pd.Series[pd.Timestamp], pd.Series[str] | None]:
    """Return local times as naive UTC, and the rules broken by those that are no single instant."""
    utc = stamps.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    unclear = stamps.notna() & utc.isna()
    rules = None
    if unclear.any():
        shifted = stamps[unclear].dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
        rules = pd.Series("", index=stamps.index, dtype="str")
        rules[shifted.index[shifted.isna()]] = "ambiguous_time"
        rules[shifted.index[shifted.notna()]] = "nonexistent_time"
    return utc.dt.tz_convert("UTC").dt.tz_localize(None), rules


def epoch_micros(text: pd.Series[str], unit: str) -> pd.Series[pd.Timestamp]:
    """Read numbers since 1970 as naive UTC; NaT for none, or beyond the years 1 to 9999."""
    per_second = UNITS[unit]
    whole = text.str.fullmatch(r"-?(\d{1,18}|[1-8]\d{18})").fillna(False).astype(bool)
    fraction = text.str.fullmatch(r"-?\d{1,18}\.\d+").fillna(False).astype(bool)
    micros: pd.Series[int] = pd.Series(BEYOND, index=text.index, dtype="int64")
    exact = text[whole].astype("int64")
    if per_second > 10**6:
        micros[whole] = exact // (per_second // 10**6)
    else:
        factor = 10**6 // per_second
        micros[whole] = exact.where(exact.abs() < BEYOND // factor, BEYOND // factor) * factor
    if fraction.any():
        scaled = pd.to_numeric(text[fraction]) * (10**6 / per_second)
        micros[fraction] = scaled.round().clip(-BEYOND, BEYOND).astype("int64")
    # Years 1 to 9999, which PostgreSQL and pandas agree on.
    sane = micros.between(-62_135_596_800 * 10**6, 253_402_300_799 * 10**6)
    stamps = pd.Series(micros.to_numpy().astype("datetime64[us]"), index=text.index)
    return stamps.where(sane)


def parse_iso(text: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Read ISO 8601 as naive times; NaT where it is none."""
    return pd.to_datetime(text, format="ISO8601", errors="coerce").astype("datetime64[us]")


def distinct(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the distinct values of a column, NULL among them, and each row's index in them."""
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    return encoded.dictionary, encoded.indices
