"""Chunks of a source as text for COPY into the scratch table of a landing table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import WarehouseError
from warehouse.landing.bars.copytext import escaped, joined_rows
from warehouse.landing.records.as_text import TextSource
from warehouse.landing.records.landables import KEPT, Landable
from warehouse.landing.records.profile import RecordProfile
from warehouse.landing.records.times import read_times

NUMBERS = ("numeric", "double precision", "real", "integer", "bigint", "smallint")
WHOLE = ("integer", "bigint", "smallint")


@dataclass
class Batch:
    """Some rows, each column as text."""

    columns: list[str]
    texts: list[pa.Array]
    broken: pa.Array | None
    """Rules that reading alone found broken, as the text of an array."""
    rows: int
    position: int
    symbols: pa.DictionaryArray | None = None

    def data(self) -> bytes:
        """Return the rows for COPY."""
        texts = self.texts if self.broken is None else [*self.texts, self.broken]
        return joined_rows(texts)


@dataclass
class RecordReader:
    """Turns the chunks of a source into rows of the scratch table."""

    source: TextSource
    profile: RecordProfile
    table: Landable
    header_of: dict[str, str] = field(init=False)
    """The file's header of each of our columns."""
    ignored: list[str] = field(init=False)
    rows: int = 0
    has_broken: bool = False
    nulls: set[str] = field(default_factory=set)
    """Our columns where some value is empty."""
    symbols: dict[str, None] = field(default_factory=dict)
    """In the order in which they come."""

    def __post_init__(self) -> None:
        """Match the file's columns with the table's.

        Raises WarehouseError naming columns that are missing, or that the table does not have.
        """
        table, profile, found = self.table, self.profile, self.source.columns
        named = {**profile.columns, **profile.constants, **profile.expressions}
        strange = [name for name in named if name not in table.fillable]
        if strange:
            kept = [name for name in strange if name in KEPT and name in table.columns]
            raise WarehouseError(
                f"The profile fills {', '.join(strange)}, which "
                + (f"the loader fills itself in {table.name}." if kept else f"{table.name} lacks."),
                where=self.source.name,
                do=f"use some of: {', '.join(table.fillable)}",
            )
        self.header_of = profile.headers(found, table.fillable)
        missing = [name for name in self.header_of.values() if name not in found]
        missing += [name for name in (*profile.filter, *profile.group) if name not in found]
        landed = [*self.header_of, *profile.constants, *profile.expressions]
        missing += [] if missing else table.required(landed)
        if missing:
            raise WarehouseError(
                f"The column {', '.join(map(repr, dict.fromkeys(missing)))} is missing for"
                f" {table.name}; the file has {', '.join(map(repr, found))}.",
                where=self.source.name,
                do="map your headers in a profile (`columns: {ours: theirs}`), give a constant or"
                " an expression there, or land another file",
            )
        self.is_raw = bool(profile.expressions or profile.group)
        used = {*self.header_of.values(), *profile.filter}
        told = " ".join(profile.expressions.values())
        self.ignored = [name for name in found if name not in used and name not in told]

    @property
    def landed(self) -> list[str]:
        """Return the table's columns that get a value from the file or its profile."""
        profile = self.profile
        return [
            name
            for name in self.table.fillable
            if name in self.header_of or name in profile.constants or name in profile.expressions
        ]

    @property
    def needed(self) -> list[str]:
        """Return the headers that are read."""
        if self.is_raw:
            return self.source.columns
        return list(dict.fromkeys([*self.header_of.values(), *self.profile.filter]))

    def batches(self) -> Iterator[Batch]:
        """Stream the rows; those that are no row of the file's columns come broken and empty."""
        for chunk in self.source.chunks(self.needed or None):
            lines, table = self._filtered(pa.array(chunk.lines), chunk.table)
            if len(lines):
                self.rows += len(lines)
                yield self._batch(lines, table, chunk.position)
            if chunk.malformed:
                numbers = pa.array([str(line) for line, _ in chunk.malformed])
                rules = pa.array(["{malformed_row}"] * len(numbers))
                self.rows += len(numbers)
                self.has_broken = True
                yield Batch(["_line", "_broken"], [numbers], rules, len(numbers), chunk.position)

    def _filtered(self, lines: pa.Array, table: pa.Table) -> tuple[pa.Array, pa.Table]:
        """Leave out rows that the profile does not ask for, and empty ones where it says so."""
        for name, wanted in self.profile.filter.items():
            values = pa.array([wanted] if isinstance(wanted, str) else wanted, pa.string())
            mask = pc.is_in(table[name], value_set=values).combine_chunks()
            lines, table = lines.filter(mask), table.filter(mask)
        if self.profile.skip_empty_lines and table.num_rows:
            keep: pa.Array | None = None
            for name in table.column_names:
                has = pc.is_valid(self._nulled(_whole(table[name])))
                keep = has if keep is None else pc.or_(keep, has)
            lines, table = lines.filter(keep), table.filter(keep)
        return lines, table

    def _nulled(self, values: pa.Array) -> pa.Array:
        nulls = pa.array(self.profile.null_values, pa.string())
        if not len(nulls):
            return values
        mask = pc.is_in(values, value_set=nulls)
        if not pc.any(mask, min_count=0).as_py():
            return values
        return pc.if_else(mask, pa.scalar(None, pa.string()), values)

    def _batch(self, lines: pa.Array, table: pa.Table, position: int) -> Batch:
        broken = Broken(len(lines))
        header = self._repeated_header(table)
        broken.add("repeated_header", header)
        symbols: pa.DictionaryArray | None = None
        names, texts = ["_line"], [lines.cast(pa.string())]
        sent = {name: _whole(table[name]) for name in self.needed}
        nulled = {name: self._nulled(values) for name, values in sent.items()}
        for name, at in self.header_of.items():
            values = nulled[at] if header is None else pc.if_else(header, None, nulled[at])
            names.append(f"={name}" if self.is_raw else name)
            converted = self._converted(name, values, broken)
            if converted.null_count:
                self.nulls.add(name)
            if name == "symbol":
                symbols = converted.dictionary_encode()
                self.symbols |= dict.fromkeys(symbols.dictionary.to_pylist())
            texts.append(escaped(converted))
        if self.is_raw:
            names += sent
            texts += [escaped(values) for values in nulled.values()]
        if broken.rules is not None:
            names.append("_broken")
            self.has_broken = True
        return Batch(names, texts, broken.text(), len(lines), position, symbols)

    def _converted(self, name: str, values: pa.Array, broken: Broken) -> pa.Array:
        """Return a column as PostgreSQL reads it."""
        column = self.table.columns[name]
        base = column.base
        zeros = pc.match_substring(values, "\0")
        if pc.any(zeros, min_count=0).as_py():
            # No text of PostgreSQL has the character zero.
            broken.add(f"zero_byte:{name}", zeros)
            values = pc.if_else(zeros, pa.scalar(None, pa.string()), values)
        if base in ("date", "timestamp with time zone"):
            values, rules = read_times(values, base, self.profile, self.source.name)
            for rule, mask in rules.items():
                broken.add(f"{rule}:{name}", mask)
        elif base in NUMBERS:
            if self.profile.decimal == ",":
                values = pc.replace_substring(pc.replace_substring(values, ".", ""), ",", ".")
            if base in WHOLE and pc.any(pc.match_substring(values, "."), min_count=0).as_py():
                # A column with gaps is often written as if its whole numbers had decimals.
                values = pc.replace_substring_regex(values, r"\.0+$", "")
        elif base.endswith("[]"):
            values = pa.array([_array(value) for value in values.to_pylist()], pa.string())
        return values

    def _repeated_header(self, table: pa.Table) -> pa.Array | None:
        """Find rows equal to the header: files glued together, or two header lines."""
        found: pa.Array | None = None
        for name in table.column_names:
            same = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(_whole(table[name])), name), False)
            found = same if found is None else pc.and_(found, same)
            if not pc.any(found, min_count=0).as_py():
                return None
        return found


