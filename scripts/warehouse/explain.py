"""What the next build will recompute, and why: the run window, asked without building it."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from warehouse import build, database, output

MODELS = ("int_run_window", "int_unseen_changes")
"""The SQL is the models' own, compiled by dbt, so that this can never say something else."""

EXPLAIN = """
with changes as ({int_unseen_changes}),

run_window as ({int_run_window})

select
    instruments.symbol,
    run_window.timeframe,
    run_window.recompute_from::text as recompute_from,
    (
        select count(distinct bars.bar_ts) from raw_market.bars
        where
            bars.instrument_id = run_window.instrument_id
            and bars.timeframe = run_window.timeframe
            and bars.bar_ts >= run_window.recompute_from
    ) as bars,
    why.reasons,
    why.since
from run_window
left join ref.instruments as instruments on run_window.instrument_id = instruments.instrument_id
left join lateral (
    select
        array_agg(distinct coalesce(changes.relation::text || ': ', '') || changes.reason)
            as reasons,
        min(changes.logged_at) as since
    from changes
    where
        changes.entity is null
        and coalesce(changes.instrument_id, run_window.instrument_id) = run_window.instrument_id
        and coalesce(changes.timeframe, run_window.timeframe) = run_window.timeframe
) as why on true
where {filter}
order by bars desc, instruments.symbol, run_window.timeframe
"""


@dataclass(frozen=True)
class DirtySeries:
    """One series that the next build recomputes."""

    symbol: str
    timeframe: str
    recompute_from: str
    """Start of the first bar recomputed; -infinity: from the first one."""
    bars: int
    """How many landed bars that is."""
    reasons: list[str]
    since: str | None
    """When the oldest of the changes was logged."""


@dataclass(frozen=True)
class Explanation:
    """Everything that the next build recomputes; nothing when it is empty."""

    series: list[DirtySeries] = field(default_factory=list)
    last_published: str | None = None


def explain_dirty(only: str | None = None) -> Explanation:
    """Return what the next build recomputes, largest first.

    Raises WarehouseError when the server does not answer or dbt cannot compile the models.
    """
    compiled = build.compile_models(MODELS)
    condition = "instruments.symbol = %(symbol)s" if only else "true"
    # The view in the database may be of older code, or not there before the first build.
    changes = compiled["int_unseen_changes"]
    statement = EXPLAIN.format(
        filter=condition,
        int_unseen_changes=changes.sql,
        int_run_window=compiled["int_run_window"].sql.replace(changes.relation, "changes"),
    )
    with database.connect("warehouse explain-dirty") as session:
        session.read_only = True
        cursor = session.execute(statement.encode(), {"symbol": only} if only else None)
        series = [
            DirtySeries(symbol, timeframe, first, bars, reasons, since and output.readable(since))
            for symbol, timeframe, first, bars, reasons, since in cursor.fetchall()
        ]
        return Explanation(series, _last_published(session))


def _last_published(session: psycopg.Connection) -> str | None:
    row = session.execute(
        "select published_at from ops.publication order by publication_id desc limit 1"
    ).fetchone()
    return output.readable(row[0]) if row else None


def print_explanation(told: Explanation, most: int = 40) -> None:
    """Print it for people: the largest series, and the sum of all."""
    when = f"readers see the build of {told.last_published}"
    output.say(when if told.last_published else "nothing is published yet")
    if not told.series:
        output.say("nothing is dirty: the next build recomputes no bar")
        return
    output.table(
        ("symbol", "timeframe", "recompute from", "bars", "why", "since"),
        [
            (s.symbol, s.timeframe, s.recompute_from, s.bars, "; ".join(s.reasons), s.since or "")
            for s in told.series[:most]
        ],
    )
    if len(told.series) > most:
        output.say(f"… and {len(told.series) - most} more (--json has them all)")
    bars = sum(s.bars for s in told.series)
    output.say(f"{len(told.series):,} series, {bars:,} bars")
