"""The steps of landing one source in one table; the SQL of each is in the record_ modules."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

import numpy as np
import psycopg
from psycopg import Connection

from warehouse.errors import WarehouseError
from warehouse.landing import quarantine
from warehouse.landing.bars.rows import ahead
from warehouse.landing.bars.statements import send
from warehouse.landing.batches import BatchResult, Progress, new_batch, store_batch, store_replay
from warehouse.landing.calendars import calendar
from warehouse.landing.direct import COALESCE, Contradiction
from warehouse.landing.records import judge, partitions, scratch, write
from warehouse.landing.records.direct import Block, DirectRecords
from warehouse.landing.records.landables import Kind, Landable
from warehouse.landing.records.rows import Batch, RecordReader
from warehouse.landing.records.shape import Shape, listed
from warehouse.landing.sessions import ensure_sessions
from warehouse.landing.symbols import Symbols

REFUSALS = (
    psycopg.errors.DataError,
    psycopg.errors.IntegrityError,
    psycopg.errors.RaiseException,
    psycopg.errors.SerializationFailure,
    psycopg.errors.ProgrammingError,
)
"""What says something about a row; anything else is about the whole landing."""
CHANGED_HANDS = """
    select exists (
        select from resolved where valid_from <> '-infinity' or valid_to <> 'infinity'
    )::integer
