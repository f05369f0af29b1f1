"""Land reference data: instruments, symbol history, corporate actions, stock info."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from psycopg import Connection, Rollback
from psycopg.types.json import Jsonb

from warehouse.errors import WarehouseError
from warehouse.landing.batches import (
    BatchResult,
    Progress,
    new_batch,
    session,
    store_batch,
    store_replay,
    writing,
)
from warehouse.landing.profile import parse_yaml
from warehouse.landing.readers import Source, open_source
from warehouse.landing.reference import histories, restatable
from warehouse.landing.reference.tables import (
    TABLES,
    Row,
    TableProfile,
    all_reasons,
    headers,
    read_rows,
)
from warehouse.landing.sessions import ensure_sessions

QUARANTINE = """
    insert into ops.quarantine (
        batch_id, dataset, source, file, line, rule, rules, reason, payload, symbol
    )
    values (
        %(batch_id)s, %(dataset)s, %(source)s, %(file)s, %(line)s, %(rule)s, %(rules)s, %(reason)s,
        %(payload)s, %(symbol)s
    )
"""

Writer = Callable[[Connection, list[Row], TableProfile, int], tuple[int, int]]
"""Writes good rows, returns how many were new and known; adds rules to rows it must reject."""

WRITERS: dict[str, Writer] = {
    "instruments": histories.write_instruments,
    "symbol_history": histories.write_histories,
    "corporate_actions": restatable.write_actions,
    "stock_info": restatable.write_infos,
}


def land_table(
    table: str,
    paths: Iterable[Path],
    *,
    source: str,
    profile: TableProfile | None = None,
    calendar: str | None = None,
    progress: Progress | None = None,
) -> list[BatchResult]:
    """Land files of one reference table, each in a transaction of its own.

    Raises WarehouseError when a file cannot be landed; nothing of that file is landed then.
    """
    if table not in TABLES:
        raise WarehouseError(
            f"There is no reference table {table!r}.", do=f"use one of: {', '.join(TABLES)}"
        )
    layout = profile or table_profile({"table": table, "source": source}, where="--source")
    changes = {"source": source} | ({"calendar": calendar} if calendar else {})
    layout = table_profile({**layout.model_dump(), **changes}, where="--calendar")
    sources = [open_source(Path(path), layout) for path in paths]
    for each in sources:
        headers(each, layout)
    results = []
    for each in sources:
        results.append(land_rows(each, layout))
        if progress:
            progress(each.name, each.size or 0, each.size)
    return results


def table_profile(content: object, *, where: str) -> TableProfile:
    """Check the content of a profile of reference data."""
    return parse_yaml(TableProfile, content, where=where)


def land_rows(
    source: Source,
    profile: TableProfile,
    *,
    is_replay: bool = False,
    withdrawal: str | None = None,
    dry_run: bool = False,
) -> BatchResult:
    """Land one source of reference data; of a replay, bad rows stay where they are.

    `withdrawal`: the rows say what never happened, and this is the reason.
    """
    began = time.monotonic()
    dataset = profile.table if withdrawal is None else "withdrawals"
    rows = sorted(read_rows(source, profile), key=lambda row: row.line)
    with session(source.name) as conn, writing(conn):
        batch_id = new_batch(conn)
        good = [row for row in rows if not row.rules]
        write = WRITERS[profile.table] if withdrawal is None else restatable.withdraw_actions
        accepted, known = write(conn, good, profile, batch_id)
        bad = [row for row in rows if row.rules]
        if not is_replay:
            _quarantine(conn, bad, source, profile, batch_id, dataset)
        result = BatchResult(
            batch_id=batch_id,
            dataset=dataset,
            file=source.name,
            source=profile.source,
            timeframe=None,
            landed=len(rows),
            accepted=accepted,
            known=known,
            quarantined=len(bad),
            seconds=round(time.monotonic() - began, 3),
            rules=dict(Counter(rule for row in bad for rule in row.rules)),
        )
        stored = profile.model_dump(mode="json")
        stored |= {} if withdrawal is None else {"reason": withdrawal}
        if is_replay:
            store_replay(conn, result, stored, [row.line for row in rows if not row.rules])
        else:
            store_batch(conn, result, source.size, stored)
        source.check_unchanged()
        if dry_run:
            raise Rollback
    return result


def _quarantine(
    conn: Connection,
    bad: list[Row],
    source: Source,
    profile: TableProfile,
    batch_id: int,
    dataset: str,
) -> None:
    reasons = all_reasons()
    order = list(reasons)
    for row in bad:
        row.rules.sort(key=order.index)
    conn.cursor().executemany(
        QUARANTINE,
        [
            {
                "batch_id": batch_id,
                "dataset": dataset,
                "source": profile.source,
                "file": source.name,
                "line": row.line,
                "rule": row.rules[0],
                "rules": row.rules,
                "reason": " ".join(reasons[rule] for rule in row.rules),
                "payload": Jsonb(row.payload),
                "symbol": row.symbol or None,
            }
            for row in bad
        ],
    )


__all__ = ["ensure_sessions", "land_rows", "land_table", "table_profile"]
