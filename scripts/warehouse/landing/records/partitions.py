"""Where the rows of a batch come to lie: partitions made for them, chunks compressed before."""

from __future__ import annotations

import psycopg
from psycopg import Connection

from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.landing.records.shape import q

TIME_COLUMN = """
    select a.attname from pg_partitioned_table as p
    inner join pg_attribute as a on p.partrelid = a.attrelid and p.partattrs[0] = a.attnum
    where p.partrelid = %s::regclass
"""


def ensure(conn: Connection, table: str) -> None:
    """Make the partitions that rows of `sent` lack, where the table has partitions at all.

    In a session of its own, which commits at once: its locks must not last as long as the landing.
    No failure of it is one of the landing: rows without a partition land in the default one.
    """
    found = conn.execute(TIME_COLUMN, [table]).fetchone()
    if found is None:
        return
    # As text: there are times that the server has and Python has not.
    hours = f"select array_agg(distinct date_trunc('hour', {q(found[0])}))::text from sent"
    times = (conn.execute(hours.encode()).fetchone() or (None,))[0]
    try:
        with database.connect("warehouse land: partitions", autocommit=True) as session:
            session.execute("select ops.ensure_partitions(%s, %s::timestamptz[])", [table, times])
    except (WarehouseError, psycopg.Error):
        return


def late(conn: Connection, table: str, written: str) -> int:
    """Count the rows written into compressed chunks; `written` selects from all that were.

    0 on every server without a columnstore.
    """
    found = conn.execute(
        "select time_column, times::text from ops.compressed_times(%s)", [table]
    ).fetchone()
    if found is None:
        return 0
    column, times = found
    counted = f"select count(*) {written} and %s::tstzmultirange @> s.{q(column)}"
    row = conn.execute(counted.encode(), [times]).fetchone()
    return int(row[0]) if row else 0
