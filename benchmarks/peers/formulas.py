"""The features, once, for every peer: only the operations under them differ.

The names, and how many there are, come from the table that dbt built: a feature without a formula
here stops the benchmark. Averages that TA-Lib seeds with a mean start with the first value where a
peer has nothing better (polars, DuckDB): they cost the same and agree after some hundred bars.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Protocol

Column = Any
"""A column or an expression of the peer; supports + - * / and comparisons."""


class Operations(Protocol):
    """What a peer has to know; windows are over one symbol in the order of time."""

    def lag(self, x: Column, bars: int) -> Column: ...
    def mean(self, x: Column, bars: int) -> Column: ...
    def std(self, x: Column, bars: int) -> Column: ...
    def skew(self, x: Column, bars: int) -> Column: ...
    def highest(self, x: Column, bars: int) -> Column: ...
    def lowest(self, x: Column, bars: int) -> Column: ...
    def weighted(self, x: Column, bars: int) -> Column: ...
    def deviation(self, x: Column, bars: int) -> Column: ...
    def smooth(self, x: Column, alpha: float, bars: int) -> Column: ...
    def running(self, x: Column) -> Column: ...
    def running_in_session(self, x: Column) -> Column: ...
    def ratio(self, x: Column, y: Column) -> Column: ...
    def larger(self, x: Column, y: Column) -> Column: ...
    def smaller(self, x: Column, y: Column) -> Column: ...
    def magnitude(self, x: Column) -> Column: ...
    def logarithm(self, x: Column) -> Column: ...
    def root(self, x: Column) -> Column: ...
    def sine(self, x: Column) -> Column: ...
    def cosine(self, x: Column) -> Column: ...
    def sign(self, x: Column) -> Column: ...
    def whole(self, x: Column, instead: int = 0) -> Column: ...
    def keep(self, name: str, x: Column) -> Column: ...


def returns(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Returns, shapes of the bar, lags."""
    opening, high, low, close, volume = (b[n] for n in ("open", "high", "low", "close", "volume"))
    change = o.keep("returns", o.ratio(close, o.lag(close, 1)) - 1)
    out = {
        "returns": change,
        "log_returns": o.keep("log_returns", o.logarithm(o.ratio(close, o.lag(close, 1)))),
        "price_acceleration": change - o.lag(change, 1),
        "open_gap": o.ratio(opening, o.lag(close, 1)) - 1,
        "open_to_close": o.ratio(close, opening) - 1,
        "high_low_range": o.ratio(high, low) - 1,
        "close_location": o.ratio(close - low, high - low),
        "upper_shadow": o.ratio(high - o.larger(opening, close), high - low),
        "lower_shadow": o.ratio(o.smaller(opening, close) - low, high - low),
        "balance_of_power": o.ratio(close - opening, high - low),
        "typical_price": o.keep("typical_price", (high + low + close) / 3),
    }
    for bars in (2, 4, 8, 24):
        out[f"returns_{bars}"] = o.ratio(close, o.lag(close, bars)) - 1
    for bars in (1, 2, 4, 8, 24):
        out[f"lag_close_{bars}"] = o.lag(close, bars)
        out[f"lag_returns_{bars}"] = o.lag(change, bars)
        out[f"lag_volume_{bars}"] = o.lag(volume, bars)
    return out


