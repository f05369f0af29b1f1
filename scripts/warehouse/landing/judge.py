"""The catalogue's rules applied to the scratch table, in the catalogue's order."""

from __future__ import annotations

from warehouse.quality.rules import any_broken_sql, broken_rules_sql, load_rules

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
        {prices},
        coalesce(i.allow_negative_price, %(allow_negative_price)s) as allow_negative_price,
        now() as known_at,
        x.open_at as session_open_at
    from scratch as s
    left join resolved as r
        on s.symbol = r.symbol and s.session_date >= r.valid_from and s.session_date < r.valid_to
    left join ref.instruments as i on r.instrument_id = i.instrument_id
    left join ref.exchange_sessions as x
        on x.calendar = %(calendar)s and s.session_date = x.session_date
    offset 0
"""
PRICES = ("open", "high", "low", "close", "volume")


def judge_sql() -> str:
    """Return the statement that writes the broken rules of each bad row to `rejected`."""
    prices = ", ".join(f"round(s.{name}, 10) as {name}" for name in PRICES)
    # offset 0 keeps the planner from rounding again in each predicate.
    context = CONTEXT.format(prices=prices)
    return f"""
        insert into rejected (line, rules)
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
