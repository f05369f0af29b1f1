"""Independent formulas of the feature catalogue's oracles, where TA-Lib has no function.

Written from the definitions in the catalogue and the literature, not from the SQL: whole windows in
numpy, two passes for moments, sessions straight from exchange_calendars. NaN is NULL. A window that
holds a NaN is NaN, and so is a ratio whose denominator is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import exchange_calendars as xcals
import numpy as np
import pandas as pd
import scipy.stats
import talib
from exchange_calendars import ExchangeCalendar

Series = pd.Series
Reduction = Callable[[np.ndarray], np.ndarray]
DAY = 1440
"""Minutes; bars of a day or longer have no time of day."""


def over(values: Series, bars: int, reduction: Reduction) -> Series:
    """Reduce every full window of a series: one row per bar, NaN before the first full window."""
    result = np.full(len(values), np.nan)
    if len(values) >= bars:
        windows = np.lib.stride_tricks.sliding_window_view(values.to_numpy(float), bars)
        result[bars - 1 :] = reduction(windows)
    return Series(result, index=values.index)


def mean(values: Series, bars: int) -> Series:
    """Return the mean of each window."""
    return over(values, bars, lambda windows: windows.mean(axis=1))


def total(values: Series, bars: int) -> Series:
    """Return the sum of each window."""
    return over(values, bars, lambda windows: windows.sum(axis=1))


def deviation(values: Series, bars: int, ddof: int) -> Series:
    """Return the standard deviation in two passes; a constant window has exactly 0."""
    return over(
        values,
        bars,
        lambda windows: np.where(np.ptp(windows, axis=1) == 0, 0, windows.std(axis=1, ddof=ddof)),
    )


def sample_std(values: Series, bars: int) -> Series:
    """Return the standard deviation with n - 1."""
    return deviation(values, bars, 1)


def population_std(values: Series, bars: int) -> Series:
    """Return the standard deviation with n."""
    return deviation(values, bars, 0)


def skewness(values: Series, bars: int) -> Series:
    """Return the unbiased skewness; NaN for a constant window."""
    spread = over(values, bars, lambda windows: np.ptp(windows, axis=1))
    # Centred first: scipy declares a spread of less than 1e-16 of the mean constant.
    skews = over(
        values,
        bars,
        lambda windows: scipy.stats.skew(windows - windows[:, :1], axis=1, bias=False),
    )
    return skews.where(spread != 0)


def ratio(numerator: Series, denominator: Series) -> Series:
    """Divide; NaN where the denominator is 0."""
    return numerator / denominator.where(denominator != 0)


def zscore(values: Series, bars: int) -> Series:
    """Return the distance of the last value from its window's mean, in sample deviations."""
    return ratio(values - mean(values, bars), sample_std(values, bars))


def percent_b(close: Series, bars: int) -> Series:
    """Return Bollinger's %b with bands of two population deviations."""
    width = population_std(close, bars)
    return ratio(close - mean(close, bars) + 2 * width, 4 * width)


# ------------------------------------------------------------------------------------- returns


def change(values: Series, bars: int = 1) -> Series:
    """Return the simple return; NaN after a price of 0."""
    return ratio(values, values.shift(bars)) - 1


def log_ratio(numerator: Series, denominator: Series) -> Series:
    """Return ln(a / b); NaN unless both are positive, since prices can be negative."""
    return np.log((numerator / denominator).where((numerator > 0) & (denominator > 0)))


def log_returns(close: Series) -> Series:
    """Return the logarithmic return of each bar."""
    return log_ratio(close, close.shift(1))


# ------------------------------------------------------------------------------------ momentum


def fast_k(high: Series, low: Series, close: Series, bars: int) -> Series:
    """Return the raw stochastic; 0 when the window is flat, as TA-Lib has it."""
    lowest, highest = low.rolling(bars).min(), high.rolling(bars).max()
    value = 100 * ratio(close - lowest, highest - lowest)
    return value.mask(highest == lowest, 0.0)


