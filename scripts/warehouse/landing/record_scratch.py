"""SQL that fills the scratch tables of a landing."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.landing.record_shape import Shape, listed, literal, q

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


def create(shape: Shape, batch_id: int) -> list[str]:
    """Make the table of what is sent; what no row says has its default."""
    name = shape.table.name
    made = [
        "create temp table sent as select null::bigint as _line, null::text [] as _broken, t.*"
        f" from {name} as t where false",
        f"alter table sent alter column source set default {literal(shape.profile.source)}",
        f"alter table sent alter column batch_id set default {batch_id}",
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
    return [*made, f"create temp table unread (_line bigint, {texts})", CREATE]


def create_raw(shape: Shape, headers: Sequence[str]) -> str:
    """Make the table of every header as text."""
    columns = [f"={name}" for name in shape.landed] + [*headers]
    texts = ", ".join(f"{q(name)} text" for name in columns)
    return f"create temp table raw (_line bigint primary key, _broken text [], {texts})"


def copy(relation: str, columns: Sequence[str]) -> str:
    """Copy rows; those that cannot be read are passed over, and counted by nobody."""
    return f"copy {relation} ({listed(columns)}) from stdin (on_error ignore, log_verbosity silent)"


def copy_text(columns: Sequence[str]) -> str:
    """Copy rows as text."""
    return f"copy unread ({listed(columns)}) from stdin"


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


def arrivals(shape: Shape, zone: str) -> list[str]:
    """Make the views of the rows with their instruments."""
    if not shape.finds_instrument:
        return ["create temp view arrivals as select * from sent"]
    event = q(str(shape.table.event))
    day = f"s.{event}"
    if shape.table.columns[str(shape.table.event)].base != "date":
        # Midnight in UTC stands for a whole session, as in bars of a day.
        day = (
            f"(case when date_trunc('day', s.{event}, 'UTC') = s.{event}"
            f" then s.{event} at time zone 'UTC'"
            f" else s.{event} at time zone {literal(zone)} end)::date"
        )
    others = [name for name in shape.table.columns if name != "instrument_id"]
    return [
        RESOLVED,
        f"""
        create temp view scratch as
        select s._line as line, s.symbol::text, {day} as session_date, s._broken as broken
        from sent as s where s.symbol is not null and s.{event} is not null
        """,
        f"""
        create temp view arrivals as
        select s._line, s._broken, {listed(others, "s")}, r.instrument_id
        from sent as s
        left join resolved as r
            on s.symbol = r.symbol and {day} >= r.valid_from and {day} < r.valid_to
        """,
    ]
