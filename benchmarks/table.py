"""The table of figures, for the terminal's reader and for docs/benchmarks.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.results import Figure, Section

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

INTRODUCTION = f"""# Benchmarks

Ratios of one run on one machine are what counts; absolute numbers are that machine's. The data
are hourly bars resampled in whole sessions from real ones, the same every time. Each step has a
fresh database in a server of its own with the settings that `warehouse up` writes. `make bench`
writes what follows.

{BEGIN}
{END}
"""


def markdown(sections: list[Section], about: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    lines = [
        f"`{about['command']}` on {about['date']}: {about['symbols']:,} symbols,"
        f" {about['bars']:,} hourly bars, {about['minutes']:.0f} minutes; {about['cores']} cores"
        f" ({about['processor']}), {about['memory_gb']} GB memory, PostgreSQL"
        f" {about['postgresql']}, Python {about['python']}, {about['system']}.",
        "",
    ]
    for section in sections:
        lines += [f"## {section.title}", "", "| figure | measured | ratio | target | met |"]
        lines += ["|---|---:|---:|---:|---|", *[_line(figure) for figure in section.figures], ""]
        lines += [f"- {note}" for note in section.notes]
        lines += [""] if section.notes else []
    return "\n".join(lines)


def _line(figure: Figure) -> str:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3g}"
    met = {None: "", True: "yes", False: "**no**"}[figure.met]
    return f"| {figure.name} | {figure.value} | {ratio} | {figure.target} | {met} |"


def write_docs(path: Path, text: str, block: str = "benchmarks") -> None:
    """Replace what is between the markers of a block, which is added where the page has none."""
    begin, end = (mark.replace("benchmarks", block) for mark in (BEGIN, END))
    page = path.read_text(encoding="utf-8") if path.exists() else INTRODUCTION
    if begin not in page:
        page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
