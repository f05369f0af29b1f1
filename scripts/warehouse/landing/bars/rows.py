"""Chunks of a source as text for COPY, with the parse rules each row breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import WarehouseError
from warehouse.landing.bars import copybinary, scratch
from warehouse.landing.bars.copytext import NULL, escaped, joined_rows
from warehouse.landing.calendars import Calendar
from warehouse.landing.numbers import Decimals, exact_decimals, is_exact, numeric_text
from warehouse.landing.profile import Profile
from warehouse.landing.readers import Chunk, Source
from warehouse.landing.times import TimeReader, distinct

COLUMNS = (
    "line", "symbol", "bar_ts", "session_date",
    "open", "high", "low", "close", "volume", "broken",
)  # fmt: skip

Item = TypeVar("Item")


@dataclass
class Tally:
    """What went by while a source was read."""

    rows: int = 0
    arrived: int = 0
    """Rows that the server says it took."""
    position: int = 0
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    first_ts: pd.Timestamp | None = None
    last_ts: pd.Timestamp | None = None
    symbols: dict[str, None] = field(default_factory=dict)
    """In the order in which they came."""
    is_exact: bool = True
    """True while no value had more decimals than the landing table keeps."""
    in_order: bool = True
    """True while no symbol came twice and its times only rose: then nothing is repeated."""


@dataclass
class Text:
    """Rows as the scratch table reads them, with the rules that reading found broken."""

    data: bytes

    def for_scratch(self) -> tuple[str, bytes]:
        """Return the COPY statement and its data."""
        return scratch.COPY, self.data


@dataclass
class Plain:
    """Rows that reading found no fault with, as columns."""

    lines: pa.Array
    symbols: pa.DictionaryArray
    starts: pa.Array
    """Distinct times in Unix microseconds, with the midnights of their sessions."""
    sessions: pa.Array
    time: pa.Array
    """Which of them each row has."""
    numbers: list[Decimals]

    def fields(self) -> list[copybinary.Field]:
        """Encode the columns that every way of landing needs, from symbol to volume."""
        count = len(self.lines)
        numbers = [copybinary.numeric(each) for each in self.numbers]
        if len(numbers) < 5:
            numbers.append(copybinary.nulls(count))
        return [
            copybinary.text(self.symbols),
            copybinary.timestamps(self.starts.take(self.time).to_numpy()),
            copybinary.dates(self.sessions.take(self.time).to_numpy()),
            *numbers,
        ]

    def for_scratch(self) -> tuple[str, bytes]:
        """Return the COPY statement and its data."""
        count = len(self.lines)
        lines = copybinary.bigint(self.lines.to_numpy())
        fields = [lines, *self.fields(), copybinary.nulls(count)]
        return scratch.COPY_BINARY, copybinary.joined_rows(fields, count)


Part = Text | Plain


class RowReader:
    """Turns the chunks of one source into rows of the scratch table."""

    def __init__(self, source: Source, profile: Profile, calendar: Calendar) -> None:
        """Check that every column the profile names is there.

        Raises WarehouseError naming those that are missing.
        """
        self.source = source
        self.profile = profile
        self.times = TimeReader(profile, calendar, source.name)
        self.tally = Tally()
        self._last: tuple[str, int] | None = None
        columns = profile.columns
        needed = [*columns.symbols, *columns.timestamps, *columns.numbers.values(), *profile.filter]
        self.needed = list(dict.fromkeys(needed))
        missing = [name for name in self.needed if name not in source.columns]
        if missing:
            raise WarehouseError(
                f"The column {', '.join(repr(name) for name in missing)} is missing; "
                f"the file has {', '.join(repr(name) for name in source.columns)}.",
                where=source.name,
                do="name the right columns in the source profile, or land another file",
            )

    def copies(self) -> Iterator[tuple[str, bytes]]:
        """Stream the rows as COPY statements into the scratch table and their data."""
        for part in self.parts():
            yield part.for_scratch()

    def parts(self) -> Iterator[Part]:
        """Stream the rows, as columns where every row of a block is plain."""
        for chunk in self.source.chunks(self.needed):
            lines, table = self._filtered(chunk)
            self.tally.position = chunk.position
            if table.num_rows:
                try:
                    yield self._part(lines, table)
                except pa.ArrowException as error:
                    raise WarehouseError(
                        f"A column has a type that is no text, number or time: {error}",
                        where=self.source.name,
                        do="write the file again with plain columns",
                    ) from None
            if chunk.malformed:
                rows = "".join(
                    f"{line}\t" + f"{NULL}\t" * (len(COLUMNS) - 2) + "{malformed_row}\n"
                    for line, _ in chunk.malformed
                )
                yield Text(rows.encode())
            self.tally.rows += len(lines) + len(chunk.malformed)

    def _filtered(self, chunk: Chunk) -> tuple[pa.Array, pa.Table]:
        """Keep the rows the profile's filter asks for; the others are not of this source."""
        lines, table = pa.array(chunk.lines), chunk.table
        for name, wanted in self.profile.filter.items():
            values = [wanted] if isinstance(wanted, str) else wanted
            mask = pc.is_in(table[name].cast(pa.string()), value_set=pa.array(values, pa.string()))
            # A second header line stays, so that it is counted and told.
            mask = pc.or_(mask, pc.equal(table[name].cast(pa.string()), name))
            mask = pc.fill_null(mask, False)
            table, lines = table.filter(mask), lines.filter(mask.combine_chunks())
        return lines, table

    def _part(self, lines: pa.Array, table: pa.Table) -> Part:
        columns = self.profile.columns
        column = {name: _whole(table[name]) for name in self.needed}
        broken = _Broken(len(lines))
        header = self._repeated_header(column, len(lines))
        broken.add("repeated_header", header)

        symbol = self._symbols(column, len(lines))
        no_symbol = pc.equal(symbol, "")
        broken.add("missing_symbol", no_symbol, unless=header)

        values, index = distinct(_joined([column[name] for name in columns.timestamps], " "))
        times = self.times.read(values)
        unreadable = sorted({rule for rule in times.rules.unique() if rule})
        if unreadable:
            rules = pa.array(times.rules.to_numpy(dtype=object), pa.string()).take(index)
            for rule in unreadable:
                broken.add(rule, pc.equal(rules, rule), unless=header)
        starts, sessions = _micros(times.starts), _micros(times.sessions)
        encoded = symbol.dictionary_encode()
        self._notice(encoded, starts.take(index), times.sessions, times.starts)

        if broken.rules is None:
            decimals = self._decimals(column)
            if decimals is not None:
                return Plain(lines, encoded, starts, sessions, index, decimals)

        numbers: list[pa.Array] = []
        for name in columns.numbers.values():
            text, bad = numeric_text(column[name], self.profile.null_values, self.profile.decimal)
            broken.add("not_a_number", bad, unless=header)
            numbers.append(text)
            self.tally.is_exact = self.tally.is_exact and is_exact(text)
        if columns.volume is None:
            numbers.append(pa.nulls(len(lines), pa.string()))
        stamp_text = starts.cast(pa.timestamp("us", "UTC")).cast(pa.string()).take(index)
        date_text = (
            sessions.cast(pa.timestamp("us")).cast(pa.date32()).cast(pa.string()).take(index)
        )
        columns_text = [lines.cast(pa.string()), escaped(symbol), stamp_text, date_text]
        return Text(joined_rows([*columns_text, *numbers, broken.text()]))

    def _decimals(self, column: dict[str, pa.Array]) -> list[Decimals] | None:
        """Read all numbers as plain decimals, or none of them."""
        found: list[Decimals] = []
        for name in self.profile.columns.numbers.values():
            plain = exact_decimals(column[name], self.profile.null_values, self.profile.decimal)
            if plain is None:
                return None
            found.append(plain)
        return found

    def _symbols(self, column: dict[str, pa.Array], count: int) -> pa.Array:
        if self.profile.symbol is not None:
            name = self.profile.symbol.replace("{stem}", _stem(self.source.name))
            return pa.repeat(pa.scalar(name), count)
        text = _joined([column[name] for name in self.profile.columns.symbols], ".")
        text = pc.fill_null(pc.utf8_trim_whitespace(text.cast(pa.string())), "")
        if self.profile.strip_suffix:
            text = pc.replace_substring_regex(text, re.escape(self.profile.strip_suffix) + "$", "")
        return text

    def _repeated_header(self, column: dict[str, pa.Array], count: int) -> pa.Array | None:
        """Find rows equal to the header: files glued together, or two header lines."""
        found: pa.Array | None = None
        for name in self.needed:
            values = column[name]
            if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
                return None
            same = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), name), False)
            found = same if found is None else pc.and_(found, same)
            if not pc.any(found, min_count=0).as_py():
                return None
        return found if count else None

    def _notice(
        self,
        encoded: pa.DictionaryArray,
        starts: pa.Array,
        sessions: pd.Series[pd.Timestamp],
        times: pd.Series[pd.Timestamp],
    ) -> None:
        """Remember the range of sessions, and whether any key could be there twice."""
        tally = self.tally
        tally.first, tally.last = _range(sessions.dropna(), tally.first, tally.last)
        tally.first_ts, tally.last_ts = _range(times.dropna(), tally.first_ts, tally.last_ts)
        if tally.in_order:
            self._notice_order(encoded, starts)
        tally.symbols.update(dict.fromkeys(encoded.dictionary.to_pylist()))

    def _notice_order(self, encoded: pa.DictionaryArray, starts: pa.Array) -> None:
        codes = encoded.indices.to_numpy()
        stamps = starts.fill_null(0).to_numpy()
        switches = np.flatnonzero(np.diff(codes)) + 1
        names = [encoded.dictionary[int(code)].as_py() for code in codes[[0, *switches]]]
        rising = np.diff(stamps) > 0
        rising[switches - 1] = True
        continued = self._last is not None and names[0] == self._last[0]
        fresh = names[1:] if continued else names
        self.tally.in_order = bool(
            rising.all()
            and len(set(names)) == len(names)
            and self.tally.symbols.keys().isdisjoint(fresh)
            and (not continued or self._last is None or stamps[0] > self._last[1])
        )
        self._last = (names[-1], int(stamps[-1]))