"""


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
        self.arrived = 0
        self.has_unread = False
        self.batch_id = new_batch(conn)
        self.zone = calendar(self.profile.calendar).timezone
        profile = self.profile
        self.symbols = Symbols(
            conn,
            {
                "calendar": profile.calendar,
                "currency": profile.currency,
                "asset_class": profile.asset_class,
                "allow_negative_price": profile.allow_negative_price,
                "source": profile.source,
            },
        )
        self.direct = DirectRecords(reader, self.symbols, self.batch_id)

    def fill(self, progress: Progress | None, *, is_direct: bool = False) -> None:
        """Read the source into the scratch table, or what can go there into the landing table."""
        conn, reader = self.conn, self.reader
        try:
            for statement in scratch.create(self.shape):
                conn.execute(statement)
        except psycopg.errors.DataError as error:
            raise WarehouseError(
                f"A constant of the profile cannot be used: {_message(error)}.",
                where=reader.source.name,
                do=f"correct it; {self.table.name} has the type it must have",
            ) from None
        if reader.is_raw:
            conn.execute(scratch.create_raw(self.shape, reader.source.columns))
        if self.shape.finds_instrument:
            for statement in scratch.symbols(self.shape, self.zone):
                conn.execute(statement)
        relation = "raw" if reader.is_raw else "sent"
        for each in ahead(self.direct.blocks() if is_direct else reader.batches()):
            batch = each.batch if isinstance(each, Block) else each
            if not (isinstance(each, Block) and self.direct.take(each)):
                self._copy(relation, batch)
            self.arrived += batch.rows
            if progress:
                progress(reader.source.name, batch.position, reader.source.size)

    def _copy(self, relation: str, batch: Batch) -> None:
        """Copy a batch typed; as text, when some value has not the type of its column."""
        data = batch.data()
        try:
            with self.conn.transaction():
                send(self.conn, scratch.copy(relation, batch.columns), data)
        except (psycopg.errors.DataError, psycopg.errors.IntegrityError):
            self.has_unread = True
            send(self.conn, scratch.copy("unread", batch.columns), data)

    def land(self, began: float, *, is_replay: bool) -> BatchResult:
        """Judge what is in the scratch table and write what it says.

        Raises Contradiction when a row has other values than one that went directly.
        """
        conn = self.conn
        told = judge.reasons(self.shape)
        conn.cursor().executemany("insert into reasons values (%s, %s)", list(told.items()))
        accepted, late = self.direct.way.rows, 0
        if self.arrived > accepted:
            accepted += self._land_scratch()
            # What goes directly has no chunks: DirectRecords keeps off TimescaleDB.
            late = partitions.late(conn, self.table.name, write.UNWRITTEN)
        if self.direct.way.rows:
            self._cover(*(conn.execute(COALESCE, [self.table.name]).fetchone() or (None, None)))
        known, rejected = self._count()
        held = rejected if is_replay else self._quarantine()
        landed = accepted + known + rejected
        if landed != self.arrived or held != rejected:
            raise WarehouseError(
                f"{self.arrived} rows arrived; {accepted} were accepted, {known} known, {rejected}"
                f" rejected, {held} of them found again. Nothing landed.",
                where=self.reader.source.name,
                do="land the file again when nobody writes it any more; if it stays so, a trigger"
                f" of {self.table.name} drops rows silently",
            )
        result = BatchResult(
            batch_id=self.batch_id,
            dataset=self.table.name,
            source=self.profile.source,
            file=self.reader.source.name,
            timeframe=None,
            landed=landed,
            accepted=accepted,
            known=known,
            quarantined=held,
            late=late,
            seconds=round(time.monotonic() - began, 3),
            rules=dict(conn.execute(judge.RULES).fetchall()),
            ignored=self.reader.ignored,
        )
        stored = self.profile.model_dump(mode="json")
        stored |= {"table": self.table.name, "columns": self.reader.header_of}
        if is_replay:
            good = [row[0] for row in conn.execute(write.GOOD)]
            store_replay(conn, result, stored, good)
        else:
            store_batch(conn, result, self.reader.source.size, stored)
        return result

    def _land_scratch(self) -> int:
        """Judge the scratch table and write what is new; return how many rows were accepted."""
        if self.reader.is_raw:
            self._express()
        self._judge()
        self._find_instruments()
        for statement in judge.strangers(self.shape):
            self._set_aside(statement)
        # Before the table is read: afterwards, its partitions would wait for this transaction.
        partitions.ensure(self.conn, self.table.name)
        self._find_known()
        if self.is_known or not self.shape.is_keyed:
            self._find_repeated()
        return self._write()

    def _cover(self, first: datetime | None, last: datetime | None) -> None:
        """Store the sessions of the days around two times."""
        if first and last:
            day = timedelta(days=1)
            ensure_sessions(
                self.conn, self.profile.calendar, (first - day).date(), (last + day).date()
            )

    def _one(self, statement: str) -> int:
        row = self.conn.execute(statement).fetchone()
        return int(row[0]) if row else 0

    def _express(self) -> None:
        """Compute the expressions, row by row only when one raises."""
        conn = self.conn
        conn.execute("analyze raw")
        conn.execute(
            "insert into sent (_line, _broken)"
            " select _line, _broken from raw where _broken is not null"
        )
        try:
            with conn.transaction():
                conn.execute(scratch.express(self.shape, "_broken is null"))
        except (
            psycopg.errors.DataError,
            psycopg.errors.IntegrityError,
            psycopg.errors.RaiseException,
        ):
            conn.execute("create index on raw (_line)")
            conn.execute(scratch.express_each(self.shape))
            self.shape.is_aside = True
            # What is no fault of an expression is told by the name of its column.
            conn.execute(
                judge.unreadable(
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
        if self.profile.group:
            self.arrived = self._one(write.ARRIVED)

    def _judge(self) -> None:
        """Set rows aside that break a type or a check."""
        conn, reader = self.conn, self.reader
        # A tenth of the usual sample of the columns that are joined tells few rows from many.
        conn.execute("set local default_statistics_target = 10")
        # Columns of an expression may be empty wherever they like.
        nulls = set(reader.landed) if reader.is_raw else reader.nulls
        if self.has_unread:
            self._set_aside(judge.unreadable(self.shape))
            conn.execute(scratch.read_again(self.shape))
        if reader.has_broken:
            self._set_aside(judge.READ_RULES)
        for statement in judge.defaults(self.shape, nulls):
            conn.execute(statement)
        joined = [name for name in self.shape.identity if name != "instrument_id"]
        joined += ["symbol"] if self.shape.finds_instrument else []
        conn.execute(f"analyze sent (_line, {listed(dict.fromkeys(joined))})")
        for found in (judge.missing(self.shape, nulls), judge.checks(self.shape)):
            if found:
                self._set_aside(found)

    def _set_aside(self, statement: str) -> None:
        if self.conn.execute(statement).rowcount:
            self.conn.execute("analyze aside")
            self.shape.is_aside = True

    def _find_instruments(self) -> None:
        """Find the instrument of each symbol; one that nobody knows becomes an instrument."""
        conn, profile = self.conn, self.profile
        if not self.shape.finds_instrument:
            conn.execute(scratch.arrivals(self.shape, self.batch_id, self.zone, always=True))
            return
        days = conn.execute(scratch.days(self.shape, self.zone)).fetchone()
        if days and days[0]:
            ensure_sessions(conn, profile.calendar, *days)
        # Told by the reader, unless some came by an expression.
        named = [*self.reader.symbols] or [
            row[0]
            for row in conn.execute("select symbol from scratch group by 1 order by min(line)")
        ]
        self.symbols.learn(named)
        self.symbols.make(named, is_aside=self.shape.is_aside)
        conn.execute("analyze resolved")
        always = not self._one(CHANGED_HANDS)
        conn.execute(scratch.arrivals(self.shape, self.batch_id, self.zone, always=always))

    def _find_known(self) -> None:
        """Find rows whose key is landed already."""
        self.is_known = bool(self.conn.execute(write.known(self.shape)).rowcount)
        if self.is_known:
            self.conn.execute("analyze existing")
            contradicted = write.contradicted(self.shape, self.batch_id)
            if self.direct.way.rows and self.conn.execute(contradicted).rowcount:
                raise Contradiction

    def _find_repeated(self) -> bool:
        """Set rows aside whose key the file has more than once, and those a ledger refuses."""
        found = bool(self._one(judge.has_repeats(self.shape)))
        if found:
            self._set_aside(judge.repeats(self.shape))
            self.conn.execute("delete from existing where line in (select line from aside)")
        if self.is_known and self.table.kind is Kind.LEDGER:
            self._set_aside(write.CONFLICTS)
        return found

    def _count(self) -> tuple[int, int]:
        known, rejected = self.conn.execute(write.COUNT).fetchone() or (0, 0)
        return int(known), int(rejected)

    def _write(self) -> int:
        """Write the good rows in one statement, or in halves when some are refused."""
        conn = self.conn
        expected = self.arrived - self.direct.way.rows - sum(self._count())
        if not expected:
            return 0
        try:
            return self._try(self._statements(some=False))
        except REFUSALS as error:
            _reraise_if_hopeless(error)
        # A key that is new, but there twice, is found by the table itself.
        if not self.is_known and self.shape.is_keyed and self._find_repeated():
            return self._write()
        self.shape.is_aside = True
        conn.execute(write.todo(self.shape))
        conn.execute("create index on todo (line)")
        conn.execute("analyze todo")
        return self._halve(self._statements(some=True), 1, expected)

    def _statements(self, *, some: bool) -> list[str]:
        made = [write.insert(self.shape, some=some, is_known=self.is_known)]
        if self.is_known and self.table.kind is Kind.STATE:
            made.append(write.update(self.shape, some=some))
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
        told = judge.reasons(self.shape).get(rule)
        message = found.message_primary or str(error)
        reason = None if told else " ".join(filter(None, (_sentence(message), found.message_hint)))
        self.conn.execute(
            "insert into aside (line, rules, reason)"
            " select line, array[%s], %s from todo where place = %s",
            [rule, reason, place],
        )

    def _quarantine(self) -> int:
        rejected = self.conn.execute(
            "select line from aside where rules is not null order by line"
        ).fetchall()
        if not rejected:
            return 0
        lines = np.array([row[0] for row in rejected], dtype=np.int64)
        quarantine.copy_payloads(self.conn, self.reader.source, lines)
        if self.profile.group:
            headers = self.reader.source.columns
            self.conn.execute(write.whole_groups(self.shape, headers))
        facts = {
            "batch_id": self.batch_id,
            "dataset": self.table.name,
            "source": self.profile.source,
            "file": self.reader.source.name,
        }
        return self.conn.execute(write.write(self.shape), facts).rowcount


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