def trend(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Moving averages and what is made of them."""
    close = b["close"]
    out = {f"sma_{n}": o.keep(f"sma_{n}", o.mean(close, n)) for n in (5, 10, 20, 50, 100, 200)}
    out |= {"price_ma_short": out["sma_20"], "price_ma_long": out["sma_50"]}
    out |= {f"wma_{n}": o.weighted(close, n) for n in (10, 20, 50)}
    for n in (5, 10, 12, 20, 26, 50, 100, 200):
        out[f"ema_{n}"] = o.keep(f"ema_{n}", o.smooth(close, 2 / (n + 1), n))
    macd = o.keep("macd", out["ema_12"] - out["ema_26"])
    signal = o.keep("macd_signal", o.smooth(macd, 0.2, 9))
    triple = close
    for level in range(3):
        triple = o.keep(f"_triple_{level}", o.smooth(triple, 2 / 16, 15))
    return out | {
        "macd": macd,
        "macd_signal": signal,
        "macd_hist": macd - signal,
        "trix_15": 100 * (o.ratio(triple, o.lag(triple, 1)) - 1),
        "price_to_sma_20": o.ratio(close, out["sma_20"]) - 1,
        "price_to_sma_50": o.ratio(close, out["sma_50"]) - 1,
        "price_to_sma_200": o.ratio(close, out["sma_200"]) - 1,
        "sma_20_slope": o.ratio(out["sma_20"], o.lag(out["sma_20"], 5)) - 1,
        "ma_spread_20_50": o.ratio(out["sma_20"], out["sma_50"]) - 1,
        "ma_spread_50_200": o.ratio(out["sma_50"], out["sma_200"]) - 1,
    }


def momentum(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Oscillators."""
    high, low, close = b["high"], b["low"], b["close"]
    before = o.lag(close, 1)
    gain = o.keep("_gain", o.larger(close - before, 0 * close))
    loss = o.keep("_loss", o.larger(before - close, 0 * close))
    out: dict[str, Column] = {}
    for n in (7, 14, 21):
        up, down = o.smooth(gain, 1 / n, n), o.smooth(loss, 1 / n, n)
        out[f"rsi_{n}"] = o.keep(f"rsi_{n}", 100 * o.ratio(up, up + down))
    typical = o.keep("_typical", (high + low + close) / 3)
    centre = o.keep("_typical_mean", o.mean(typical, 20))
    top = o.keep("_top_14", o.highest(high, 14))
    bottom = o.keep("_bottom_14", o.lowest(low, 14))
    fast = o.keep("stoch_fast_k", 100 * o.ratio(close - bottom, top - bottom))
    slow = o.keep("stoch_k", o.mean(fast, 3))
    pressure = o.keep("_pressure", close - o.smaller(low, before))
    reach = o.keep("_reach", o.larger(high, before) - o.smaller(low, before))
    parts = [o.ratio(o.mean(pressure, n), o.mean(reach, n)) for n in (7, 14, 28)]
    return out | {
        "rsi_1d": b["rsi_1d"],
        "cmo_14": 2 * out["rsi_14"] - 100,
        "cci_20": o.ratio(typical - centre, 0.015 * o.deviation(typical, 20)),
        "stoch_k": slow,
        "stoch_d": o.mean(slow, 3),
        "stoch_fast_k": fast,
        "willr_14": -100 * o.ratio(top - close, top - bottom),
        **{f"roc_{n}": 100 * (o.ratio(close, o.lag(close, n)) - 1) for n in (5, 10, 20)},
        **{f"mom_{n}": close - o.lag(close, n) for n in (10, 20)},
        "ultosc": 100 * (4 * parts[0] + 2 * parts[1] + parts[2]) / 7,
        "distance_to_high_14": o.ratio(top - close, close),
        "distance_to_low_14": o.ratio(close - bottom, close),
    }


def volatility(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """True range, directional movement and estimators of volatility."""
    opening, high, low, close = b["open"], b["high"], b["low"], b["close"]
    before = o.lag(close, 1)
    reach = o.keep("true_range", o.larger(high, before) - o.smaller(low, before))
    atr = o.keep("atr_14", o.smooth(reach, 1 / 14, 14))
    up, down = o.keep("_up", high - o.lag(high, 1)), o.keep("_down", o.lag(low, 1) - low)
    zero = 0 * close
    plus = o.keep("_plus", o.larger(up, zero) * o.larger(o.sign(up - down), zero))
    minus = o.keep("_minus", o.larger(down, zero) * o.larger(o.sign(down - up), zero))
    plus_di = o.keep("plus_di_14", 100 * o.ratio(o.smooth(plus, 1 / 14, 14), atr))
    minus_di = o.keep("minus_di_14", 100 * o.ratio(o.smooth(minus, 1 / 14, 14), atr))
    index = o.keep("_dx", 100 * o.ratio(o.magnitude(plus_di - minus_di), plus_di + minus_di))
    r = o.keep("_log", o.logarithm(o.ratio(close, before)))
    overnight = o.keep("_overnight", o.logarithm(o.ratio(opening, before)))
    body = o.keep("_body", o.logarithm(o.ratio(close, opening)))
    spread = o.keep("_spread", o.logarithm(o.ratio(high, low)))
    above = o.keep("_above", o.logarithm(o.ratio(high, opening)))
    below = o.keep("_below", o.logarithm(o.ratio(low, opening)))
    rogers = o.keep("_rogers", above * (above - body) + below * (below - body))
    k = 0.34 / (1.34 + 25 / 23)
    deviations = {n: o.keep(f"realized_vol_{n}", o.std(r, n)) for n in (6, 12, 24)}
    rogers_mean = o.keep("_rogers_mean", o.larger(o.mean(rogers, 24), zero))
    klass = o.keep("_klass", 0.5 * spread * spread - (2 * math.log(2) - 1) * body * body)
    drop = o.smaller(r, zero)
    return {
        "true_range": reach,
        "atr_14": atr,
        "atr": atr,
        "natr_14": 100 * o.ratio(atr, close),
        "plus_di_14": plus_di,
        "minus_di_14": minus_di,
        "adx_14": o.smooth(index, 1 / 14, 14),
        **{f"realized_vol_{n}": x for n, x in deviations.items()},
        "realized_vol_ratio_6_24": o.ratio(deviations[6], deviations[24]),
        "downside_vol_24": o.root(o.mean(o.keep("_drop", drop * drop), 24)),
        "bipower_vol_24": o.root(
            math.pi / 2 * o.mean(o.keep("_pair", o.magnitude(r) * o.magnitude(o.lag(r, 1))), 24)
        ),
        "garman_klass_24": o.root(o.larger(o.mean(klass, 24), zero)),
        "parkinson_24": o.root(o.mean(o.keep("_square", spread * spread), 24) / (4 * math.log(2))),
        "rogers_satchell_24": o.root(rogers_mean),
        "yang_zhang_24": o.root(
            o.std(overnight, 24) * o.std(overnight, 24)
            + k * o.std(body, 24) * o.std(body, 24)
            + (1 - k) * rogers_mean
        ),
    }


def volume(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Volume lines, ratios and prices weighted by volume."""
    high, low, close, traded = b["high"], b["low"], b["close"], b["volume"]
    before = o.lag(close, 1)
    typical = o.keep("_mid", (high + low + close) / 3)
    money = o.keep("_money", typical * traded)
    turnover = o.keep("dollar_volume", close * traded)
    flow = o.keep("_flow", o.whole(o.ratio((close - low) - (high - close), high - low)) * traded)
    turn = o.keep("_turn", o.sign(typical - o.lag(typical, 1)))
    zero = 0 * close
    inflow = o.keep("_inflow", o.mean(o.keep("_in", o.larger(turn, zero) * money), 14))
    outflow = o.keep("_outflow", o.mean(o.keep("_out", o.larger(-turn, zero) * money), 14))
    change = o.ratio(close, before) - 1
    session = o.ratio(o.running_in_session(money), o.running_in_session(traded))
    vwap = o.keep("vwap_session", session)
    vwap_20 = o.keep("vwap_20", o.ratio(o.mean(money, 20), o.mean(traded, 20)))
    means = {n: o.keep(f"volume_sma_{n}", o.mean(traded, n)) for n in (5, 10, 20)}
    return {
        "obv": o.running(o.keep("_signed", o.whole(o.sign(close - before), 1) * traded)),
        "vpt": o.running(o.keep("_moved", o.whole(change) * traded)),
        "ad_line": o.running(flow),
        "vwap_session": vwap,
        "price_to_vwap_session": o.ratio(close, vwap) - 1,
        "vwap_20": vwap_20,
        "price_to_vwap_20": o.ratio(close, vwap_20) - 1,
        **{f"volume_sma_{n}": x for n, x in means.items()},
        **{f"volume_ratio_{n}": o.ratio(traded, x) for n, x in means.items()},
        "volume_zscore_20": o.ratio(traded - means[20], o.std(traded, 20)),
        "volume_change": o.ratio(traded, o.lag(traded, 1)) - 1,
        "dollar_volume": turnover,
        "dollar_volume_sma_20": o.mean(turnover, 20),
        "chaikin_money_flow_20": o.ratio(o.mean(flow, 20), means[20]),
        "mfi_14": 100 * o.ratio(inflow, inflow + outflow),
        "force_index": (close - before) * traded,
        "amihud_illiquidity_20": o.mean(
            o.keep("_impact", o.ratio(o.magnitude(change), turnover)), 20
        ),
    }


def statistical(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Rolling statistics and Bollinger bands of the close."""
    close = b["close"]
    out: dict[str, Column] = {}
    for n in (6, 12, 24):
        mean = o.keep(f"rolling_mean_{n}", o.mean(close, n))
        deviation = o.keep(f"rolling_std_{n}", o.std(close, n))
        bottom = o.keep(f"rolling_min_{n}", o.lowest(close, n))
        top = o.keep(f"rolling_max_{n}", o.highest(close, n))
        out |= {
            f"rolling_mean_{n}": mean,
            f"rolling_std_{n}": deviation,
            f"rolling_min_{n}": bottom,
            f"rolling_max_{n}": top,
            f"rolling_skew_{n}": o.skew(close, n),
            f"zscore_{n}": o.ratio(close - mean, deviation),
            f"range_position_{n}": o.ratio(close - bottom, top - bottom),
        }
    middle = o.keep("bb_middle", o.mean(close, 20))
    spread = o.keep("stddev_20", math.sqrt(19 / 20) * o.std(close, 20))
    return out | {
        "stddev_20": spread,
        "bb_middle": middle,
        "bb_upper": middle + 2 * spread,
        "bb_lower": middle - 2 * spread,
        "bb_width": o.ratio(4 * spread, middle),
        "bb_pct": o.ratio(close - middle + 2 * spread, 4 * spread),
    }


def calendar(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Where the bar lies in its day, session and year; `b` has the parts of its dates."""
    turn = 2 * math.pi
    of_day = turn * (b["hour"] * 60 + b["minute"]) / 1440
    of_week, of_year = turn * b["day_of_week"] / 7, turn * (b["month"] - 1) / 12
    taken = "hour minute day_of_week day_of_month day_of_year week_of_year month quarter"
    more = "is_market_open is_half_day session_minutes minutes_since_open minutes_to_close"
    return {
        **{name: b[name] for name in (taken + " " + more).split()},
        "time_of_day_sin": o.sine(of_day),
        "time_of_day_cos": o.cosine(of_day),
        "day_of_week_sin": o.sine(of_week),
        "day_of_week_cos": o.cosine(of_week),
        "month_sin": o.sine(of_year),
        "month_cos": o.cosine(of_year),
        "session_progress": o.ratio(b["minutes_since_open"], b["session_minutes"]),
        "is_first_bar_of_session": b["is_first_bar_of_session"],
        "days_since_previous_session": b["days_since_previous_session"],
    }


def every_feature(o: Operations, b: dict[str, Column]) -> dict[str, Column]:
    """Return all features by name."""
    families = (returns, trend, momentum, volatility, volume, statistical, calendar)
    return {name: x for family in families for name, x in family(o, b).items()}


class Anything:
    """A column, and a peer, that takes part in every operation and computes nothing."""

    def __getattr__(self, _: str) -> Any:  # noqa: ANN401
        return lambda *_, **__: self

    def __add__(self, _: object) -> Anything:
        return self

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __add__

    def __neg__(self) -> Anything:
        return self


def check_complete(features: set[str]) -> None:
    """Refuse to compare with a table that has other features.

    Raises LookupError naming them: peers that compute less would look faster than they are.
    """
    known = set(every_feature(Anything(), defaultdict(Anything)))
    if known != features:
        less, more = sorted(features - known), sorted(known - features)
        raise LookupError(f"benchmarks/peers/formulas.py lacks {less}, has too many: {more}")
