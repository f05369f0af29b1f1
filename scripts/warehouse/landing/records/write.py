"""SQL that finds what is known already and writes the rest."""

from __future__ import annotations

from warehouse.landing.quarantine import ROWS
from warehouse.landing.records.judge import LEDGER_CONFLICT
from warehouse.landing.records.landables import Kind
from warehouse.landing.records.shape import NOT_ASIDE, Shape, listed, literal, q

CONFLICTS = f"""
    insert into aside (line, rules)
    select line, array['{LEDGER_CONFLICT}'] from existing where not same
"""
UNWRITTEN = f"""
    from arrivals as s
    where {NOT_ASIDE} and not exists (select from existing as e where e.line = s._line and e.same)
"""
COUNT = """
    select
        (select count(*) from existing as e where e.same)
        + count(*) filter (where rules is null),
        count(rules)
    from aside
"""
# Rows whose expressions failed are only aside.
ARRIVED = """
    select count(*) from (select _line from sent union select line from aside) as lines
"""
GOOD = """
    select s._line from sent as s left join aside as a on s._line = a.line where a.rules is null
"""
WRITE = """
    insert into ops.quarantine (
        batch_id, dataset, source, file, line, rule, rules, reason, payload, symbol
    )
    select
        %(batch_id)s, %(dataset)s, %(source)s, %(file)s, a.line, a.rules[1], a.rules,
        concat_ws(' ', told.reason, a.reason), p.payload, s.symbol
    from aside as a
    inner join payloads as p on a.line = p.line
    left join ({symbols}) as s on a.line = s._line
    cross join lateral (
        select string_agg(r.reason, ' ' order by n.place) as reason
        from unnest(a.rules) with ordinality as n (rule, place)
        inner join reasons as r on n.rule = r.rule
    ) as told
    where a.rules is not null
    order by a.line
"""


def known(shape: Shape) -> str:
    """Find the rows whose key is landed already, and whether their values are the same."""
    is_restatable = shape.table.kind is Kind.RESTATABLE
    same = [shape.same(name) for name in shape.data]
    if "is_withdrawn" in shape.table.columns and "is_withdrawn" not in shape.landed:
        same.append("not t.is_withdrawn")
    return f"""
        insert into existing (line, revision, same)
        select distinct on (s._line)
            s._line, {"t.revision" if is_restatable else "null"}, {" and ".join(same) or "true"}
        from arrivals as s
        inner join {shape.table.name} as t on {shape.same_row()}
        where {shape.among}
        order by s._line{", t.revision desc" if is_restatable else ""}
    """


def contradicted(shape: Shape, batch_id: int) -> str:
    """Ask whether a row has other values than one that this batch has written already."""
    return f"""
        select from existing as e
        inner join arrivals as s on e.line = s._line
        inner join {shape.table.name} as t on {shape.same_row()}
        where not e.same and t.batch_id = {batch_id}
        limit 1
    """


def todo(shape: Shape) -> str:
    """Number the rows to be written in the order of their events."""
    order = f"{shape.order}, s._line" if shape.order else "s._line"
    return f"""
        create temp table todo as
        select s._line as line, row_number() over (order by {order}) as place
        {UNWRITTEN}
    """


def insert(shape: Shape, *, some: bool, is_known: bool) -> str:
    """Insert the new rows and revisions, all of them or those between two places."""
    table = shape.table
    target, source = listed(shape.written), listed(shape.written, "s")
    joins = wanted = ""
    if is_known:
        joins = " left join existing as e on s._line = e.line"
        wanted = " and e.same is not true"
        if table.kind is Kind.STATE:
            wanted = " and e.line is null"
    if table.kind is Kind.RESTATABLE:
        target += ", revision"
        source += ", coalesce(e.revision + 1, 0)" if is_known else ", 0"
        kept = [
            name
            for name in table.fillable
            if name not in shape.written and name not in (*table.key, "is_withdrawn")
        ]
        if is_known and kept:
            # What the file does not say of a known row stays as it was.
            joins += (
                f" left join {table.name} as t on {shape.same_row()} and t.revision = e.revision"
            )
            for name in kept:
                default = table.columns[name].default_sql or "null"
                target += f", {q(name)}"
                source += f", case when e.line is null then {default} else t.{q(name)} end"
    if some:
        joins += " inner join todo as d on s._line = d.line"
        wanted += " and d.place between {low} and {high}"
    order = "d.place" if some else (f"{shape.order}, s._line" if shape.order else "s._line")
    return f"""
        insert into {table.name} ({target})
        select {source} from arrivals as s{joins}
        where {shape.among}{wanted}
        order by {order}
    """


def update(shape: Shape, *, some: bool) -> str:
    """Write other values of known rows over what they were."""
    changed = [f"{q(name)} = s.{q(name)}" for name in [*shape.data, "source", "batch_id"]]
    if shape.table.has_version and "version" not in shape.landed:
        changed.append("version = t.version + 1")
    joins = " inner join todo as d on s._line = d.line" if some else ""
    wanted = " and d.place between {low} and {high}" if some else ""
    return f"""
        update {shape.table.name} as t set {", ".join(changed)}
        from arrivals as s inner join existing as e on s._line = e.line{joins}
        where not e.same and {shape.among}{wanted} and {shape.same_row()}
    """


def write(shape: Shape) -> str:
    """Write the quarantine."""
    symbol = "symbol::text" if "symbol" in shape.table.columns else "null::text as symbol"
    return WRITE.format(symbols=f"select _line, {symbol} from sent")


def whole_groups(shape: Shape, headers: list[str]) -> str:
    """Keep all rows of a group in its payload, so that a replay can make it again."""
    whole = ", ".join(f"{literal(name)}, {q(name)}" for name in headers)
    return f"""
        update payloads as p
        set payload = jsonb_build_object({literal(ROWS)}, g.rows)
        from (
            select _first, jsonb_agg(jsonb_build_object({whole}) order by _line) as rows
            from (
                select *, min(_line) over (partition by {listed(shape.profile.group)}) as _first
                from raw where _broken is null
            ) as grouped
            group by _first
        ) as g
        where p.line = g._first
    """
