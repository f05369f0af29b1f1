"""Errors a person can act on, and the exit codes every command shares."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command `warehouse`."""

    OK = 0
    """Everything asked for was done."""
    FINDINGS = 1
    """Done, but the data has findings: rows quarantined, a gate or a test failed."""
    ERROR = 2
    """Not done: bad input, a missing server, a full disk; the message says what to do."""


class WarehouseError(Exception):
    """A failure with what was wrong, where, and what to do about it."""

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        """Keep the three parts apart, so that they can be shown or sent as JSON."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        """Return the three parts on lines of their own."""
        parts = [self.what]
        if self.where:
            parts.append(f"where: {self.where}")
        if self.do:
            parts.append(f"what to do: {self.do}")
        return "\n".join(parts)
