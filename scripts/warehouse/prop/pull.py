"""Pull a prop-trading application's tables into raw_prop: what is new, and what has changed.

State tables are small: every row is compared. A ledger only grows, so a group of it (the trades of
one challenge, the webhooks of one payment) has something new exactly when it has more rows than
have landed. No clock is asked: a transaction that commits late is found by the next pull.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.landing.batches import BatchResult
from warehouse.landing.records import land_records
from warehouse.landing.records.as_text import text_of
from warehouse.landing.records.landables import KEPT, Landable, find
from warehouse.landing.records.profile import record_profile
from warehouse.landing.replay import replay
from warehouse.prop.application import CHUNK, Application, Row, opened

MANY = 500
"""With more groups than this to read, the whole table is read instead."""


@dataclass(frozen=True)
class Pulled:
    """One landing table, and where its rows are in the application."""

    target: str
    table: str
    key: tuple[str, ...]
    """As the landing table calls it."""
    group: tuple[str, ...] = ()
    """Of a ledger: the columns that tell whose rows they are."""
    sequence: str = ""
    """Of a ledger: the column that counts the rows of a group."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Columns that have another name here: ours, theirs."""
    left_out: frozenset[str] = frozenset()


TABLES = (
    Pulled("user_accounts", "users", ("id",), left_out=frozenset({"forgotten_at"})),
    # A warehouse has no use for password hashes: they stay where they are.
    Pulled(
        "users_pii",
        "users",
        ("user_id",),
        renamed=(("user_id", "id"),),
        left_out=frozenset({"password_hash"}),
    ),
    Pulled("challenge_rules", "challenge_rules", ("tenant_id", "rule_set", "version", "rule_kind")),
    Pulled("challenges", "challenges", ("id",)),
    Pulled("trades", "trades", ("challenge_id", "trade_id"), ("challenge_id",), "sequence_number"),
    Pulled(
        "challenge_events",
        "challenge_events",
        ("challenge_id", "sequence_number"),
        ("challenge_id",),
        "sequence_number",
    ),
    Pulled(
        "challenge_equity_ticks",
        "challenge_equity_ticks",
        ("challenge_id", "tick_ts"),
        ("challenge_id",),
    ),
    Pulled("payments", "payments", ("id",)),
    Pulled(
        "payment_events",
        "payment_events",
        ("provider", "provider_event_id"),
        ("provider", "provider_payment_id"),
    ),
    Pulled("risk_alerts", "risk_alerts", ("id",)),
)
REQUIRED = ("users", "challenges")
WAITING = """
    select quarantine_id, payload from ops.quarantine
    where dataset = %s and source = %s and replayed_at is null
"""
SUPERSEDE = """
    update ops.quarantine set replayed_at = now(), replayed_batch_id = %s
    where quarantine_id = any(%s)
"""


def pull(url: str, *, source: str = "application") -> list[BatchResult]:
    """Land what an application has and the warehouse has not; return a batch for each table.

    Raises WarehouseError when the database cannot be reached or is not such an application's.
    """
    with opened(url) as application:
        _check(application)
        results = []
        for each in TABLES:
            if application.columns(each.table):
                results += _land(application, each, source)
    # What was refused may have waited for a row that came later.
    if any(result.quarantined for result in results) or _is_waiting(source):
        results += [again for again in replay(source) if again.accepted]
    return results


def _check(application: Application) -> None:
    there = [each for each in dict.fromkeys(t.table for t in TABLES) if application.columns(each)]
    missing = [name for name in REQUIRED if name not in there]
    if missing:
        raise WarehouseError(
            f"The database has no table {' and no table '.join(missing)}.",
            where=f"{application.name} (found: {', '.join(there) or 'none of ours'})",
            do="pull from the database of a prop-trading application; in PostgreSQL its schema has"
            " to be in the search_path of the user",
        )
    with database.connect("warehouse land") as conn:
        for each in TABLES:
            if each.table in there:
                table = find(conn, f"raw_prop.{each.target}")
                wanted = table.required([ours for ours, _ in _columns(application, each, table)])
                lacking = [dict(each.renamed).get(name, name) for name in wanted]
                if lacking:
                    raise WarehouseError(
                        f"Table {each.table} has no column {' and no column '.join(lacking)}.",
                        where=application.name,
                        do="add it there (`warehouse prop sqlite` shows the schema), or a view"
                        " that has it",
                    )


def _columns(application: Application, each: Pulled, table: Landable) -> list[tuple[str, str]]:
    """Return our columns that the application has, with their names there."""
    theirs = application.columns(each.table)
    named = dict(each.renamed)
    return [
        (ours, named.get(ours, ours))
        for ours in table.columns
        if ours not in KEPT | each.left_out
        and not table.columns[ours].is_generated
        and named.get(ours, ours) in theirs
    ]


