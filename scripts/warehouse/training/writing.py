"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from warehouse import output
from warehouse.errors import WarehouseError

METADATA = b"warehouse.training_set"
"""Key of the Parquet file's metadata under which JSON says what is in it."""


@contextmanager
def whole_file(to: Path) -> Iterator[Path]:
    """Give a name beside the file to write to; it becomes the file when all went well.

    Raises WarehouseError when the folder cannot be written to or the disk is full.
    """
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(to)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise WarehouseError(
            f"{to} cannot be written: {error.strerror or error}",
            where="-o",
            do="name a file in a folder that you may write to",
        ) from None
    finally:
        part.unlink(missing_ok=True)


def write(
    reader: pa.RecordBatchReader,
    to: Path,
    *,
    form: str,
    metadata: dict[str, Any],
    size: int,
    moved: output.Progress | None,
) -> int:
    """Write batches as they come; return the number of rows."""
    about = json.dumps(metadata, sort_keys=True).encode()
    schema = reader.schema.with_metadata({METADATA: about})
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    rows = 0
    writer = (
        pq.ParquetWriter(to, schema, compression="zstd", compression_level=1, use_dictionary=texts)
        if form == "parquet"
        else pyarrow.csv.CSVWriter(to, schema)
    )
    with writer:
        for batch in reader:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            rows += batch.num_rows
            if moved:
                moved(to.name, rows, size)
    return rows