class Broken:
    """Collects the rules that reading finds broken in each row, as the text of an array."""

    def __init__(self, count: int) -> None:
        """Begin with none."""
        self.count = count
        self.rules: pa.Array | None = None

    def add(self, rule: str, mask: pa.Array | None) -> None:
        """Add a rule to the rows of a mask."""
        if mask is None or not pc.any(mask, min_count=0).as_py():
            return
        mask = pc.fill_null(mask, False)
        now = pa.repeat(pa.scalar(""), self.count) if self.rules is None else self.rules
        quoted = f'"{escaped(pa.array([rule]))[0].as_py()}"'
        more = pc.binary_join_element_wise(now, pa.scalar(quoted), pa.scalar(","))
        added = pc.if_else(pc.equal(now, ""), pa.scalar(quoted), more)
        self.rules = pc.if_else(mask, added, now)

    def text(self) -> pa.Array | None:
        """Return the arrays, or nothing where every row is fine."""
        if self.rules is None:
            return None
        listed = pc.binary_join_element_wise(pa.scalar("{"), self.rules, pa.scalar("}"), "")
        return pc.if_else(pc.equal(self.rules, ""), pa.scalar(None, pa.string()), listed)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, column.type)
    return array


def _array(value: str | None) -> str | None:
    """Return a JSON list as an array of PostgreSQL; anything else as it is."""
    if value is None or not value.lstrip().startswith("["):
        return value
    try:
        items = json.loads(value)
    except ValueError:
        return value
    quoted = [
        "NULL" if item is None else json.dumps(str(item), ensure_ascii=False) for item in items
    ]
    return "{" + ",".join(quoted) + "}"
