"""Land any landing table: files, frames or rows, judged by what the database says of the table."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
from psycopg import Connection

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine, record_judge, record_scratch, record_write, scratch
from warehouse.landing.as_text import Row, RowsSource, TextSource
from warehouse.landing.batches import (
    BatchResult,
    Progress,
    new_batch,
    session,
    store_batch,
    store_replay,
    writing,
)
from warehouse.landing.calendars import calendar
from warehouse.landing.delimited import DelimitedSource
from warehouse.landing.landables import Kind, Landable, find
from warehouse.landing.readers import FrameSource, Source, open_source
from warehouse.landing.record_profile import RecordProfile, record_profile
from warehouse.landing.record_rows import RecordReader
from warehouse.landing.record_shape import Shape
from warehouse.landing.rows import ahead

ANALYZE_FROM = 50_000
REFUSALS = (
    psycopg.errors.DataError,
    psycopg.errors.IntegrityError,
    psycopg.errors.RaiseException,
    psycopg.errors.SerializationFailure,
    psycopg.errors.ProgrammingError,
)
"""What says something about a row; anything else is about the whole landing."""


def land_files(
    paths: Iterable[Path], *, profile: RecordProfile, progress: Progress | None = None
) -> list[BatchResult]:
    """Land files of one table, each in a transaction of its own.

    Every file is opened and its header checked before the first one lands. Raises WarehouseError
    when a file cannot be landed; nothing of that file is landed then.
    """
    sources = [open_source(Path(path), profile) for path in paths]
    with session(profile.table) as conn:
        table = find(conn, profile.table)
    for source in sources:
        RecordReader(TextSource(source), profile, table)
    return [land_source(source, profile, progress=progress) for source in sources]


def land_records(
    table: str,
    rows: Sequence[Row] | pd.DataFrame,
    *,
    source: str,
    profile: RecordProfile | None = None,
    name: str = "rows",
) -> BatchResult:
    """Land rows of a program: mappings of column to value, or a DataFrame.

    Values are Python's or numpy's own; None is NULL. Raises WarehouseError when they cannot land.
    """
    if profile is None:
        profile = record_profile({"table": table, "source": source}, where="land_records")
    if isinstance(rows, pd.DataFrame):
        return land_source(FrameSource(rows, name), profile)
    return land_source(RowsSource(rows, name), profile)


def land_source(
    source: Source,
    profile: RecordProfile,
    *,
    progress: Progress | None = None,
    is_replay: bool = False,
) -> BatchResult:
    """Land one source: read it to a scratch table, judge it there, write in one transaction.

    The lines of a replay are ids of quarantined rows: those still bad are left where they are.
    """
    began = time.monotonic()
    if not isinstance(source, DelimitedSource) and "null_values" not in profile.model_fields_set:
        # Typed sources have a NULL of their own.
        profile = profile.model_copy(update={"null_values": []})
    with session(source.name) as conn:
        table = find(conn, profile.table)
        reader = RecordReader(TextSource(source), profile, table)
        landing = RecordLanding(conn, reader)
        landing.fill(progress)
        with writing(conn):
            result = landing.land(began, is_replay=is_replay)
            source.check_unchanged()
        if result.accepted >= ANALYZE_FROM:
            conn.execute(f"analyze {table.name}")
    return result


class RecordLanding:
    """The steps of one landing; each knows what the others found."""

    def __init__(self, conn: Connection, reader: RecordReader) -> None:
        """Make the statements."""
        self.conn = conn
        self.reader = reader
        self.table: Landable = reader.table
        self.profile = reader.profile
        self.shape = Shape(self.table, self.profile, reader.landed)
        self.is_known = False
        self.batch_id = new_batch(conn)

    def fill(self, progress: Progress | None) -> None:
        """Read the source into the scratch table."""
        conn, reader = self.conn, self.reader
        try:
            for statement in record_scratch.create(self.shape, self.batch_id):
                conn.execute(statement)
        except psycopg.errors.DataError as error:
            raise WarehouseError(
                f"A constant of the profile cannot be used: {_message(error)}.",
                where=reader.source.name,
                do=f"correct it; {self.table.name} has the type it must have",
            ) from None
        if reader.is_raw:
            conn.execute(record_scratch.create_raw(self.shape, reader.source.columns))
        relation = "raw" if reader.is_raw else "sent"
        for batch in ahead(reader.batches()):
            copied = self._copy(record_scratch.copy(relation, batch.columns), batch.data())
            if copied < batch.rows:
                # Some value has not the type of its column: the whole batch again, as text.
                named = [name for name in batch.columns if name != "_broken"]
                self._copy(record_scratch.copy_text(named), batch.data(with_broken=False))
            if progress:
                progress(reader.source.name, batch.position, reader.source.size)
        conn.execute("delete from unread where _line in (select _line from sent)")

    def _copy(self, statement: str, data: bytes) -> int:
        cursor = self.conn.cursor()
        with cursor.copy(statement) as copy:
            copy.write(data)
        return cursor.rowcount

    def land(self, began: float, *, is_replay: bool) -> BatchResult:
        """Judge the scratch table and write what it says; nothing before this touched a table."""
        conn, profile = self.conn, self.profile
        batch_id = self.batch_id
        told = record_judge.reasons(self.shape)
        conn.cursor().executemany("insert into reasons values (%s, %s)", list(told.items()))
        if self.reader.is_raw:
            self._express()
        self._judge()
        self._find_instruments()
        for statement in record_judge.strangers(self.shape):
            conn.execute(statement)
        if self._one(record_judge.has_repeats(self.shape)):
            conn.execute(record_judge.repeats(self.shape))
        self._find_known()
        accepted = self._write()
        known, rejected = conn.execute(record_write.COUNT).fetchone() or (0, 0)
        facts = {
            "batch_id": batch_id,
            "dataset": self.table.name,
            "source": profile.source,
            "file": self.reader.source.name,
        }
        held = rejected if is_replay else self._quarantine(facts)
        landed = accepted + known + rejected
        rows = self._one(record_write.ARRIVED)
        if landed != rows or held != rejected:
            raise WarehouseError(
                f"{rows} rows arrived; {accepted} were accepted, {known} known, {rejected}"
                f" rejected, {held} of them found again. Nothing landed.",
                where=self.reader.source.name,
                do="land the file again when nobody writes it any more; if it stays so, a trigger"
                f" of {self.table.name} drops rows silently",
            )
        result = BatchResult(
            batch_id=batch_id,
            dataset=self.table.name,
            file=self.reader.source.name,
            source=profile.source,
            timeframe=None,
            landed=landed,
            accepted=accepted,
            known=known,
            quarantined=held,
            seconds=round(time.monotonic() - began, 3),
            rules=dict(conn.execute(record_judge.RULES).fetchall()),
            ignored=self.reader.ignored,
        )
        stored = profile.model_dump(mode="json")
        stored |= {"table": self.table.name, "columns": self.reader.header_of}
        if is_replay:
            good = [row[0] for row in conn.execute(record_write.GOOD)]
            store_replay(conn, result, stored, good)
        else:
            store_batch(conn, result, self.reader.source.size, stored)
        return result

    def _one(self, statement: str) -> int:
        row = self.conn.execute(statement).fetchone()
        return int(row[0]) if row else 0

    def _express(self) -> None:
        """Compute the expressions, row by row only when one raises."""
        conn = self.conn
        conn.execute(
            "insert into sent (_line, _broken)"
            " select _line, _broken from raw where _broken is not null"
        )
        try:
            with conn.transaction():
                conn.execute(record_scratch.express(self.shape, "_broken is null"))
        except (
            psycopg.errors.DataError,
            psycopg.errors.IntegrityError,
            psycopg.errors.RaiseException,
        ):
            conn.execute(record_scratch.express_each(self.shape))
            # What is no fault of an expression is told by the name of its column.
            conn.execute(
                record_judge.unreadable(
                    self.shape, "(select * from raw where _line in (select line from aside))", "="
                )
            )
        except psycopg.errors.ProgrammingError as error:
            raise WarehouseError(
                "An expression of the profile is no SQL over the file's headers:"
                f" {_message(error)}.",
                where=self.reader.source.name,
                do='quote headers as they are spelled, as in upper("Side")',
            ) from None

    def _judge(self) -> None:
        conn = self.conn
        conn.execute("analyze sent")
        conn.execute(record_judge.READ_RULES)
        if self._one("select count(*) from unread"):
            conn.execute(record_judge.unreadable(self.shape))
        for statement in record_judge.defaults(self.shape):
            conn.execute(statement)
        for statement in (record_judge.missing(self.shape), record_judge.checks(self.shape)):
            if statement:
                conn.execute(statement)
        conn.execute("analyze aside")

    def _find_instruments(self) -> None:
        """Find the instrument of each symbol; one that nobody knows becomes an instrument."""
        conn, profile = self.conn, self.profile
        for statement in record_scratch.arrivals(self.shape, calendar(profile.calendar).timezone):
            conn.execute(statement)
        if not self.shape.finds_instrument:
            return
        symbols = conn.execute("select distinct symbol from scratch order by 1").fetchall()
        facts: dict[str, object] = {
            "calendar": profile.calendar,
            "currency": profile.currency,
            "asset_class": profile.asset_class,
            "allow_negative_price": profile.allow_negative_price,
            "source": profile.source,
            "symbols": [row[0] for row in symbols],
        }
        conn.execute(scratch.RESOLVE, facts)
        strange = conn.execute(scratch.STRANGE, facts).fetchall()
        if strange:
            facts["unknown"] = [symbol for symbol, partly in strange if not partly]
            facts["partly"] = [symbol for symbol, partly in strange if partly]
            conn.execute(scratch.STRANGERS_AMONG_GOOD + scratch.NEW_INSTRUMENTS, facts)
        conn.execute("analyze resolved")

    def _find_known(self) -> None:
        self.is_known = bool(self.conn.execute(record_write.known(self.shape)).rowcount)
        if self.is_known:
            self.conn.execute("analyze existing")
            if self.table.kind is Kind.LEDGER:
                self.conn.execute(record_write.CONFLICTS)

    def _write(self) -> int:
        """Write the good rows in one statement, or in halves when some are refused."""
        conn = self.conn
        statements = self._statements(some=False)
        expected = self._one("select count(*)" + record_write.UNWRITTEN)
        if not expected:
            return 0
        try:
            return self._try(statements)
        except REFUSALS as error:
            _reraise_if_hopeless(error)
        conn.execute(record_write.todo(self.shape))
        conn.execute("create index on todo (line)")
        conn.execute("analyze todo")
        return self._halve(self._statements(some=True), 1, expected)

    def _statements(self, *, some: bool) -> list[str]:
        made = [record_write.insert(self.shape, some=some, is_known=self.is_known)]
        if self.is_known and self.table.kind is Kind.STATE:
            made.append(record_write.update(self.shape, some=some))
        return made

    def _try(self, statements: list[str]) -> int:
        """Run the statements, and what is deferred, or nothing of them."""
        with self.conn.transaction():
            written = sum(self.conn.execute(each).rowcount for each in statements)
            if any(each.is_deferrable for each in self.table.constraints):
                self.conn.execute("set constraints all immediate")
                self.conn.execute("set constraints all deferred")
        return written

    def _halve(self, statements: list[str], low: int, high: int) -> int:
        """Write the rows between two places; what is refused goes aside, one by one."""
        try:
            places = {"{low}": str(low), "{high}": str(high)}
            return self._try([_replaced(each, places) for each in statements])
        except REFUSALS as error:
            _reraise_if_hopeless(error)
            if low == high:
                self._refuse(low, error)
                return 0
        middle = (low + high) // 2
        first = self._halve(statements, low, middle)
        return first + self._halve(statements, middle + 1, high)

    def _refuse(self, place: int, error: psycopg.Error) -> None:
        """Set one row aside with what the database said about it."""
        found = error.diag
        rule = found.constraint_name or _snake(type(error).__name__)
        told = record_judge.reasons(self.shape).get(rule)
        message = found.message_primary or str(error)
        reason = None if told else " ".join(filter(None, (_sentence(message), found.message_hint)))
        self.conn.execute(
            "insert into aside (line, rules, reason)"
            " select line, array[%s], %s from todo where place = %s",
            [rule, reason, place],
        )

    def _quarantine(self, facts: dict[str, object]) -> int:
        rejected = self.conn.execute(
            "select line from aside where rules is not null order by line"
        ).fetchall()
        if not rejected:
            return 0
        lines = np.array([row[0] for row in rejected], dtype=np.int64)
        quarantine.copy_payloads(self.conn, self.reader.source, lines)
        return self.conn.execute(record_write.write(self.shape), facts).rowcount


def _replaced(statement: str, parts: dict[str, str]) -> str:
    for mark, value in parts.items():
        statement = statement.replace(mark, value)
    return statement


def _reraise_if_hopeless(error: psycopg.Error) -> None:
    """Raise again what is no fault of a row: a missing right, table or function."""
    if isinstance(error, psycopg.errors.ProgrammingError) and not isinstance(
        error, psycopg.errors.WithCheckOptionViolation
    ):
        raise error


def _message(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).rstrip(".")


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
