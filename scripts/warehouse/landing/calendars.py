"""Trading calendars of exchange_calendars: sessions, zone, and which session a time is in."""

from __future__ import annotations

import contextlib
from datetime import date
from functools import lru_cache

import exchange_calendars as xcals
import numpy as np
import pandas as pd
from exchange_calendars import ExchangeCalendar

from warehouse.errors import WarehouseError

EARLIEST = 1900
"""No calendar is asked for earlier years; several claim to know them."""


class Calendar:
    """One exchange's calendar, extended to earlier years when data asks for them."""

    def __init__(self, name: str) -> None:
        """Take the package's default range: twenty years back, one ahead."""
        self.name = name
        try:
            self._use(xcals.get_calendar(name))
        except Exception as error:
            # Calendars with an Orthodox Easter fail on pandas 3 (ASEX, XBEL, XBSE, XCYS).
            raise WarehouseError(
                f"exchange_calendars {version()} cannot build the calendar {name}: {error}.",
                do="name a calendar with the same sessions in the profile, or 24/7",
            ) from error
        bound = type(self.inner).bound_min()
        self.first_year = max(EARLIEST, bound.year if bound is not None else EARLIEST)
        self._tried = self.inner.first_session.year

    def _use(self, inner: ExchangeCalendar) -> None:
        self.inner = inner
        self.timezone = str(inner.tz)
        self._opens = inner.opens.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        self._closes = inner.closes.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        self._dates = inner.schedule.index.to_numpy().astype("datetime64[us]")

    def cover(self, first: date) -> None:
        """Extend the range to the year of a date, as far as the calendar goes."""
        year = max(first.year, self.first_year)
        if year >= self._tried:
            return
        self._tried = year
        bound = type(self.inner).bound_min()
        start = pd.Timestamp(year, 1, 1)
        # Some calendars know less than they say (XTAE before 2006): keep what they know.
        with contextlib.suppress(Exception):
            self._use(
                xcals.get_calendar(self.name, start=start if bound is None else max(start, bound))
            )

    @property
    def last(self) -> date:
        """Last session known."""
        return date.fromisoformat(str(self._dates[-1])[:10])

    def sessions_of(self, starts: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
        """Return the session of each bar start (naive UTC).

        Inside the hours of a session it is that session, which for futures began the evening
        before; elsewhere it is the local date.
        """
        known = starts.dropna()
        if len(known):
            self.cover(known.min().date())
        local = starts.dt.tz_localize("UTC").dt.tz_convert(self.timezone)
        sessions = local.dt.tz_localize(None).dt.normalize()
        at = np.searchsorted(self._opens, known.to_numpy(), side="right") - 1
        inside = (at >= 0) & (known.to_numpy() < self._closes[np.maximum(at, 0)])
        sessions[known.index[inside]] = self._dates[at[inside]]
        return sessions


@lru_cache
def calendar(name: str) -> Calendar:
    """Return a calendar by its canonical name; building one takes 0.2 s, so keep it."""
    return Calendar(name)


def version() -> str:
    """Return the version of the package, which corrects history now and then."""
    return str(xcals.__version__)