def commodity_channel(high: Series, low: Series, close: Series, bars: int) -> Series:
    """Return the commodity channel index; 0 for a constant window.

    TA-Lib's own is the same but for a constant window, where its mean is off by a rounding error
    that it then divides by itself.
    """
    typical = (high + low + close) / 3
    flat = over(typical, bars, lambda windows: np.ptp(windows, axis=1)) == 0
    return talib.CCI(high, low, close, bars).mask(flat, 0.0)


def rsi_of_sessions(
    close: Series, session_date: Series, is_market_open: Series, is_session_bar: bool
) -> Series:
    """Return RSI-14 of the closes of the sessions before that of each bar.

    A session's close is that of its last bar in regular hours; a session without one is none.
    """
    if is_session_bar:
        return talib.RSI(close, 14)
    closes = close[is_market_open].groupby(session_date[is_market_open]).last()
    if closes.empty:
        return close * np.nan
    values = np.append(talib.RSI(closes, 14).to_numpy(), np.nan)
    # Sessions before the bar's own; none is position -1, which is the NaN appended.
    return Series(values[closes.index.searchsorted(session_date) - 1], index=close.index)


# ---------------------------------------------------------------------------------- volatility


def realized_vol(close: Series, bars: int) -> Series:
    """Return the sample deviation of log returns, per bar."""
    return sample_std(log_returns(close), bars)


def realized_ratio(close: Series, short: int, long: int) -> Series:
    """Return short over long realised volatility."""
    return ratio(realized_vol(close, short), realized_vol(close, long))


def downside(close: Series, bars: int) -> Series:
    """Return the root mean square of the falls."""
    return np.sqrt(mean(log_returns(close).clip(upper=0) ** 2, bars))


def bipower(close: Series, bars: int) -> Series:
    """Return the square root of the mean bipower variation."""
    size = log_returns(close).abs()
    return np.sqrt(np.pi / 2 * mean(size * size.shift(1), bars))


def parkinson(high: Series, low: Series, bars: int) -> Series:
    """Return Parkinson's (1980) estimator, per bar."""
    return np.sqrt(mean(log_ratio(high, low) ** 2, bars) / (4 * np.log(2)))


def garman_klass(open: Series, high: Series, low: Series, close: Series, bars: int) -> Series:
    """Return Garman and Klass's (1980) estimator, per bar; 0 where its mean is negative."""
    terms = log_ratio(high, low) ** 2 / 2 - (2 * np.log(2) - 1) * log_ratio(close, open) ** 2
    return np.sqrt(mean(terms, bars).clip(lower=0))


def rogers_satchell(open: Series, high: Series, low: Series, close: Series, bars: int) -> Series:
    """Return Rogers and Satchell's (1991) estimator, per bar."""
    up = log_ratio(high, open) * log_ratio(high, close)
    down = log_ratio(low, open) * log_ratio(low, close)
    return np.sqrt(mean(up + down, bars).clip(lower=0))


def yang_zhang(open: Series, high: Series, low: Series, close: Series, bars: int) -> Series:
    """Return Yang and Zhang's (2000) estimator, per bar."""
    overnight = sample_std(log_ratio(open, close.shift(1)), bars) ** 2
    within = sample_std(log_ratio(close, open), bars) ** 2
    weight = 0.34 / (1.34 + (bars + 1) / (bars - 1))
    drift_free = rogers_satchell(open, high, low, close, bars) ** 2
    return np.sqrt(overnight + weight * within + (1 - weight) * drift_free)


# -------------------------------------------------------------------------------------- volume


def volume_price_trend(close: Series, volume: Series) -> Series:
    """Return the running sum of volume * return; a bar without volume adds nothing."""
    steps = (volume * change(close)).fillna(0)
    return steps.cumsum().where(volume.notna())


