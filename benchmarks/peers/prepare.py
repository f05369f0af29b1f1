"""What every peer starts from: the bars with their sessions, as one Parquet file.

The peers get for free what the warehouse has to do in the measured time: resolving symbols and
sources, corporate actions, the exchange's clock and sessions.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.workspace import connect

INPUT = """
copy (
    select
        b.instrument_id, b.symbol, b.bar_ts as "timestamp", b.session_date,
        b.open::float8, b.high::float8, b.low::float8, b.close::float8, b.volume::float8,
        s.open_at, s.close_at, s.is_half_day,
        extract(hour from b.bar_ts at time zone c.timezone)::int as hour,
        extract(minute from b.bar_ts at time zone c.timezone)::int as minute
    from raw_market.bars as b
    inner join ref.instruments as i on i.instrument_id = b.instrument_id
    inner join ref.calendars as c on c.calendar = i.calendar
    inner join ref.exchange_sessions as s
        on s.calendar = i.calendar and s.session_date = b.session_date
    order by b.instrument_id, b.bar_ts
) to stdout csv header
"""

SCHEMA: dict[str, pl.DataType] = {
    "instrument_id": pl.Int32(),
    "symbol": pl.String(),
    "timestamp": pl.String(),
    "session_date": pl.Date(),
    **{name: pl.Float64() for name in ("open", "high", "low", "close", "volume")},
    **{name: pl.String() for name in ("open_at", "close_at", "is_half_day")},
    **{name: pl.Int32() for name in ("hour", "minute")},
}


def write_input(path: Path) -> Path:
    """Write the bars of the current database as Parquet, with the clock features ready."""
    csv = path.with_suffix(".csv")
    with connect() as session, csv.open("wb") as file, session.cursor().copy(INPUT) as copy:
        for block in copy:
            file.write(block)
    frame = pl.read_csv(csv, schema=SCHEMA)
    csv.unlink()
    at, opened, closed = (
        pl.col(n).str.to_datetime("%F %T%#z", time_unit="us")
        for n in ("timestamp", "open_at", "close_at")
    )
    day = pl.col("session_date")
    previous = day.shift(1).over("instrument_id")
    frame = frame.with_columns(at, opened, closed, pl.col("is_half_day") == "t")
    start, opening, closing = pl.col("timestamp"), pl.col("open_at"), pl.col("close_at")

    def minutes(span: pl.Expr) -> pl.Expr:
        return span.dt.total_seconds() / 60

    frame = frame.with_columns(
        day_of_week=day.dt.weekday() - 1,
        day_of_month=day.dt.day(),
        day_of_year=day.dt.ordinal_day(),
        week_of_year=day.dt.week(),
        month=day.dt.month(),
        quarter=day.dt.quarter(),
        session_minutes=minutes(closing - opening),
        minutes_since_open=minutes(start - opening),
        minutes_to_close=minutes(closing - start) - 60,
        is_market_open=(start < closing) & (start + pl.duration(hours=1) > opening),
        is_first_bar_of_session=day.ne_missing(previous),
        days_since_previous_session=(day - previous).dt.total_days(),
        bar_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("instrument_id"),
    ).drop("open_at", "close_at")
    frame.join(session_rsi(frame), on=["instrument_id", "session_date"], how="left").sort(
        "instrument_id", "timestamp"
    ).write_parquet(path)
    return path


def session_rsi(frame: pl.DataFrame) -> pl.DataFrame:
    """Return RSI-14 of the session closes up to the session before each one."""
    closes = (
        frame.filter("is_market_open")
        .group_by("instrument_id", "session_date", maintain_order=True)
        .agg(pl.col("close").last())
    )
    change = pl.col("close").diff().over("instrument_id")
    return (
        closes.with_columns(change.alias("_change"))
        .with_columns(
            pl.col("_change").clip(lower_bound=0).alias("_up"),
            (-pl.col("_change")).clip(lower_bound=0).alias("_down"),
        )
        .with_columns(
            pl.col("_up", "_down")
            .ewm_mean(alpha=1 / 14, adjust=False, min_samples=14)
            .over("instrument_id")
        )
        .with_columns((100 * pl.col("_up") / (pl.col("_up") + pl.col("_down"))).alias("rsi_1d"))
        .select("instrument_id", "session_date", pl.col("rsi_1d").shift(1).over("instrument_id"))
    )
