"""SQL that fills the scratch tables of a landing."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.landing.records.shape import Shape, listed, literal, q

CREATE = """
    create temp table aside (line bigint primary key, rules text [], reason text);
    create temp table existing (line bigint primary key, revision integer, same boolean);
    create temp table reasons (rule text primary key, reason text not null);
"""
RESOLVED = """
    create temp table resolved (
        symbol text, valid_from date, valid_to date, instrument_id integer,
        allow_negative_price boolean
    )
"""


def create(shape: Shape) -> list[str]:
    """Make the table of what is sent; what no row says has its default."""
    name = shape.table.name
    made = [
        "create temp table sent as select null::bigint as _line, null::text [] as _broken, t.*"
        f" from {name} as t where false",
    ]
    for column in shape.table.columns.values():
        if column.name in shape.profile.constants:
            value = literal(shape.profile.constants[column.name])
            made.append(f"alter table sent alter column {q(column.name)} set default {value}")
        elif (
            column.name not in (*shape.landed, "source", "batch_id") and column.is_constant_default
        ):
            default = column.default_sql
            made.append(f"alter table sent alter column {q(column.name)} set default {default}")
    texts = ", ".join(f"{q(name)} text" for name in shape.landed)
    return [*made, f"create temp table unread (_line bigint, _broken text [], {texts})", CREATE]


def create_raw(shape: Shape, headers: Sequence[str]) -> str:
    """Make the table of every header as text."""
    columns = [f"={name}" for name in shape.landed] + [*headers]
    texts = ", ".join(f"{q(name)} text" for name in columns)
    return f"create temp table raw (_line bigint, _broken text [], {texts})"


def copy(relation: str, columns: Sequence[str]) -> str:
    """Copy rows, all or none of them."""
    return f"copy {relation} ({listed(columns)}) from stdin"


def read_again(shape: Shape) -> str:
    """Take the good rows of the batches that had a bad one."""
    names = [name for name in shape.landed if name not in shape.profile.constants]
    values = ", ".join(f"{q(name)}::{shape.table.columns[name].type}" for name in names)
    return f"""
        insert into sent (_line, _broken, {listed(names)})
        select _line, _broken, {values} from unread
        where not exists (select from aside as a where a.line = unread._line)
    """


def express(shape: Shape, where: str) -> str:
    """Compute the expressions of the profile."""
    shown = {}
    for name in shape.landed:
        kind = shape.table.columns[name].type
        if name in shape.profile.expressions:
            shown[name] = f"({shape.profile.expressions[name]})::{kind}"
        elif name not in shape.profile.constants:
            value = q("=" + name)
            shown[name] = f"min({value})::{kind}" if shape.profile.group else f"{value}::{kind}"
    if not shape.profile.group:
        return (
            f"insert into sent (_line, {listed(shown)})"
            f" select _line, {', '.join(shown.values())} from raw where {where}"
        )
    return f"""
        insert into sent (_line, {listed(shown)})
        select _first, {", ".join(shown.values())}
        from (
            select *, min(_line) over (partition by {listed(shape.profile.group)}) as _first
            from raw where _broken is null
        ) as grouped
        where {where.replace("_line", "_first")}
        group by _first
    """


def express_each(shape: Shape) -> str:
    """Compute the expressions row by row, setting aside those where one raises."""
    lines = "_line from raw where _broken is null"
    if shape.profile.group:
        lines = f"min({lines.replace(' from', ') from', 1)} group by {listed(shape.profile.group)}"
    return f"""
        do $each$
        declare
            one bigint;
        begin
            for one in select {lines} loop
                begin
                    {express(shape, "_line = one")};
                exception when others then
                    insert into aside values (one, array['expression_failed'], sqlerrm || '.');
                end;
            end loop;
        end $each$
    """


def symbols(shape: Shape, zone: str) -> list[str]:
    """Make what scratch.py finds instruments with: line, symbol and session of each row."""
    event = q(str(shape.table.event))
    return [
        RESOLVED,
        f"""
        create temp view scratch as
        select
            s._line as line, s.symbol::text, {_day(shape, zone)} as session_date,
            s._broken as broken
        from sent as s where s.symbol is not null and s.{event} is not null
        """,
    ]


def days(shape: Shape, zone: str) -> str:
    """Ask for the first and last day of the rows, or a day more."""
    event = q(str(shape.table.event))
    return f"""
        select min({_day(shape, zone)}) - 1, max({_day(shape, zone)}) + 1
        from (
            select min({event}) as {event} from sent union all select max({event}) from sent
        ) as s
    """


def arrivals(shape: Shape, batch_id: int, zone: str, *, always: bool) -> str:
    """Make the view of the rows with their instruments; `always`: no symbol ever changed hands."""
    # Evaluated once, not for every row.
    kept = {
        "source": f"(select {literal(shape.profile.source)}::{shape.table.columns['source'].type})",
        "batch_id": f"(select {batch_id}::bigint)",
    }
    shown = {name: kept.get(name, f"s.{q(name)}") for name in shape.table.columns}
    joined = ""
    if shape.finds_instrument:
        day = _day(shape, zone)
        during = "" if always else f" and {day} >= r.valid_from and {day} < r.valid_to"
        shown["instrument_id"] = "r.instrument_id"
        joined = f" left join resolved as r on s.symbol = r.symbol{during}"
    columns = ", ".join(f"{value} as {q(name)}" for name, value in shown.items())
    return f"""
        create temp view arrivals as
        select s._line, s._broken, {columns} from sent as s{joined}
    """


def _day(shape: Shape, zone: str) -> str:
    event = f"s.{q(str(shape.table.event))}"
    if shape.table.columns[str(shape.table.event)].base == "date":
        return event
    # Midnight in UTC stands for a whole session, as in bars of a day.
    return (
        f"(case when date_trunc('day', {event}, 'UTC') = {event} then {event} at time zone 'UTC'"
        f" else {event} at time zone {literal(zone)} end)::date"
    )
