"""The schema of the prop-trading application on SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from warehouse.errors import WarehouseError

FOLDER = Path(__file__).parent / "sqlite"
OLDEST = (3, 35)


def schema() -> str:
    """Return the SQL that creates it, for `executescript` or the program sqlite3."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.sql")))


def create(path: Path) -> None:
    """Create the schema in a new file; whatever fails, no half of it is left.

    Raises WarehouseError when the file is there already or cannot be written.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise WarehouseError(
            f"This Python has SQLite {sqlite3.sqlite_version}; 3.35 is needed.",
            do="use a newer Python",
        )
    if path.exists():
        raise WarehouseError(
            "The file exists already.",
            where=str(path),
            do="name another one; an existing database is never touched",
        )
    if not path.parent.is_dir():
        raise WarehouseError(
            "The folder does not exist.", where=str(path.parent), do="create it, or check the path"
        )
    try:
        session = sqlite3.connect(path)
        try:
            session.executescript(f"begin;\n{schema()}\ncommit;")
        finally:
            session.close()
    except sqlite3.Error as error:
        path.unlink(missing_ok=True)
        raise WarehouseError(
            f"SQLite could not create the database: {error}.",
            where=str(path),
            do="check that the folder can be written to and has space",
        ) from None
