"""The landing tables as the database describes them: nothing about a table is repeated here.

Three kinds are told apart by the catalogue alone. Restatable: `revision` is in the primary key,
other values for a key are its next revision. Ledger: a trigger refuses UPDATE, other values for a
key are refused. State: rows change, other values for a key update it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import class_row

from warehouse.errors import WarehouseError

OWN_LOADERS = ("raw_market.bars", "raw_market.stock_info")
"""Tables whose loader knows more of them than the catalogue does."""
KEPT = frozenset({"source", "batch_id", "known_at", "revision", "updated_at"})
"""Columns that the loader and the database fill, never a file."""

TABLES = """
    select
        c.oid::regclass::text as name,
        c.oid::bigint as oid,
        c.relkind in ('r', 'p') as is_table
    from pg_class as c
    where
        c.relnamespace::regnamespace::text ~ '^raw_'
        and (
            c.relkind = 'v'
            or c.relkind in ('r', 'p')
            and not c.relispartition
            and (
                select count(*) = 2 from pg_attribute as a
                where
                    a.attrelid = c.oid and a.attname in ('source', 'batch_id')
                    and not a.attisdropped
            )
        )
    order by 1
"""
COLUMNS = """
    select
        a.attname as name,
        format_type(a.atttypid, a.atttypmod) as type,
        format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), null) as base,
        a.attnotnull as not_null,
        pg_get_expr(d.adbin, d.adrelid) as default_sql,
        a.attidentity <> '' as is_identity,
        a.attgenerated <> '' or a.attidentity = 'a' as is_generated,
        case when t.typtype = 'd' then obj_description(t.oid, 'pg_type') end as type_comment
    from pg_attribute as a
    inner join pg_type as t on a.atttypid = t.oid
    left join pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
    where a.attrelid = %(oid)s::bigint::oid and a.attnum > 0 and not a.attisdropped
    order by a.attnum
"""
CONSTRAINTS = """
    select
        k.conname as name,
        k.contype::text as kind,
        case when k.contype = 'c' then pg_get_expr(k.conbin, k.conrelid) end as check_sql,
        pg_get_constraintdef(k.oid) as definition,
        obj_description(k.oid, 'pg_constraint') as comment,
        array(
            select a.attname::text from unnest(k.conkey) with ordinality as n (num, place)
            inner join pg_attribute as a on k.conrelid = a.attrelid and n.num = a.attnum
            order by n.place
        ) as columns,
        k.confrelid::regclass::text as foreign_table,
        array(
            select a.attname::text from unnest(k.confkey) with ordinality as n (num, place)
            inner join pg_attribute as a on k.confrelid = a.attrelid and n.num = a.attnum
            order by n.place
        ) as foreign_columns,
        k.condeferrable as is_deferrable
    from pg_constraint as k
    where k.conrelid = %(oid)s::bigint::oid and k.contype in ('p', 'c', 'f', 'u')
    order by k.contype, k.conname
"""
# tgtype 16: UPDATE. Arguments of a trigger end with a zero byte each.
TRIGGERS = """
    select
        p.proname as function,
        (t.tgtype & 16) > 0 as on_update,
        (string_to_array(encode(t.tgargs, 'escape'), '\\000'))[: t.tgnargs] as arguments
    from pg_trigger as t
    inner join pg_proc as p on t.tgfoid = p.oid
    where t.tgrelid = %(oid)s::bigint::oid and not t.tgisinternal
