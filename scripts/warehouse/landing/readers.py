"""Files and frames as batches of columns with the line each row stands on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import WarehouseError
from warehouse.landing.profile import Layout

Lines = npt.NDArray[np.int64]
BATCH_ROWS = 32_768


@dataclass
class Chunk:
    """Some rows of a source."""

    lines: Lines
    table: pa.Table
    malformed: list[tuple[int, str]] = field(default_factory=list)
    """Line and text of the rows that have too few or too many columns."""
    position: int = 0
    """Bytes of the source read so far, for progress."""


class Source(Protocol):
    """Where rows come from."""

    name: str
    columns: list[str]
    size: int | None

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Stream the rows, all columns or those named."""

    def check_unchanged(self) -> None:
        """Raise WarehouseError when the source changed since it was opened."""


@dataclass
class FileStamp:
    """Size and time of a file, to notice that somebody still writes it."""

    path: Path
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Stamp a file.

        Raises WarehouseError when it is no readable, non-empty file.
        """
        try:
            status = path.stat()
        except FileNotFoundError:
            raise WarehouseError(
                "The file does not exist.", where=str(path), do="check the path"
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"The file cannot be read: {error.strerror}.", where=str(path)
            ) from None
        if path.is_dir():
            raise WarehouseError(
                "This is a folder, not a file.", where=str(path), do=f"name its files: {path}/*.csv"
            )
        if status.st_size == 0:
            raise WarehouseError(
                "The file is empty: it has not even a header.",
                where=str(path),
                do="download it again, or leave it out",
            )
        return cls(path, status.st_size, status.st_mtime_ns)

    def check(self) -> None:
        """Raise WarehouseError when the file is not what it was."""
        try:
            status = self.path.stat()
            same = (status.st_size, status.st_mtime_ns) == (self.size, self.changed)
        except OSError:
            same = False
        if not same:
            raise WarehouseError(
                "The file changed while it was read: somebody still writes it. Nothing landed.",
                where=str(self.path),
                do="wait until it is complete, then land it again",
            )


class ParquetSource:
    """A Parquet file; the line of a row is its number from 1."""

    def __init__(self, path: Path, stamp: FileStamp) -> None:
        """Read the footer."""
        self.name = str(path)
        self.stamp = stamp
        self.size: int | None = stamp.size
        try:
            with pq.ParquetFile(path) as file:
                self.columns: list[str] = list(file.schema_arrow.names)
                self.rows: int = file.metadata.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise _broken_parquet(path, error) from None

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Stream the row groups in batches."""
        first = 1
        try:
            with pq.ParquetFile(self.stamp.path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                    lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                    first += batch.num_rows
                    position = int(self.stamp.size * (first - 1) / max(self.rows, 1))
                    yield Chunk(lines, pa.Table.from_batches([batch]), position=position)
        except (pa.ArrowInvalid, OSError) as error:
            self.check_unchanged()
            raise _broken_parquet(self.stamp.path, error) from None

    def check_unchanged(self) -> None:
        """Compare size and time with those at the start."""
        self.stamp.check()


def _broken_parquet(path: Path, error: Exception) -> WarehouseError:
    first = str(error).strip().splitlines()[0]
    return WarehouseError(
        f"The Parquet file is broken or incomplete: {first} Nothing landed.",
        where=str(path),
        do="download it again",
    )


class FrameSource:
    """A DataFrame; the line of a row is its position from 1."""

    size: int | None = None

    def __init__(self, frame: pd.DataFrame, name: str, lines: Lines | None = None) -> None:
        """Take the columns as they are; index levels with a name become columns."""
        if any(frame.index.names):
            frame = frame.reset_index()
        self.name = name
        self.columns = [str(column) for column in frame.columns]
        repeated = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if repeated:
            raise WarehouseError(f"The frame has columns of the same name: {', '.join(repeated)}.")
        try:
            self.table = pa.Table.from_arrays(
                [pa.array(frame.iloc[:, at], from_pandas=True) for at in range(frame.shape[1])],
                names=self.columns,
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # Columns of mixed objects: as text, and the rules find what is no number.
            self.table = pa.Table.from_pydict(
                {
                    name: [None if pd.isna(value) else str(value) for value in frame.iloc[:, at]]
                    for at, name in enumerate(self.columns)
                }
            )
        self.lines = np.arange(1, len(frame) + 1, dtype=np.int64) if lines is None else lines

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Cut the frame in batches."""
        table = self.table if columns is None else self.table.select(columns)
        for start in range(0, table.num_rows, BATCH_ROWS):
            yield Chunk(self.lines[start : start + BATCH_ROWS], table.slice(start, BATCH_ROWS))

    def check_unchanged(self) -> None:
        """Do nothing: a frame is in our hands."""


def open_source(path: Path, profile: Layout) -> Source:
    """Open a file by what it contains: Parquet, CSV or JSON lines, the last two gzipped or not.

    Raises WarehouseError when it is none of these.
    """
    from warehouse.landing.delimited import DelimitedSource
    from warehouse.landing.jsonlines import ENDINGS, JsonLinesSource

    stamp = FileStamp.of(path)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise WarehouseError(
            f"The file cannot be read: {error.strerror}.", where=str(path), do="check its rights"
        ) from None
    if magic == b"PAR1":
        return ParquetSource(path, stamp)
    wrong = {b"PK\x03\x04": "a zip archive", b"7z\xbc\xaf": "a 7-zip archive", b"BZh9": "bzip2"}
    if magic in wrong or path.suffix == ".parquet":
        what = wrong.get(magic, "no Parquet file")
        raise WarehouseError(
            f"The file is {what}: only CSV, Parquet and JSON lines can be landed.",
            where=str(path),
            do="unpack it first" if magic in wrong else "check the name, or download it again",
        )
    is_gzip = magic[:2] == b"\x1f\x8b"
    if path.suffix == ".gz" and not is_gzip:
        raise WarehouseError(
            "The file is named .gz but is not gzipped: broken gzip.",
            where=str(path),
            do="download it again, or rename it when it is plain text",
        )
    if path.name.lower().endswith(ENDINGS):
        return JsonLinesSource(path, stamp, is_gzip=is_gzip)
    return DelimitedSource(path, stamp, profile, is_gzip=is_gzip)
