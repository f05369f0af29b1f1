"""The whole main job on real prices, by one command."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from warehouse import build, config, currency, output
from warehouse.build import BuildResult

T = TypeVar("T")

WORLD: dict[str, Any] = {
    "days": 60,
    "seed": 7,
    "symbols": ("AAPL", "GOOG", "IBM", "MSFT"),
    "start": date(2012, 1, 3),
}
"""What `warehouse simulate` does on the demo's bars alone, whatever else has landed."""


def run() -> bool:
    """Start, migrate, land, simulate, gate, build, test, report; say whether all of it succeeded.

    Landing is idempotent, so a second run lands nothing; the gate, open and with nothing new to
    judge, is then not asked again.
    """
    from warehouse import migrate, server
    from warehouse.landing.samples import land_samples
    from warehouse.simulation.run import simulate

    started = time.monotonic()
    if config.target() == "embedded":
        home = config.Home.current()
        state = _step("start the server", lambda: server.up(home))
        output.say(f"  PostgreSQL {state.version} on 127.0.0.1:{state.port}, {home.path}")
    versions = _step("migrate the schema", migrate.migrate)
    if versions:
        output.say(f"  {', '.join(versions)}")
    with output.progress() as moved:
        batches = _step("land real prices", lambda: land_samples(moved))
    landed = sum(batch.landed for batch in batches)
    accepted = sum(batch.accepted for batch in batches)
    quarantined = sum(batch.quarantined for batch in batches)
    output.say(f"  {landed:,} rows, {accepted:,} of them new, {quarantined:,} quarantined")
    with output.progress() as moved:
        made = _step(
            "simulate who trades on them",
            lambda: simulate(**WORLD, if_needed=True, progress=moved),
        )
    output.say(
        f"  {made.landed:,} rows, {made.accepted:,} of them new, {made.quarantined:,} quarantined"
    )
    landed += made.landed
    accepted += made.accepted
    quarantined += made.quarantined

    due = currency.gate_is_due()
    label = "gate, build and test" if due else "build and test (nothing new for the gate)"
    built = _step(label, lambda: build.build(check=due))
    path = _step("write the report", _report)
    _summary(landed, accepted, quarantined, built, time.monotonic() - started)
    if not built.success:
        build.print_build(built)
    output.say(f"report: {path}")
    output.say('look around: psql "$(.venv/bin/warehouse url)"   stop: .venv/bin/warehouse down')
    return built.success


def _report() -> str:
    """Write the report and return its path."""
    from warehouse.report import write_report

    return str(write_report(None))


def _step(label: str, work: Callable[[], T]) -> T:
    """Announce a step and do it."""
    output.say(f"> {label}")
    return work()


def _summary(
    landed: int, accepted: int, quarantined: int, built: BuildResult, seconds: float
) -> None:
    """Print the short table that the demo ends with."""
    tests = f"{built.tests_passed:,} passed"
    if built.tests_failed or built.errors:
        tests += f", {built.tests_failed + len(built.errors):,} FAILED"
    output.table(
        ("landed", "new", "quarantined", "built", "tests", "seconds"),
        [(landed, accepted, quarantined, built.models, tests, round(seconds, 1))],
    )
