"""A landing that stops in its middle, to be killed: `child_land.py reading|writing FOLDER`."""

from __future__ import annotations

import faulthandler
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from children import LIMIT
from schedules import SERIES, Schedule
from warehouse.landing.bars import statements

STOPPED = "stopped in the middle"


def stop(*_: object) -> None:
    """Go no further."""
    print(STOPPED)
    time.sleep(2 * LIMIT)


def main(moment: str, folder: Path) -> None:
    """Land bars of the first series up to the moment."""
    whole: Callable[..., None] = psycopg.Copy.write

    def half(copy: psycopg.Copy, data: bytes) -> None:
        whole(copy, data[: len(data) // 2])
        stop()

    if moment == "reading":
        psycopg.Copy.write = half  # type: ignore[method-assign]
    else:
        statements.Landing.count = stop  # type: ignore[method-assign]
    Schedule(folder).land(SERIES[0], list(range(300, 400)))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    main(sys.argv[1], Path(sys.argv[2]))
