"""What to do about a build that failed for a reason outside of its models."""

from __future__ import annotations

import re
from collections.abc import Iterable

ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|could not (extend|write to) file|disk is full",
        "free some space on the disk of the data folder, then build again",
    ),
    (
        r"deadlock detected",
        "another session and the build waited for each other, and the build gave way: build again",
    ),
    (
        r"due to lock timeout",
        "another session holds a lock on what is built: find it in pg_stat_activity, wait or end"
        " it, then build again",
    ),
    (
        r"due to statement timeout",
        "raise statement_timeout of the database or role that builds, then build again",
    ),
    (
        r"terminating connection|closed the connection|connection .*(closed|refused|lost)"
        r"|in recovery mode|shutting down|starting up",
        "the server ended or the connection did: look at `warehouse status`, `warehouse up` starts"
        " it; then build again",
    ),
)
"""What PostgreSQL says, and what a person can do; nothing is lost in any of these cases."""


def advice(messages: Iterable[str]) -> list[str]:
    """Return what to do about the failures of a build, each piece once."""
    text = "\n".join(messages)
    return [do for pattern, do in ADVICE if re.search(pattern, text)]
