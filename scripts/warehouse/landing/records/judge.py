"""SQL that sets rows aside: what breaks a type, a constraint of the table, or a key."""

from __future__ import annotations

from warehouse.landing.records.landables import Constraint
from warehouse.landing.records.shape import NOT_ASIDE, Shape, literal, q

MERGE = """
    on conflict (line) do update set
        rules = aside.rules || excluded.rules,
        reason = nullif(concat_ws(' ', aside.reason, excluded.reason), '')
"""
READ_RULES = "insert into aside select _line, _broken from sent where _broken is not null"
RULES = "select rule, count(*) from aside, unnest(rules) as rule group by 1 order by 1"
LEDGER_CONFLICT = "conflicts_with_landed"
IMPOSSIBLE_PRICE = "non_positive_price"
REASONS = {
    "malformed_row": "The line has more or fewer columns than the header.",
    "repeated_header": "The line repeats the header.",
    "conflicting_duplicate": (
        "Another row of this file has the same key with other values: nobody can say which is"
        " right."
    ),
    IMPOSSIBLE_PRICE: (
        "A price is zero or below, and its instrument allows no such prices. Where nobody bids or"
        " asks, the price is left empty."
    ),
}
COLUMN_REASONS = {
    "missing_value": "{} is missing.",
    "zero_byte": "{} has the character zero, which no text of PostgreSQL can have.",
    "bad_time": "{} is no date or time.",
    "ambiguous_time": "{} occurred twice when clocks were put back.",
    "nonexistent_time": "{} never was: clocks were put forward.",
}


def unreadable(shape: Shape, relation: str = "unread", prefix: str = "") -> str:
    """Say which value of a row has not the type of its column, and why."""
    rules, told = [], []
    for name in shape.landed:
        if name in shape.profile.constants or (prefix and name in shape.profile.expressions):
            continue
        column = shape.table.columns[name]
        value, kind = q(prefix + name), literal(column.type)
        bad = f"case when not pg_input_is_valid({value}, {kind}) then"
        rules.append(f"{bad} {literal('bad_value:' + name)} end")
        comment = literal(f" ({column.type_comment})" if column.type_comment else "")
        told.append(
            f"{bad} {literal(name + ': ')}"
            f" || (pg_input_error_info({value}, {kind})).message || {comment} end"
        )
    return f"""
        insert into aside (line, rules, reason)
        select _line, rules, nullif(concat_ws('; ', {", ".join(told) or "null"}), '')
        from (
            select *, array_remove(array[{", ".join(rules)}]::text [], null) as rules
            from {relation}
        ) as judged
        where cardinality(rules) > 0
        on conflict (line) do update set rules = excluded.rules, reason = excluded.reason
    """


def defaults(shape: Shape, nulls: set[str]) -> list[str]:
    """Give empty values of columns that cannot be NULL their default, where that is a constant."""
    columns = [shape.table.columns[name] for name in shape.landed if name in nulls]
    return [
        f"update sent set {q(each.name)} = {each.default_sql}"
        f" where {q(each.name)} is null and _broken is null"
        for each in columns
        if each.not_null and each.is_constant_default
    ]


def missing(shape: Shape, nulls: set[str]) -> str | None:
    """Set rows aside that lack a value; `nulls` are the columns where some is empty."""
    asked = [name for name in shape.landed if shape.table.columns[name].not_null and name in nulls]
    return _judge({f"missing_value:{name}": f"s.{q(name)} is null" for name in asked})


def checks(shape: Shape) -> str | None:
    """Set rows aside that break a check, each under the name of its constraint."""
    generated = {c.name for c in shape.table.columns.values() if c.is_generated}
    return _judge(
        {
            each.name: f"({each.check_sql}) is false"
            for each in shape.table.constraints
            if each.kind == "c" and generated.isdisjoint(each.columns)
        },
    )


def _judge(broken: dict[str, str]) -> str | None:
    if not broken:
        return None
    rules = ", ".join(f"case when {sql} then {literal(rule)} end" for rule, sql in broken.items())
    return f"""
        insert into aside (line, rules)
        select s._line, array_remove(array[{rules}]::text [], null)
        from sent as s
        where s._broken is null and ({" or ".join(broken.values())})
        {MERGE}
    """


