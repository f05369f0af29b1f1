"""The steps of a landing in the database; the SQL of each is in scratch.py."""

from __future__ import annotations

from psycopg import Connection

from warehouse.landing.bars import scratch
from warehouse.landing.bars.judge import reasons
from warehouse.landing.bars.rows import RowReader, ahead
from warehouse.landing.batches import Progress
from warehouse.landing.calendars import calendar
from warehouse.landing.profile import Profile
from warehouse.landing.symbols import Symbols

Facts = dict[str, object]
MANY = 20_000
"""From so many rows on, looking each key up in the index is slower than one pass over both."""
ANALYZE_BARS = """
    analyze raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, session_date, adjusted, batch_id
    )
"""


def facts(profile: Profile) -> Facts:
    """Return what the statements need to know of a source."""
    return {
        "source": profile.source,
        "timeframe": profile.timeframe,
        "seconds": profile.seconds,
        "zone": "UTC" if profile.is_daily else calendar(profile.calendar).timezone,
        "calendar": profile.calendar,
        "currency": profile.currency,
        "asset_class": profile.asset_class,
        "allow_negative_price": profile.allow_negative_price,
        "adjusted": profile.adjusted,
    }


def fill(conn: Connection, rows: RowReader, progress: Progress | None = None) -> None:
    """Read a source into a new scratch table."""
    conn.execute(scratch.SCRATCH)
    for statement, data in ahead(rows.copies()):
        rows.tally.arrived += send(conn, statement, data)
        if progress:
            progress(rows.source.name, rows.tally.position, rows.source.size)


def send(conn: Connection, statement: str, data: bytes | bytearray) -> int:
    """Run one COPY; return how many rows the server took."""
    cursor = conn.cursor()
    with cursor.copy(statement) as copy:
        copy.write(data)
    return cursor.rowcount


ANALYZE_SCRATCH = "analyze scratch (line, symbol, bar_ts, session_date)"
ANALYZE_RESOLVED = "analyze resolved"


class Landing:
    """The statements of one landing, in their order; each knows what the others found."""

    def __init__(self, conn: Connection, known: Facts) -> None:
        """Keep what the statements need to know."""
        self.conn = conn
        self.facts = known
        self.symbols = Symbols(conn, known)
        self.is_aside = False
        self.is_known = False
        # A tenth of the usual sample of the columns that are joined tells few rows from many.
        conn.execute("set local default_statistics_target = 10")

    def judge(self, statement: str) -> None:
        """Set rows aside that break a rule."""
        if self.conn.execute(statement, self.facts).rowcount:
            self.conn.execute("analyze aside")
            self.is_aside = True

    def find_repeated(self, *, in_order: bool) -> None:
        """Set rows aside whose key the batch has more than once."""
        row = self.conn.execute(scratch.HAS_RENAMED).fetchone()
        # Rising times of contiguous symbols cannot repeat a key: no need to look.
        if in_order and row and not row[0]:
            return
        if self.conn.execute(scratch.REPEATED, self.facts).rowcount:
            self.conn.execute("analyze aside")
            self.is_aside = True

    def find_known(self, rows: int) -> None:
        """Find rows whose key is landed already, and whether their values are the same."""
        statement = scratch.KNOWN.format(
            landed=scratch.LANDED, not_aside=scratch.NOT_ASIDE if self.is_aside else ""
        )
        # The planner takes instrument, timeframe and source for independent and expects few rows.
        if rows >= MANY:
            self.conn.execute("set local enable_nestloop = off")
        self.is_known = bool(self.conn.execute(statement, self.facts).rowcount)
        self.conn.execute("set local enable_nestloop = on")
        if self.is_known:
            self.conn.execute("analyze existing")

    def contradicts_itself(self) -> bool:
        """Say whether a row has other values than one that this batch has landed already."""
        return self.is_known and bool(self.conn.execute(scratch.CONTRADICTED).rowcount)

    def insert(self, *, in_order: bool) -> int:
        """Insert the rest in one statement, for one note in the change log; return how many."""
        statement = scratch.INSERT.format(
            joined=scratch.JOINED,
            revision="coalesce(e.revision + 1, 0)" if self.is_known else "0",
            existing="left join existing as e on s.line = e.line" if self.is_known else "",
            not_aside=(scratch.NOT_ASIDE if self.is_aside else "")
            + (" and e.same is not true" if self.is_known else ""),
            # Rows in the order of the key fill its index twice as fast; most files have it.
            order="" if in_order else "order by r.instrument_id, s.bar_ts",
        )
        return self.conn.execute(statement, self.facts).rowcount

    def count(self) -> tuple[int, int]:
        """Return how many rows were known, and are rejected."""
        row = self.conn.execute(scratch.COUNT).fetchone()
        return row if row else (0, 0)

    def good_lines(self) -> list[int]:
        """Return the lines that break no rule; asked of replays, which are small."""
        return [row[0] for row in self.conn.execute(scratch.GOOD)]

    def rule_counts(self) -> dict[str, int]:
        """Return how often each rule was broken, in the order of the catalogue."""
        found: dict[str, int] = dict(
            self.conn.execute("select rule, count(*) from aside, unnest(rules) as rule group by 1")
        )
        return {rule: found[rule] for rule in reasons() if rule in found}
