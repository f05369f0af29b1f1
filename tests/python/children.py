"""What is done by a process of its own, to be killed or to be in the way of another.

A new program each time, though it costs seconds to start: a fork of the tests inherits the locks
that their other threads hold at that moment, and waited for them for ever now and then.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import BinaryIO, TypeVar

from dbt_runs import parsed_file, wait_for_backends
from warehouse import config

LIMIT = 240.0
"""Seconds after which a child says where it is and ends, whatever becomes of the test."""

Found = TypeVar("Found")


@dataclass
class Child:
    """A program beside this file that does one thing; what it prints goes to a file."""

    process: subprocess.Popen[bytes]
    output: BinaryIO

    @classmethod
    def start(cls, program: str, *arguments: object) -> Child:
        """Start it; like every command it goes to the home and the database in force."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 (the child writes as long as it lives)
        # Unbuffered: what is killed has no time to say what it had to say.
        command = [sys.executable, "-u", Path(__file__).with_name(program), *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        return cls(process, output)

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return os.pread(self.output.fileno(), 1_000_000, 0).decode(errors="replace")

    @property
    def code(self) -> int | None:
        """Its exit code; None as long as it lives, negative when a signal ended it."""
        return self.process.poll()

    def until(self, found: Callable[[], Found | None]) -> Found:
        """Wait for something that it does; fails with what it printed when it ends before."""
        while (result := found()) is None:
            assert self.code is None, f"ended ({self.code}) before it came so far: {self.text}"
            time.sleep(0.02)
        return result

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        self.process.kill()

    def ended(self) -> Child:
        """Wait until it has ended; it is ended, and the test fails, when it takes too long."""
        try:
            self.process.wait(LIMIT + 10)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
            raise AssertionError(f"did not end within {LIMIT} s: {self.text}") from None
        return self


def killed_dbt(statement: int, *arguments: str, project: Path = config.PROJECT) -> bool:
    """Run the models in a process that is killed before a statement; say whether it was."""
    child = Child.start(
        "child_build.py", "killed", project, parsed_file(project), statement, *arguments
    ).ended()
    assert child.code in (0, -SIGKILL), f"exit code {child.code}: {child.text}"
    wait_for_backends()
    return child.code == -SIGKILL
