"""A rename learned late: bars under the new ticker belong to the old one's instrument."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from psycopg import Connection

from warehouse.errors import WarehouseError
from warehouse.landing.bars.moments import moment
from warehouse.landing.batches import BatchResult, new_batch, session, store_batch, writing
from warehouse.landing.corrections import doomed, renaming
from warehouse.landing.instruments import calendar_of

DATASET = "renames"
Facts = dict[str, object]


@dataclass
class Rename:
    """What a rename changed; nothing when it was known already."""

    batch_id: int | None
    old: str
    new: str
    on: date
    calendar: str
    instrument_id: int
    emptied_instrument_id: int | None
    """The instrument that the new ticker wrongly was."""
    bars: int
    """Bars that moved from it."""
    known: int
    """Those of them that the right instrument had already, with the same values."""
    actions: int
    infos: int
    histories: int
    """Ranges of ref.symbol_history that changed."""
    seconds: float


def rename_symbol(
    old: str,
    new: str,
    *,
    on: str | date,
    calendar: str | None = None,
    source: str = "warehouse rename",
) -> Rename:
    """Say that from a day on a new ticker means the instrument that the old one was.

    What landed under the new ticker since then as an instrument of its own moves there. Doing it
    again changes nothing. `source` is who says so. Raises WarehouseError when the old ticker meant
    nothing the day before, or the new one means a third thing.
    """
    began = time.monotonic()
    if old == new:
        raise WarehouseError("The old and the new ticker are the same.", do="name both")
    day = moment(on, is_daily=True)
    with session(f"rename of {old} to {new}") as conn, writing(conn):
        where = calendar_of(conn, old, calendar)
        facts: Facts = {"old": old, "new": new, "on": day, "calendar": where, "told_by": source}
        facts["kept"] = _meant_before(conn, facts)
        facts["emptied"], facts["is_whole"] = _wrongly_meant(conn, facts)
        facts["batch_id"] = new_batch(conn)
        bars = known = actions = known_actions = infos = 0
        if facts["emptied"] is not None:
            conn.execute(renaming.NEGATIVE, facts)
            news = conn.execute(renaming.APPEND, facts).rowcount
            bars = conn.execute(doomed.WITHDRAW, facts).rowcount
            known = bars - news
            if facts["is_whole"]:
                moved = conn.execute(renaming.ACTIONS, facts).fetchall()
                actions = sum(is_withdrawn for (is_withdrawn,) in moved)
                known_actions = 2 * actions - len(moved)
                infos = conn.execute(renaming.INFOS, facts).rowcount
            conn.execute(renaming.CUT_IN_TWO, facts)
        steps = (renaming.CUT_OFF, renaming.HANDED_OVER) if facts["emptied"] is not None else ()
        histories = sum(
            conn.execute(step, facts).rowcount for step in (*steps, renaming.NAMED, renaming.ENDED)
        )
        result = Rename(
            batch_id=int(str(facts["batch_id"])),
            old=old,
            new=new,
            on=day,
            calendar=where,
            instrument_id=int(str(facts["kept"])),
            emptied_instrument_id=facts["emptied"],  # type: ignore[arg-type]
            bars=bars,
            known=known,
            actions=actions,
            infos=infos,
            histories=histories,
            seconds=round(time.monotonic() - began, 3),
        )
        _store(conn, result, source, known + known_actions)
    return result


def _meant_before(conn: Connection, facts: Facts) -> int:
    """Return the instrument that the old ticker meant the day before."""
    row = conn.execute(renaming.MEANT_BEFORE, facts).fetchone()
    if row:
        return int(row[0])
    ranges = conn.execute(renaming.MEANINGS, facts).fetchall()
    told = ", ".join(f"from {first} to before {last}" for first, last in ranges)
    raise WarehouseError(
        f"The ticker {facts['old']!r} meant nothing on the day before {facts['on']}.",
        where=f"on {facts['calendar']} it means something {told}",
        do="name the first session under the new ticker with --on",
    )


def _wrongly_meant(conn: Connection, facts: Facts) -> tuple[int | None, bool]:
    """Return the instrument that the new ticker wrongly means, and whether all of it moves.

    One with bars on both sides of the day may be a third thing: nobody but a person can say.
    """
    taken = conn.execute(renaming.TAKEN, facts).fetchone()
    if taken is None:
        return None, False
    emptied, valid_from, begins_later = taken
    new, on = facts["new"], facts["on"]
    if begins_later:
        raise WarehouseError(
            f"From {valid_from} on {new!r} means another instrument, number {emptied}.",
            where="ref.symbol_history",
            do=f"if it does not, land a symbol_history that says what {new} means since {on}",
        )
    conn.execute(renaming.MOVING, {**facts, "emptied": emptied})
    around = conn.execute(renaming.AROUND, facts).fetchone() or (0, 0, None, None)
    before, since, first, last = around
    if before and since:
        raise WarehouseError(
            f"{new!r} is an instrument of its own, number {emptied}, with {before} bars before"
            f" {on} and {since} since: it may be a third thing. Nothing is changed.",
            where=f"its bars are from {first} to {last}",
            do=f"check the day. If the bars since are those of {facts['old']}, withdraw them"
            f" (`warehouse withdraw bars --symbol {new} --from {on} --to {last} …`), rename,"
            " and land them again",
        )
    conn.execute(renaming.STAYING, facts)
    return int(emptied), not before


def _store(conn: Connection, result: Rename, source: str, known: int) -> None:
    """Write what moved as a batch; a rename that changed nothing has none."""
    landed = result.bars + result.actions + result.infos
    if not landed and not result.histories:
        result.batch_id = None
        return
    assert result.batch_id is not None  # noqa: S101 (drawn before)
    batch = BatchResult(
        batch_id=result.batch_id,
        dataset=DATASET,
        file=f"rename of {result.old} to {result.new}",
        source=source,
        timeframe=None,
        landed=landed,
        accepted=landed - known,
        known=known,
        quarantined=0,
        seconds=result.seconds,
    )
    told = {key: str(getattr(result, key)) for key in ("old", "new", "on", "calendar")}
    numbers = {key: getattr(result, key) for key in ("instrument_id", "emptied_instrument_id")}
    store_batch(conn, batch, None, {**told, **numbers})
