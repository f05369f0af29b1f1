"""The catalogue's rules applied to the scratch table, in the catalogue's order."""

from __future__ import annotations

from warehouse.quality.rules import any_broken_sql, broken_rules_sql, load_rules

MAY_BE_NEGATIVE = """(
    select bool_or(r.allow_negative_price) from resolved as r
    where s.symbol = r.symbol and s.session_date >= r.valid_from and s.session_date < r.valid_to
)"""
CONTEXT = """
    select
        s.line,
        s.broken,
        s.symbol,
        %(timeframe)s::text as timeframe,
        %(seconds)s::integer as seconds,
        s.bar_ts,
        s.session_date,
        s.bar_ts at time zone %(zone)s as local_ts,
        s.open,
        s.high,
        s.low,
        s.close,
        s.volume,
        coalesce({negative}, %(allow_negative_price)s) as allow_negative_price,
        now() as known_at,
        x.open_at as session_open_at
    from {scratch} as s
    left join ref.exchange_sessions as x
        on x.calendar = %(calendar)s and s.session_date = x.session_date
"""
# offset 0: round each value once, not again in each predicate.
ROUNDED = """(
    select
        line, broken, symbol, bar_ts, session_date,
        round(open, 10) as open,
        round(high, 10) as high,
        round(low, 10) as low,
        round(close, 10) as close,
        round(volume, 10) as volume
    from scratch
    offset 0
)"""

# Distinct times with prices that break no rule.
TIMES = """(
    select
        null::bigint as line, null::text [] as broken, null::text as symbol,
        t.bar_ts, t.session_date,
        1::numeric as open, 1::numeric as high, 1::numeric as low, 1::numeric as close,
        null::numeric as volume
    from unnest(%(starts)s::timestamptz [], %(sessions)s::date []) as t (bar_ts, session_date)
)"""


def times_sql() -> str:
    """Return the question whether any time of a block breaks a rule, whatever its prices."""
    context = CONTEXT.format(negative="null::boolean", scratch=TIMES)
    return f"""
        select from ({context}) as context where {_escaped(any_broken_sql())} limit 1
    """


def judge_sql(*, is_exact: bool) -> str:
    """Return the statement that sets each bad row aside with the rules it breaks.

    `is_exact`: no value has more decimals than the landing table keeps.
    """
    context = CONTEXT.format(
        negative=MAY_BE_NEGATIVE,
        scratch="scratch" if is_exact else ROUNDED,
    )
    return f"""
        insert into aside (line, rules)
        select
            line,
            case when broken is not null then broken else {_escaped(broken_rules_sql())} end
        from ({context}) as context
        where broken is not null or {_escaped(any_broken_sql())}
    """  # noqa: S608 (predicates of the project's own catalogue)


def _escaped(sql: str) -> str:
    """Escape the percent signs of predicates for psycopg."""
    return sql.replace("%", "%%")


def reasons() -> dict[str, str]:
    """Return why each rule of severity error rejects a row, in the order of the catalogue."""
    return {rule.id: rule.reason for rule in load_rules() if rule.severity == "error"}