def _land(application: Application, each: Pulled, source: str) -> list[BatchResult]:
    target = f"raw_prop.{each.target}"
    with database.connect("warehouse land") as conn:
        table = find(conn, target)
        waiting = {_frozen(row): number for number, row in conn.execute(WAITING, [target, source])}
    columns = [
        # Amounts in JSON keep every digit as text.
        (ours, f"cast({theirs} as text)" if table.columns[ours].base == "jsonb" else theirs)
        for ours, theirs in _columns(application, each, table)
    ]
    profile = record_profile(
        {"table": target, "source": source, "timezone": "UTC"}, where=application.name
    )
    name = f"{application.name}#{each.table}"
    results: list[BatchResult] = []
    rows = _wanted(application, each, columns)
    while chunk := list(islice(rows, CHUNK)):
        # What waits in quarantine as it is would only wait there twice.
        sent = [row for row in chunk if _frozen(row) not in waiting]
        if not sent:
            continue
        results.append(land_records(target, sent, source=source, profile=profile, name=name))
        _supersede(each, sent, waiting, results[-1].batch_id)
    return results


def _wanted(
    application: Application, each: Pulled, columns: Sequence[tuple[str, str]]
) -> Iterator[Row]:
    """Stream the rows that may be new or changed, by our names."""
    shown = ", ".join(f"{theirs} as {ours}" for ours, theirs in columns)
    select = f"select {shown} from {each.table}"  # noqa: S608 (names of our own)
    if not each.group:
        forgotten = _forgotten()
        for row in application.rows(f"{select} order by {dict(columns)[each.key[0]]}"):
            if each.table == "users" and str(row[each.key[0]]) in forgotten:
                continue
            if "metadata" in row and str(row.get("user_id")) in forgotten:
                row["metadata"] = None
            yield row
        return
    landed = _landed(each)
    grouped = ", ".join(each.group)
    count = f"select {grouped}, count(*) as n from {each.table} group by {grouped}"  # noqa: S608
    more = [
        key
        for row in application.rows(count)
        if row["n"] != landed.get(key := tuple(str(row[g]) for g in each.group), (0, 0))[0]
    ]
    order = f"order by {', '.join(dict.fromkeys([*each.group, each.sequence or each.key[-1]]))}"
    if len(more) > MANY:
        wanted = set(more)
        for row in application.rows(f"{select} {order}"):
            key = tuple(str(row[g]) for g in each.group)
            if key in wanted and _is_beyond(row, each, landed.get(key)):
                yield row
        return
    where = " and ".join(f"{g} = ?" for g in each.group)
    for key in more:
        for row in application.rows(f"{select} where {where} {order}", key):
            if _is_beyond(row, each, landed.get(key)):
                yield row


def _is_beyond(row: Row, each: Pulled, landed: tuple[int, int] | None) -> bool:
    """Tell whether a row is above the watermark of its group; where there is none, all are."""
    if not each.sequence or landed is None or row[each.sequence] is None:
        return True
    return int(row[each.sequence]) > landed[1]


def _landed(each: Pulled) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return how many rows of each group have landed, and the last of their numbers."""
    grouped = ", ".join(f"{name}::text" for name in each.group)
    last = f"max({each.sequence})" if each.sequence else "0"
    with database.connect("warehouse land") as conn:
        found = conn.execute(
            f"select {grouped}, count(*), {last} from raw_prop.{each.target}"  # noqa: S608
            f" group by {', '.join(each.group)}"
        ).fetchall()
    return {tuple(row[:-2]): (row[-2], row[-1]) for row in found}


def _forgotten() -> set[str]:
    with database.connect("warehouse land") as conn:
        found = conn.execute(
            "select id::text from raw_prop.user_accounts where forgotten_at is not null"
        ).fetchall()
    return {row[0] for row in found}


def _is_waiting(source: str) -> bool:
    with database.connect("warehouse land") as conn:
        return bool(
            conn.execute(
                "select from ops.quarantine where source = %s and replayed_at is null limit 1",
                [source],
            ).rowcount
        )


def _frozen(row: Row) -> tuple[tuple[str, str | None], ...]:
    """Return a row as its payload in quarantine has it, to be looked up."""
    return tuple(sorted((name, text_of(value)) for name, value in row.items()))


def _supersede(
    each: Pulled,
    rows: Iterable[Row],
    waiting: dict[tuple[tuple[str, str | None], ...], int],
    batch_id: int,
) -> None:
    """Close what waits in quarantine of records that the application has corrected since."""
    if not waiting:
        return
    keys = {tuple(text_of(row.get(name)) for name in each.key) for row in rows}
    old = [
        number
        for payload, number in waiting.items()
        if tuple(dict(payload).get(name) for name in each.key) in keys
    ]
    if old:
        with database.connect("warehouse land") as conn:
            conn.execute(SUPERSEDE, [batch_id, old])
