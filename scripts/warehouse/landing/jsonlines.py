"""JSON lines, plain or gzipped: one object a line, numbers with every digit as they were sent."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa

from warehouse.errors import WarehouseError
from warehouse.landing.readers import BATCH_ROWS, Chunk, FileStamp
from warehouse.landing.records.as_text import text_of

ENDINGS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


class JsonLinesSource:
    """A file with an object on each line; the line of a row is the file's, from 1."""

    def __init__(self, path: Path, stamp: FileStamp, *, is_gzip: bool = False) -> None:
        """Read it once for its columns, which any line may add to.

        Raises WarehouseError when no line is an object.
        """
        self.name = str(path)
        self.path = path
        self.stamp = stamp
        self.size: int | None = stamp.size
        self.is_gzip = is_gzip
        self.columns: list[str] = []
        found: dict[str, None] = {}
        for _, text, _ in self._lines():
            row = _object(text)
            if row is not None:
                found |= dict.fromkeys(row)
        self.columns = list(found)
        if not found:
            raise WarehouseError(
                "No line of the file is a JSON object with a key.",
                where=self.name,
                do='write one object on each line, as in {"symbol": "A", "price": 1.5}',
            )

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Parse some thousand lines at a time."""
        wanted = columns or self.columns
        lines: list[int] = []
        rows: list[dict[str, object]] = []
        malformed: list[tuple[int, str]] = []
        position = 0
        for line, text, position in self._lines():
            row = _object(text)
            if row is None:
                malformed.append((line, text))
            else:
                lines.append(line)
                rows.append(row)
            if len(rows) >= BATCH_ROWS:
                yield _chunk(lines, rows, malformed, wanted, position)
                lines, rows, malformed = [], [], []
        if rows or malformed:
            yield _chunk(lines, rows, malformed, wanted, position)

    def check_unchanged(self) -> None:
        """Compare size and time with those at the start."""
        self.stamp.check()

    def _lines(self) -> Iterator[tuple[int, str, int]]:
        number = 0
        try:
            with self.path.open("rb") as raw:
                file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self.is_gzip else raw
                for number, line in enumerate(file, 1):
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                    if text:
                        yield number, text, raw.tell()
        except UnicodeDecodeError:
            raise WarehouseError(
                f"Wrong encoding: line {number} is not UTF-8, which JSON is. Nothing landed.",
                where=f"{self.name}, line {number}",
                do="write the file again as UTF-8",
            ) from None
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            self.check_unchanged()
            kind = "truncated" if isinstance(error, EOFError) else "broken"
            raise WarehouseError(
                f"The gzip file is {kind}: {error} Nothing landed.",
                where=f"{self.name}, after line {number}",
                do="download it again",
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"The file cannot be read: {error}. Nothing landed.", where=self.name
            ) from None


def _object(text: str) -> dict[str, object] | None:
    """Return the object of a line; None when it is anything else."""
    try:
        found = json.loads(text, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _chunk(
    lines: list[int],
    rows: list[dict[str, object]],
    malformed: list[tuple[int, str]],
    columns: list[str],
    position: int,
) -> Chunk:
    texts = {
        name: pa.array([text_of(row.get(name)) for row in rows], pa.string()) for name in columns
    }
    return Chunk(np.array(lines, dtype=np.int64), pa.table(texts), malformed, position)
