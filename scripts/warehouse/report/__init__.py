"""The report: one HTML file that shows the state of the warehouse, offline."""

from __future__ import annotations

from pathlib import Path

from warehouse import config, database
from warehouse.report.facts import collect
from warehouse.report.page import render


def write_report(path: Path | None = None) -> Path:
    """Write the report and return where it is (default: in the home of the instance).

    Works on a warehouse that is empty or not even migrated: the page then says what to run. Raises
    WarehouseError when the server does not answer.
    """
    target = path or config.Home.current().reports / "warehouse.html"
    with database.connect("warehouse report") as session:
        facts = collect(session)
    text = render(facts)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A browser that has the old report open never sees half of the new one.
    fresh = target.with_name(target.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(target)
    return target


__all__ = ["write_report"]