class _Broken:
    """Collects the broken parse rules of each row, as the text of an array."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.rules: pa.Array | None = None

    def add(self, rule: str, mask: pa.Array | None, unless: pa.Array | None = None) -> None:
        if mask is None:
            return
        mask = pc.fill_null(mask, False)
        if unless is not None:
            mask = pc.and_not(mask, unless)
        if not pc.any(mask, min_count=0).as_py():
            return
        now = pa.repeat(pa.scalar(""), self.count) if self.rules is None else self.rules
        told = pc.match_substring(now, rule)
        more = pc.binary_join_element_wise(now, pa.scalar(rule), pa.scalar(","))
        added = pc.if_else(pc.equal(now, ""), pa.scalar(rule), more)
        # One row may have text in several numbers: the rule is broken once.
        self.rules = pc.if_else(pc.and_not(mask, told), added, now)

    def text(self) -> pa.Array:
        if self.rules is None:
            return pa.repeat(pa.scalar(NULL), self.count)
        listed = pc.binary_join_element_wise(pa.scalar("{"), self.rules, pa.scalar("}"), "")
        return pc.if_else(pc.equal(self.rules, ""), pa.scalar(NULL), listed)


def _range(
    values: pd.Series[pd.Timestamp], low: pd.Timestamp | None, high: pd.Timestamp | None
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    if not len(values):
        return low, high
    return (
        values.min() if low is None else min(low, values.min()),
        values.max() if high is None else max(high, values.max()),
    )


def _stem(name: str) -> str:
    """Return the name of a file without its folder and the endings of its kind."""
    return re.sub(r"(?i)(\.(csv|txt|tsv|parquet|pq|gz))+$", "", Path(name).name)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, plain text where it was dictionary or large text."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, column.type)
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array


def _joined(columns: list[pa.Array], separator: str) -> pa.Array:
    if len(columns) == 1:
        return columns[0]
    texts = [each.cast(pa.string()) for each in columns]
    return pc.binary_join_element_wise(*texts, pa.scalar(separator))


def _micros(stamps: pd.Series[pd.Timestamp]) -> pa.Array:
    values = stamps.astype("datetime64[us]").to_numpy()
    return pa.array(values.view(np.int64), mask=np.isnat(values))


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Prepare the next item in a thread while the server takes the one before."""
    with ThreadPoolExecutor(1) as worker:
        waiting = worker.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = worker.submit(next, items, None)
            yield item