"""


class Kind(StrEnum):
    """What other values for a known key mean."""

    RESTATABLE = "restatable"
    LEDGER = "ledger"
    STATE = "state"


@dataclass
class Column:
    """One column of a landing table."""

    name: str
    type: str
    base: str
    """The type without its domain."""
    not_null: bool
    default_sql: str | None
    is_identity: bool
    is_generated: bool
    """True where nobody but the database may give a value."""
    type_comment: str | None

    @property
    def is_constant_default(self) -> bool:
        """True where leaving the column out gives the same value every time."""
        if self.is_identity or self.is_generated or self.default_sql is None:
            return False
        return "(" not in self.default_sql or self.default_sql.startswith("'")

    @property
    def is_filled(self) -> bool:
        """True where the database fills the column when nobody does."""
        return self.is_identity or self.is_generated or self.default_sql is not None


@dataclass
class Constraint:
    """One constraint; its comment is the reason a user reads in quarantine."""

    name: str
    kind: str
    check_sql: str | None
    definition: str
    comment: str | None
    columns: list[str]
    foreign_table: str
    foreign_columns: list[str]
    is_deferrable: bool

    @property
    def reason(self) -> str:
        """Why a row that breaks it is refused."""
        return self.comment or f"Broken: {self.definition}"


@dataclass
class Landable:
    """One landing table."""

    name: str
    columns: dict[str, Column]
    constraints: list[Constraint]
    kind: Kind
    key: list[str]
    """The primary key without the revision."""
    event: str | None
    """The column with the time of the event, which orders the rows."""
    hint: str | None
    """Of a ledger: what to do instead of changing a row."""
    has_version: bool
    """True where every update must raise `version` by one."""
    prices: list[str]
    """Columns that must be above zero unless the instrument allows other prices."""
    fillable: list[str] = field(init=False)
    """Columns a file may have."""

    def __post_init__(self) -> None:
        """Leave out what the loader or the database fills."""
        self.fillable = [
            name
            for name, column in self.columns.items()
            if name not in KEPT and not column.is_generated
        ]

    @property
    def needs_instrument(self) -> bool:
        """True where the instrument is found by the symbol."""
        found = self.columns.get("instrument_id")
        return bool(found and found.not_null and "symbol" in self.columns and self.event)

    def required(self, landed: Sequence[str]) -> list[str]:
        """Return the columns that a file must have besides the landed ones."""
        missing = []
        for name in self.fillable:
            column = self.columns[name]
            if name in landed or (name == "instrument_id" and self.needs_instrument):
                continue
            # A key that the database makes up would be another one each time the file lands. A
            # ledger's rows can be told apart by all they say, if they say when.
            made_up = name in self.key and not column.is_constant_default
            if self.kind is Kind.LEDGER and not column.base.startswith(("timestamp", "date")):
                made_up = False
            if (column.not_null and not column.is_filled) or (made_up and column.is_filled):
                missing.append(name)
        return missing


def landing_tables(conn: Connection) -> list[str]:
    """Return the names of the tables that any file can land in."""
    rows = conn.execute(TABLES).fetchall()
    return [name for name, _, is_table in rows if is_table and name not in OWN_LOADERS]


def find(conn: Connection, name: str) -> Landable:
    """Read a landing table from the catalogue; the schema may be left out.

    Raises WarehouseError when there is none of the name, or several.
    """
    known: dict[str, tuple[int, bool]] = {
        row[0]: (row[1], row[2]) for row in conn.execute(TABLES) if row[0] not in OWN_LOADERS
    }
    wanted = name.strip().lower()
    found = [each for each in known if wanted in (each, each.partition(".")[2])]
    if len(found) > 1:
        raise WarehouseError(
            f"There are several tables {name!r}: {', '.join(found)}.",
            do=f"name its schema, as in `warehouse land {found[0]} FILE…`",
        )
    if not found:
        tables = [each for each, (_, is_table) in known.items() if is_table]
        plain = {each.partition(".")[2]: each for each in tables}
        near = difflib.get_close_matches(wanted, [*plain, *tables], 3)
        hint = f"near: {', '.join(plain.get(each, each) for each in near)}; " if near else ""
        raise WarehouseError(
            f"There is no landing table {name!r}.",
            do=f"{hint}`warehouse land --tables` lists them all",
        )
    oid, is_table = known[found[0]]
    if not is_table:
        raise WarehouseError(
            f"{found[0]} is a view, which holds no rows of its own.",
            do="land into the table behind it; `warehouse land --tables` lists them",
        )
    return read(conn, found[0], oid)


def read(conn: Connection, name: str, oid: int) -> Landable:
    """Read what the catalogue says of a table or view."""
    asked = {"oid": oid}
    with conn.cursor(row_factory=class_row(Column)) as cursor:
        columns = {each.name: each for each in cursor.execute(COLUMNS, asked)}
    with conn.cursor(row_factory=class_row(Constraint)) as cursor:
        constraints = cursor.execute(CONSTRAINTS, asked).fetchall()
    triggers = conn.execute(TRIGGERS, asked).fetchall()
    key = next((each.columns for each in constraints if each.kind == "p"), [])
    refused = next(
        (args for f, update, args in triggers if f == "refuse_mutation" and update), None
    )
    kind = Kind.STATE if refused is None else Kind.LEDGER
    if "revision" in key:
        kind = Kind.RESTATABLE
    logged = next((args for f, _, args in triggers if f == "log_landed"), None)
    return Landable(
        name=name,
        columns=columns,
        constraints=constraints,
        kind=kind,
        key=[each for each in key if each != "revision"],
        event=logged[1] if logged and len(logged) > 1 else None,
        hint=refused[0] if refused else None,
        has_version=any(f == "check_version" for f, _, _ in triggers),
        prices=next((args[1:] for f, _, args in triggers if f == "refuse_impossible_prices"), []),
    )
