"""The audit's chain: seal what is finished, verify all of it, anchor its head outside."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from warehouse import database
from warehouse.errors import WarehouseError

PATIENCE = 10.0
"""Seconds that a seal waits for the transactions that were running when it began."""

HEAD = """
select seal_no, encode(seal_hash, 'hex'), sealed_at from audit.seals order by seal_no desc limit 1
"""
OLDEST = """
select pid, usename, application_name, xact_start from pg_stat_activity
where backend_xid is not null and pid <> pg_backend_pid() order by xact_start limit 1
"""


@dataclass(frozen=True)
class Sealed:
    """What one run sealed."""

    seals: int
    rows: int
    head: int
    """Number of the newest seal; 0: none."""
    unsealed: int
    """Rows that are not sealed yet: landed meanwhile, or behind a transaction still running."""
    waiting_for: str = ""
    """The oldest transaction still running, when it was not waited for to its end."""


@dataclass(frozen=True)
class Anchor:
    """Head of the chain at one time, kept where nobody with the database's rights can write."""

    database: str
    seal_no: int
    seal_hash: str
    sealed_at: str
    anchored_at: str


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was sealed or audited."""

    finding: str
    seal_no: int | None
    change_seq: int | None
    relation: str | None
    key: dict[str, Any] | None
    detail: str


@dataclass(frozen=True)
class Verified:
    """What a verification looked at and found."""

    seals: int
    sealed: int
    unsealed: int
    watched: int
    anchors: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Say whether nothing was altered."""
        return not self.findings


def seal(*, patience: float = PATIENCE) -> Sealed:
    """Seal every change of the transactions that have ended.

    The mark has to be committed before it can be sealed by, hence the session in autocommit.
    """
    with database.connect("warehouse audit seal", autocommit=True) as session:
        mark = _one(session, "select audit.mark()::text")
        deadline = time.monotonic() + patience
        while not (done := _one(session, _IS_OVER, mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
        rows = session.execute("select seal_no, row_count from audit.seal()").fetchall()
        oldest = None if done else session.execute(OLDEST).fetchone()
        head = session.execute(HEAD).fetchone()
        unsealed = int(_one(session, _UNSEALED))
    waiting = ""
    if oldest:
        pid, user, program, since = oldest
        waiting = f"{program or user} (pid {pid}), which has been writing since {since:%H:%M:%S}"
    total = sum(count for _, count in rows)
    return Sealed(len(rows), total, head[0] if head else 0, unsealed, waiting)


_IS_OVER = "select pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8"
_UNSEALED = """
select count(*) from audit.row_changes
where change_seq > coalesce((select max(to_seq) from audit.seals), 0)
"""
_COUNTS = """
select
    (select count(*) from audit.seals),
    (select coalesce(sum(row_count), 0)::bigint from audit.seals),
    (select count(*) from audit.watched)
"""


def verify(anchor: Path | None = None) -> Verified:
    """Compare the audit with its seals, watched tables with the audit, the chain with anchors."""
    anchors = _read_anchors(anchor) if anchor else []
    with database.connect("warehouse audit verify") as session:
        # One snapshot for all of it: a change that lands meanwhile is no finding.
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rows = session.execute("select * from audit.verify() order by seal_no, change_seq")
        findings = [Finding(*row) for row in rows]
        findings += _against_anchors(session, anchors)
        seals, sealed, watched = session.execute(_COUNTS).fetchone() or (0, 0, 0)
        unsealed = int(_one(session, _UNSEALED))
    return Verified(seals, sealed, unsealed, watched, len(anchors), findings)


def write_anchor(path: Path) -> Anchor:
    """Append the head of the chain to a file; one JSON object a line.

    Raises WarehouseError when nothing is sealed yet.
    """
    with database.connect("warehouse audit anchor") as session:
        head = session.execute(HEAD).fetchone()
        name = str(_one(session, "select current_database()"))
    if head is None:
        raise WarehouseError("Nothing is sealed yet.", do="run `warehouse audit seal` first")
    anchor = Anchor(name, head[0], head[1], head[2].isoformat(), datetime.now(UTC).isoformat())
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(anchor)) + "\n")
    return anchor


def _read_anchors(path: Path) -> list[Anchor]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        anchors = [Anchor(**json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise WarehouseError(
            f"The anchors cannot be read: {error}",
            where=str(path),
            do="name a file that `warehouse audit anchor` has written",
        ) from None
    if not anchors:
        raise WarehouseError(
            "The file holds no anchor.", where=str(path), do="`warehouse audit anchor FILE`"
        )
    return anchors


def _against_anchors(session: psycopg.Connection, anchors: list[Anchor]) -> list[Finding]:
    """Find anchored seals that are gone or have another hash: the chain was rewritten."""
    rows = session.execute("select seal_no, encode(seal_hash, 'hex') from audit.seals").fetchall()
    known: dict[int, str] = dict(rows)
    findings = []
    for anchor in anchors:
        found = known.get(anchor.seal_no)
        if found != anchor.seal_hash:
            detail = "is gone" if found is None else "has another hash: the chain was rewritten"
            told = f"seal {anchor.seal_no}, anchored {anchor.anchored_at[:19]}, {detail}"
            findings.append(
                Finding("anchor broken", anchor.seal_no, None, "audit.seals", None, told)
            )
    return findings


def _one(session: psycopg.Connection, query: str, *values: object) -> Any:  # noqa: ANN401 (a cell)
    row = session.execute(query.encode(), values or None).fetchone()
    return row[0] if row else None
