"""CSV, plain or gzipped, in blocks of whole lines: memory stays flat, line numbers are true."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv

from warehouse.errors import WarehouseError
from warehouse.landing.profile import Layout
from warehouse.landing.readers import Chunk, FileStamp, Lines

BLOCK = 2 << 20
"""Bytes parsed at a time: small enough that the server has work soon, and for the caches."""
LONGEST_LINE = 1 << 20
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}


class DelimitedSource:
    """A text file with one row per line; the header is line 1."""

    def __init__(
        self, path: Path, stamp: FileStamp, profile: Layout, *, is_gzip: bool = False
    ) -> None:
        """Read the header.

        Raises WarehouseError when there is none, or the delimiter is another.
        """
        self.name = str(path)
        self.path = path
        self.stamp = stamp
        self.size: int | None = stamp.size
        self.profile = profile
        self.is_gzip = is_gzip
        self.header_lines = 0 if profile.names else 1
        first = next((line for line in self._first_lines() if line.strip()), None)
        if first is None:
            raise WarehouseError(
                "The file has only blank lines.", where=self.name, do="download it again"
            )
        found = self._split(first)
        self.columns: list[str] = profile.names or [name.strip() for name in found]
        if len(found) == 1:
            raise self._wrong_delimiter(first)
        repeated = [name for name, count in Counter(self.columns).items() if count > 1]
        if repeated:
            raise WarehouseError(
                f"The header has the column {', '.join(repeated)} more than once.", where=self.name
            )

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Parse block after block."""
        line = 1
        waiting = self.header_lines
        for block, position in self._blocks():
            starts, ends, numbers = _records(block, multiline=self.profile.multiline)
            lines = line + numbers
            line += block.count(b"\n")
            if waiting and len(lines):
                # The header is the first line that is not blank.
                cut, waiting = int(ends[0]) + 1, 0
                block, lines = block[cut:], lines[1:]
                starts, ends = starts[1:] - cut, ends[1:] - cut
            if len(lines):
                yield self._parse(block, lines, (starts, ends), columns, position)

    def check_unchanged(self) -> None:
        """Compare size and time with those at the start."""
        self.stamp.check()

    def _first_lines(self) -> list[str]:
        for block, _ in self._blocks(64 << 10):
            self._refuse_binary(block, 1)
            return block.decode("utf-8", errors="replace").splitlines()
        return []

    def _refuse_binary(self, block: bytes, line: int) -> None:
        if b"\0" in block:
            raise WarehouseError(
                "The file has zero bytes: it is binary, or text in UTF-16. Nothing landed.",
                where=f"{self.name}, from line {line}",
                do="write `encoding: utf-16` in the source profile when it is text",
            )

    def _split(self, line: str) -> list[str]:
        return next(csv.reader([line], delimiter=self.profile.delimiter), [])

    def _wrong_delimiter(self, first: str) -> WarehouseError:
        counts = {mark: first.count(mark) for mark in DELIMITERS if mark != self.profile.delimiter}
        mark = max(counts, key=lambda each: counts[each])
        asked = DELIMITERS.get(self.profile.delimiter, repr(self.profile.delimiter))
        if not counts[mark]:
            return WarehouseError(
                f"The file has only one column, {first.strip()[:60]!r}.",
                where=self.name,
                do="check that this is the file you mean",
            )
        return WarehouseError(
            f"Wrong delimiter: with {asked} the file has only one column; "
            f"it seems to use {DELIMITERS[mark]}.",
            where=self.name,
            do=f"write `delimiter: {mark!r}` in the source profile",
        )

    def _blocks(self, size: int = BLOCK) -> Iterator[tuple[bytes, int]]:
        """Yield whole lines as UTF-8 without byte-order mark, and the position in the file."""
        decoder = None
        if self.profile.encoding not in ("utf-8", "ascii"):
            decoder = codecs.getincrementaldecoder(self.profile.encoding)()
        rest, done, at_start = b"", 1, True
        try:
            with self.path.open("rb") as raw:
                file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self.is_gzip else raw
                while True:
                    data = file.read(size)
                    last = not data
                    if decoder:
                        data = decoder.decode(data, last).encode("utf-8")
                    if at_start and data:
                        data, at_start = data.removeprefix(codecs.BOM_UTF8), False
                    data = rest + data
                    cut = len(data) if last else _last_end(data, self.profile.multiline)
                    block, rest = data[:cut], data[cut:]
                    if len(rest) > size + LONGEST_LINE:
                        raise WarehouseError(
                            "A line is longer than 1 MB.",
                            where=f"{self.name}, line {done + block.count(bytes([10]))}",
                            do="check that this is a text file with one row per line",
                        )
                    if block:
                        yield block, raw.tell()
                        done += block.count(b"\n")
                    if last:
                        return
        except UnicodeDecodeError as error:
            raise self._wrong_encoding(done + error.object[: error.start].count(b"\n")) from None
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            self.check_unchanged()
            kind = "truncated" if isinstance(error, EOFError) else "broken"
            raise WarehouseError(
                f"The gzip file is {kind}: {error} Nothing landed.",
                where=f"{self.name}, after line {done - 1}",
                do="download it again",
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"The file cannot be read: {error}. Nothing landed.", where=self.name
            ) from None

    def _wrong_encoding(self, line: int) -> WarehouseError:
        return WarehouseError(
            f"Wrong encoding: line {line} is not {self.profile.encoding}. Nothing landed.",
            where=f"{self.name}, line {line}",
            do="write the file's `encoding:` in the source profile, such as cp1252 or utf-16",
        )

    def _parse(
        self,
        block: bytes,
        lines: Lines,
        spans: tuple[Lines, Lines],
        columns: list[str] | None,
        position: int,
    ) -> Chunk:
        self._refuse_binary(block, int(lines[0]))
        wanted = columns or self.columns
        try:
            table = pv.read_csv(
                io.BytesIO(block),
                # One block for one call: rows keep their order and nothing is cut twice.
                read_options=pv.ReadOptions(
                    column_names=self.columns, use_threads=False, block_size=len(block) + 1
                ),
                parse_options=pv.ParseOptions(
                    delimiter=self.profile.delimiter, newlines_in_values=self.profile.multiline
                ),
                convert_options=pv.ConvertOptions(
                    include_columns=wanted,
                    column_types={name: pa.string() for name in wanted},
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            table = None
        # A lone carriage return or a quoted line break makes more or fewer rows than lines.
        if table is not None and table.num_rows == len(lines):
            return Chunk(lines, table, position=position)
        raw = [block[start:end] for start, end in zip(*spans, strict=True)]
        return self._parse_slowly(raw, lines, wanted, position)

    def _parse_slowly(
        self, raw: list[bytes], lines: Lines, wanted: list[str], position: int
    ) -> Chunk:
        """Parse line by line, setting rows with a wrong number of columns aside."""
        good: list[list[str]] = []
        where: list[int] = []
        malformed: list[tuple[int, str]] = []
        for number, each in zip(lines.tolist(), raw, strict=True):
            try:
                text = each.decode("utf-8").removesuffix("\r")
            except UnicodeDecodeError:
                raise self._wrong_encoding(number) from None
            try:
                cells = self._split(text)
            except csv.Error:
                cells = []
            if len(cells) == len(self.columns):
                good.append(cells)
                where.append(number)
            else:
                malformed.append((number, text))
        by_name = dict(zip(self.columns, zip(*good, strict=True), strict=True)) if good else {}
        table = pa.table({name: pa.array(by_name.get(name, ()), pa.string()) for name in wanted})
        return Chunk(np.array(where, dtype=np.int64), table, malformed, position)


def _records(block: bytes, *, multiline: bool) -> tuple[Lines, Lines, Lines]:
    """Return start, end and line (from 0) of the rows that are not blank.

    A row is a line, or `multiline` as many as its quotes hold together.
    """
    bytes_ = np.frombuffer(block, dtype=np.uint8)
    breaks = np.flatnonzero(bytes_ == 10)
    ends = breaks
    if multiline:
        quotes = np.flatnonzero(bytes_ == 34)
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    if len(ends) == 0 or ends[-1] != len(block) - 1:
        ends = np.append(ends, len(block))
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    only_return = (lengths == 1) & (bytes_[np.minimum(starts, len(block) - 1)] == 13)
    filled = ~((lengths == 0) | only_return)
    starts, ends = starts[filled], ends[filled]
    return starts, ends, np.searchsorted(breaks, starts).astype(np.int64)


def _last_end(data: bytes, multiline: bool) -> int:
    """Return where the last whole row ends, its line break included."""
    if not multiline:
        return data.rfind(b"\n") + 1
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    breaks, quotes = np.flatnonzero(bytes_ == 10), np.flatnonzero(bytes_ == 34)
    whole = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    return int(whole[-1]) + 1 if len(whole) else 0
