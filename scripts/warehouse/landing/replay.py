"""Land the rows in quarantine again, with their payloads as they are now."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pyarrow as pa

from warehouse import database
from warehouse.landing.bars import land_source
from warehouse.landing.batches import BatchResult
from warehouse.landing.corrections.withdrawals import DATASET, withdraw_source
from warehouse.landing.profile import parse_profile
from warehouse.landing.quarantine import RAW, ROWS
from warehouse.landing.readers import Chunk
from warehouse.landing.records import land_source as land_records_source
from warehouse.landing.records.profile import record_profile
from warehouse.landing.reference import land_rows, table_profile

OPEN_BATCHES = """
    select b.batch_id, b.dataset, b.profile
    from ops.batches as b
    where
        (%(source)s::text is null or b.source = %(source)s)
        and exists (
            select from ops.quarantine as q
            where q.batch_id = b.batch_id and q.replayed_at is null
        )
    order by b.batch_id
"""
OPEN_ROWS = """
    select quarantine_id, payload from ops.quarantine
    where batch_id = %(batch_id)s and replayed_at is null
    order by quarantine_id
"""


class PayloadSource:
    """The open quarantine of one batch; the line of a row is its quarantine_id."""

    size: int | None = None

    def __init__(self, batch_id: int, rows: list[tuple[int, dict[str, object]]]) -> None:
        """Tell rows with columns from those that are still a malformed line."""
        self.name = f"replay of batch {batch_id}"
        self.whole = [
            (line, each)
            for line, payload in rows
            if set(payload) != {RAW}
            for each in _rows(payload)
        ]
        self.malformed = [
            (line, str(payload[RAW])) for line, payload in rows if set(payload) == {RAW}
        ]
        self.columns = list(dict.fromkeys(name for _, payload in self.whole for name in payload))

    def chunks(self, columns: list[str] | None = None) -> Iterator[Chunk]:
        """Give all rows at once: quarantines are small."""
        table = pa.table(
            {
                name: pa.array([_text(payload.get(name)) for _, payload in self.whole], pa.string())
                for name in columns or self.columns
            }
        )
        lines = np.array([line for line, _ in self.whole], dtype=np.int64)
        yield Chunk(lines, table, self.malformed)

    def check_unchanged(self) -> None:
        """Do nothing: the rows are in our hands."""


def _rows(payload: dict[str, object]) -> list[dict[str, object]]:
    """Return the rows of a payload: one, or several that are one row of the table."""
    found = payload.get(ROWS)
    return found if set(payload) == {ROWS} and isinstance(found, list) else [payload]


def _text(value: object) -> str | None:
    # A person may repair a price to a JSON number.
    return None if value is None else str(value)


def replay(source: str | None = None) -> list[BatchResult]:
    """Land the open quarantine again, of one source or of all.

    Rows that are good now are landed as a batch of their own and marked as replayed; the others
    stay where they are and are counted as quarantined in the result.
    """
    with database.connect("warehouse land") as conn:
        batches = conn.execute(OPEN_BATCHES, {"source": source}).fetchall()
        return [_replay(conn, *batch) for batch in batches]


def _replay(
    conn: psycopg.Connection, batch_id: int, dataset: str, stored: dict[str, object]
) -> BatchResult:
    rows = conn.execute(OPEN_ROWS, {"batch_id": batch_id}).fetchall()
    conn.commit()
    payloads = PayloadSource(batch_id, rows)
    where = f"ops.batches, profile of batch {batch_id}"
    # Withdrawals are of bars or of a table: the stored profile is of that, with the reason.
    reason = str(stored.pop("reason", "")) if dataset == DATASET else None
    if "table" not in stored:
        profile = parse_profile(stored, where=where)
        wanted = profile.columns
        needed = [*wanted.symbols, *wanted.timestamps, *wanted.numbers.values(), *profile.filter]
        payloads.columns = list(dict.fromkeys([*payloads.columns, *needed]))
        if reason is not None:
            return withdraw_source(payloads, profile, reason=reason, is_replay=True)
        return land_source(payloads, profile, is_replay=True)
    if "." in str(stored["table"]):
        described = record_profile(stored, where=where)
        asked = [*described.columns.values(), *described.filter, *described.group]
        payloads.columns = list(dict.fromkeys([*payloads.columns, *asked]))
        return land_records_source(payloads, described, is_replay=True)
    table = table_profile(stored, where=where)
    payloads.columns = payloads.columns or ["symbol"]
    return land_rows(payloads, table, is_replay=True, withdrawal=reason)
