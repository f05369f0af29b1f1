"""Every landing table takes a file by its name, and the same file changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from landing_files import ask
from record_samples import write_minimal
from warehouse import database
from warehouse.landing.landables import landing_tables
from warehouse.landing.record_profile import record_profile
from warehouse.landing.records import land_files


def profile(table: str, **keys: object) -> object:
    return record_profile({"table": table, "source": "acme", "calendar": "24/7", **keys}, where="t")


@pytest.mark.usefixtures("database")
def test_every_table_takes_a_minimal_file(tmp_path: Path) -> None:
    with database.connect() as conn:
        tables = landing_tables(conn)
        files = {name: write_minimal(conn, name, tmp_path) for name in tables}
    assert len(tables) >= 29
    wrong = []
    done: set[str] = set()
    for name in tables:
        for table, path in files[name]:
            (first,) = land_files([path], profile=profile(table))
            (again,) = land_files([path], profile=profile(table))
            found = (first.landed, first.accepted, again.accepted, again.known)
            if found != ((1, 1, 0, 1) if table not in done else (1, 0, 0, 1)):
                reasons = ask(
                    "select rule, reason from ops.quarantine order by quarantine_id desc limit 1"
                )
                wrong.append((table, found, reasons))
            done.add(table)
    assert not wrong, "\n".join(map(str, wrong))