def session_vwap(
    high: Series, low: Series, close: Series, volume: Series, session_date: Series
) -> Series:
    """Return the volume-weighted typical price since the session began."""
    money = (high + low + close) / 3 * volume
    # A session is a run of bars: `ngroup` of consecutive equal dates.
    run = (session_date != session_date.shift(1)).cumsum()
    return ratio(money.fillna(0).groupby(run).cumsum(), volume.fillna(0).groupby(run).cumsum())


def rolling_vwap(high: Series, low: Series, close: Series, volume: Series, bars: int) -> Series:
    """Return the volume-weighted typical price of each window."""
    return ratio(total((high + low + close) / 3 * volume, bars), total(volume, bars))


def chaikin_money_flow(
    high: Series, low: Series, close: Series, volume: Series, bars: int
) -> Series:
    """Return Chaikin's money flow; a bar without range has no direction."""
    place = ratio(2 * close - high - low, high - low).fillna(0)
    return ratio(total(place * volume, bars), total(volume, bars))


def amihud(close: Series, volume: Series, bars: int) -> Series:
    """Return Amihud's (2002) illiquidity."""
    return mean(ratio(change(close).abs(), close * volume), bars)


# ------------------------------------------------------------------------------------ calendar


@lru_cache
def exchange(calendar: str) -> ExchangeCalendar:
    """Return a calendar from 1998 on."""
    return xcals.get_calendar(calendar, start="1998-01-01")


def local(clock: Series, calendar: str, minutes: int) -> Series:
    """Return each bar's start by the clock of its exchange; NaT for bars of a day or longer."""
    there = clock.dt.tz_convert(exchange(calendar).tz)
    return there if minutes < DAY else there.where(clock.isna())


def minute_of_day(clock: Series, calendar: str, minutes: int) -> Series:
    """Return the minutes since local midnight by the clock."""
    there = local(clock, calendar, minutes)
    return there.dt.hour * 60 + there.dt.minute


def of_session(session_date: Series, calendar: str, what: str) -> Series:
    """Return a column of the calendar's schedule for each bar's session; NaT on other days."""
    schedule = exchange(calendar).schedule
    return session_date.map(schedule[what])


def session_minutes(session_date: Series, calendar: str) -> Series:
    """Return the length of each bar's session."""
    length = of_session(session_date, calendar, "close") - of_session(
        session_date, calendar, "open"
    )
    return length.dt.total_seconds() / 60


def minutes_since_open(clock: Series, session_date: Series, calendar: str, minutes: int) -> Series:
    """Return the minutes from the open to the start of the bar."""
    since = (clock - of_session(session_date, calendar, "open")).dt.total_seconds() / 60
    return since if minutes < DAY else since * np.nan


def minutes_to_close(clock: Series, session_date: Series, calendar: str, minutes: int) -> Series:
    """Return the minutes from the end of the bar to the close."""
    left = (of_session(session_date, calendar, "close") - clock).dt.total_seconds() / 60 - minutes
    return left if minutes < DAY else left * np.nan


def is_half_day(session_date: Series, calendar: str) -> Series:
    """Say whether a session opens late or closes early; NaN on other days."""
    inner = exchange(calendar)
    short = session_date.isin(inner.early_closes) | session_date.isin(inner.late_opens)
    return short.astype(float).where(session_date.isin(inner.sessions))


def is_market_open(clock: Series, session_date: Series, calendar: str, minutes: int) -> Series:
    """Say whether a bar overlaps the trading hours of its session; true for bars of a day."""
    if minutes >= DAY:
        return Series(True, index=clock.index)
    end = clock + pd.Timedelta(minutes=minutes)
    opened, closed, paused, resumed = (
        of_session(session_date, calendar, what)
        for what in ("open", "close", "break_start", "break_end")
    )
    whole = (clock < closed) & (end > opened)
    before = (clock < paused) & (end > opened)
    after = (clock < closed) & (end > resumed)
    return whole.where(paused.isna(), before | after)