def strangers(shape: Shape) -> list[str]:
    """Set rows aside that refer to what is not there, or repeat what must be unique."""
    made = []
    for each in shape.table.constraints:
        if each.kind == "f" and not set(each.columns).isdisjoint(shape.landed):
            made.append(_foreign(shape, each))
        is_said = set(each.columns) <= {*shape.landed, "source"}
        if each.kind == "u" and is_said and set(each.columns) != set(shape.identity):
            made.append(_unique(shape, each))
    if shape.table.prices:
        made.append(_impossible_prices(shape))
    return made


def _impossible_prices(shape: Shape) -> str:
    """Set rows aside that a trigger would refuse for their price: all at once, not one by one."""
    lowest = f"least({', '.join(f's.{q(name)}' for name in shape.table.prices)})"
    kept = "and not coalesce(s.is_withdrawn, false)" if "is_withdrawn" in shape.landed else ""
    return f"""
        insert into aside (line, rules)
        select s._line, array[{literal(IMPOSSIBLE_PRICE)}]
        from arrivals as s
        inner join ref.instruments as i on s.instrument_id = i.instrument_id
        where s._broken is null and {lowest} <= 0 and not i.allow_negative_price {kept}
        {MERGE}
    """


def _foreign(shape: Shape, each: Constraint) -> str:
    pairs = [*zip(each.columns, each.foreign_columns, strict=True)]
    has_all = " and ".join(f"s.{q(ours)} is not null" for ours, _ in pairs)
    same = " and ".join(f"r.{q(theirs)} = s.{q(ours)}" for ours, theirs in pairs)
    beside = ""
    if each.foreign_table == shape.table.name:
        good = NOT_ASIDE.replace("s._line", "r._line")
        beside = f"and not exists (select from arrivals as r where {same} and {good})"
    return f"""
        insert into aside (line, rules)
        select s._line, array[{literal(each.name)}]
        from arrivals as s
        where
            s._broken is null and {has_all}
            and not exists (select from {each.foreign_table} as r where {same})
            {beside}
        {MERGE}
    """


def _unique(shape: Shape, each: Constraint) -> str:
    same = " and ".join(f"t.{q(name)} = s.{q(name)}" for name in each.columns)
    return f"""
        insert into aside (line, rules)
        select s._line, array[{literal(each.name)}]
        from arrivals as s
        where
            s._broken is null
            and exists (
                select from {shape.table.name} as t where {same} and not ({shape.same_row()})
            )
        {MERGE}
    """


def has_repeats(shape: Shape) -> str:
    """Ask whether the file has a key more than once."""
    return f"""
        select exists (
            select from arrivals as s where {shape.among}
            group by {shape.grouped(shape.identity)} having count(*) > 1
        )
    """


def repeats(shape: Shape) -> str:
    """Set rows aside whose key the file has more than once."""
    values = shape.grouped([*shape.identity, *shape.data])
    return f"""
        with keyed as (
            select
                s._line,
                min(s._line) over same_values as first_line,
                min(s._line) over same_key as key_line,
                max(s._line) over same_key as key_last
            from arrivals as s
            where {shape.among}
            window
                same_key as (partition by {shape.grouped(shape.identity)}),
                same_values as (partition by {values})
        ),

        twice as (
            select
                _line, first_line,
                bool_or(first_line <> key_line) over (partition by key_line) as conflicts
            from keyed
            where key_line <> key_last
        )

        insert into aside (line, rules)
        select _line, case when conflicts then array['conflicting_duplicate'] end from twice
        where conflicts or _line <> first_line
    """


def reasons(shape: Shape) -> dict[str, str]:
    """Return why each rule sets a row aside."""
    hint = shape.table.hint or "Append a row that corrects the first one."
    told = REASONS | {
        LEDGER_CONFLICT: f"A row with this key has landed with other values, and stays. {hint}"
    }
    for name in shape.landed:
        told |= {f"{rule}:{name}": text.format(name) for rule, text in COLUMN_REASONS.items()}
    return told | {each.name: each.reason for each in shape.table.constraints}
