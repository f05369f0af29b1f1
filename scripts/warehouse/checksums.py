"""Landed migrations are never edited: their checksums are in the repository.

`python -m warehouse.checksums` compares; with `--write` it adds what is new, and only that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from warehouse.errors import ExitCode
from warehouse.migrate import FOLDER, checksum

NAME = "checksums.txt"
"""Beside the versions, in the format of sha256sum (run in migrations/sql)."""


def recorded(folder: Path = FOLDER) -> dict[str, str]:
    """Return the checksum of each landed body by its file's name."""
    path = folder / NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: value for value, name in (line.split("  ", 1) for line in lines)}


def actual(folder: Path = FOLDER) -> dict[str, str]:
    """Return the checksum of each body as it is now."""
    return {path.name: checksum(path) for path in sorted((folder / "sql").glob("*.sql"))}


def differences(folder: Path = FOLDER) -> list[str]:
    """Return what is wrong: bodies edited or removed after landing, or not recorded."""
    old, new = recorded(folder), actual(folder)
    found = [f"{name} was removed after it landed" for name in old.keys() - new.keys()]
    found += [
        f"{name} was edited after it landed" for name in old if new.get(name, "") != old[name]
    ]
    found += [f"{name} is not recorded in {NAME}" for name in new.keys() - old.keys()]
    return sorted(found)


def write(folder: Path = FOLDER) -> None:
    """Record what is new; what is recorded stays as it was."""
    known = {**actual(folder), **recorded(folder)}
    text = "".join(f"{known[name]}  {name}\n" for name in sorted(known))
    (folder / NAME).write_text(text, encoding="utf-8")


def main() -> int:
    """Compare, or write; return the exit code."""
    if "--write" in sys.argv[1:]:
        write()
    found = differences()
    for line in found:
        sys.stderr.write(f"{line}\n")
    return ExitCode.FINDINGS if found else ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
