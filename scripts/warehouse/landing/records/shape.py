"""What makes two rows of a landing table the same one, and which columns are written.

The SQL of a landing is made from it, see record_scratch, record_judge and record_write. Temporary
relations: sent has the rows as read, typed as the table; unread the rows with a value that has not
the type of its column, as text; raw, only for expressions, every header as text. arrivals is sent
with the instrument found. aside: rows set aside with the rules they break, without any when they
repeat another row. existing: rows whose key the table has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from warehouse.landing.records.landables import KEPT, Kind, Landable
from warehouse.landing.records.profile import RecordProfile

NOT_ASIDE = "not exists (select from aside as a where a.line = s._line)"


def q(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Quote a value."""
    return sql.Literal(value).as_string(None)


def listed(names: Iterable[str], alias: str = "") -> str:
    """Return quoted names with commas between."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + q(name) for name in names)


@dataclass
class Shape:
    """One table, and the columns that a file brings to it."""

    table: Landable
    profile: RecordProfile
    landed: list[str]

    def __post_init__(self) -> None:
        """Find out what makes two rows the same one."""
        table = self.table
        self.finds_instrument = table.needs_instrument and "instrument_id" not in self.landed
        self.is_aside = False
        self.by_content = False
        self.identity = table.key
        unsaid = [name for name in table.key if not self._is_said(name)]
        if unsaid:
            uniques = [each.columns for each in table.constraints if each.kind == "u"]
            whole = [each for each in uniques if all(self._is_said(name) for name in each)]
            self.by_content = not whole
            said = [name for name in table.key if name not in unsaid]
            self.identity = whole[0] if whole else [*dict.fromkeys([*said, *self.landed])]
        data = [name for name in self.landed if name not in self.identity]
        self.data = [name for name in data if name not in table.key]
        keys = [name for name in table.key if self._is_said(name)]
        self.written = [*dict.fromkeys([*keys, *self.landed, "source", "batch_id"])]
        self.order = ", ".join(
            f"s.{q(name)}"
            for name in dict.fromkeys([*self._counters(), table.event, *keys])
            if name in self.written and name != "source"
        )

    def _counters(self) -> list[str]:
        """Return the columns that count the rows of an entity, where its times do not order them.

        A trigger may insist on 1, 2, 3 …; files come in any order.
        """
        table = self.table
        if table.event in table.key:
            return []
        unique = [each.columns for each in table.constraints if each.kind in ("p", "u")]
        return [
            name
            for name, column in table.columns.items()
            if column.base in ("integer", "bigint") and any(name in each for each in unique)
        ]

    def _is_said(self, name: str) -> bool:
        """Tell whether a row says the column itself, the same each time."""
        column = self.table.columns[name]
        return (
            name in self.landed
            or name == "source"
            or (name == "instrument_id" and self.finds_instrument)
            or (column.is_constant_default and name not in KEPT - {"source"})
        )

    @property
    def among(self) -> str:
        """Return the condition that s is not set aside, for as long as it matters."""
        return NOT_ASIDE if self.is_aside else "true"

    @property
    def is_keyed(self) -> bool:
        """True where the primary key itself refuses a row that is there twice."""
        return self.identity == self.table.key and self.table.kind is not Kind.STATE

    def grouped(self, names: Sequence[str]) -> str:
        """Return columns to group by."""
        return ", ".join(f"s.{q(name)}{self.comparable(name)}" for name in names)

    def comparable(self, name: str) -> str:
        """Return a cast for types that cannot be compared."""
        return "::text" if self.table.columns[name].base in ("json", "xml", "point") else ""

    def same_row(self) -> str:
        """Return the condition that t, of the table, is the row s."""
        sure = [name for name in self.identity if self.table.columns[name].not_null]
        parts = [f"t.{q(name)} = s.{q(name)}" for name in sure]
        parts += [self.same(name) for name in self.identity if name not in sure]
        return " and ".join(parts)

    def same(self, name: str) -> str:
        """Return the condition that a column of t and s is the same, NULL included."""
        cast = self.comparable(name)
        return f"t.{q(name)}{cast} is not distinct from s.{q(name)}{cast}"
