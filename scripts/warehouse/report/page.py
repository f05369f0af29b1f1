"""Turn facts into one self-contained page."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from warehouse.landing.reference.tables import all_reasons
from warehouse.quality.rules import load_rules
from warehouse.quality.table_rules import load_table_rules
from warehouse.report import figures
from warehouse.report.facts import LIMITS, NEEDED, Coverage, Facts, Row

NOTHING = "\N{EN DASH}"

TIERS = {
    "structural": "Can the row be read at all?",
    "logical": "Can its numbers be true together?",
    "analytical": "Is it plausible next to its neighbours? These only flag.",
}


def render(facts: Facts) -> str:
    """Return the whole page as text."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # everything that came from a source may hold markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(number=number, when=when, name=lambda path: PurePath(path).name)
    charts = charts_of(facts)
    return pages.get_template("page.html").render(
        facts=facts,
        plotly=Markup(get_plotlyjs()) if charts else "",  # noqa: S704 (the library itself)
        charts=as_script(charts),
        names=set(charts),
        advice=advice(facts),
        verdict=verdict(facts),
        tiers=tiers(facts),
        reasons=reasons(),
        thin=[thinnest(coverage) for coverage in facts.coverage],
        limits=LIMITS,
    )


def charts_of(facts: Facts) -> dict[str, figures.Figure]:
    """Return every figure by the id of its place in the page."""
    charts: dict[str, figures.Figure] = {}
    for k, coverage in enumerate(facts.coverage):
        charts[f"families-{k}"] = figures.family_figure(coverage)
        charts[f"features-{k}"] = figures.feature_figure(coverage)
    for k, prices in enumerate(facts.prices):
        charts[f"prices-{k}"] = figures.price_figure(prices)
    if facts.models:
        charts["models"] = figures.models_figure(facts.models)
    if len(facts.runs) > 1:
        charts["runs"] = figures.runs_figure(facts.runs)
    return charts


def as_script(value: object) -> Markup:
    """Return JSON that is safe inside a script element: no `<` can end it early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 (escaped in the lines above)


def number(value: object) -> str:
    """Return a number for people; nothing for nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return f"{value:,}"
    size = float(value)  # type: ignore[arg-type]
    return f"{size:,.0f}" if abs(size) >= 100 else f"{size:,.2f}"


def when(value: datetime | None, *, seconds: bool = False) -> str:
    """Return a time in UTC for people."""
    if value is None:
        return NOTHING
    return f"{value:%Y-%m-%d %H:%M:%S}" if seconds else f"{value:%Y-%m-%d %H:%M}"


def advice(facts: Facts) -> str:
    """Return the next command to run, or nothing when the warehouse is complete."""
    if facts.missing and NEEDED[facts.missing[0]] == "warehouse migrate":
        return "warehouse migrate"
    if not facts.headline.get("bars"):
        return "warehouse land bars prices.csv --source yahoo"
    if facts.gate is None and facts.missing:
        return "warehouse build"
    return NEEDED[facts.missing[0]] if facts.missing else ""


def verdict(facts: Facts) -> dict[str, str]:
    """Return what the gate said, in a word and a line."""
    gate = facts.gate
    if gate is None:
        return {"word": "not run", "tone": "none", "line": "run warehouse check"}
    if gate["failed"]:
        line = f"{gate['failed']} of {gate['rules']} rules fail"
        return {"word": "failed", "tone": "error", "line": line}
    flagged = f", {gate['flagged']} flagged" if gate["flagged"] else ""
    return {"word": "passed", "tone": "good", "line": f"{gate['rules']} rules{flagged}"}


def tiers(facts: Facts) -> list[dict[str, Any]]:
    """Group the health of rules by tier, each with its widest bar."""
    order = list(reasons())
    found = []
    for tier, question in TIERS.items():
        rows = [row for row in facts.health if row["tier"] == tier]
        rows.sort(key=lambda row: order.index(row["rule"]) if row["rule"] in order else 999)
        if rows:
            widest = max(max(row["found"], row["landed"]) for row in rows) or 1
            noisy = sum(row["found"] > 0 or row["landed"] > 0 for row in rows)
            found.append(
                {
                    **{"name": tier, "question": question, "rows": rows, "widest": widest},
                    "noisy": noisy,
                }
            )
    return found


def reasons() -> dict[str, str]:
    """Return the reason of every rule, in the order of the catalogue."""
    others = {rule.id: rule.reason for rule in load_table_rules()}
    return {rule.id: rule.reason for rule in load_rules()} | others | all_reasons()


def thinnest(coverage: Coverage) -> list[Row]:
    """Return the features that are filled least often."""
    bars = sum(coverage.bars)
    rows: list[Row] = [
        {"feature": name, "family": family, "share": figures.percent(sum(filled), bars)}
        for name, family, filled in zip(
            coverage.features, coverage.families, coverage.filled, strict=True
        )
    ]
    return sorted((r for r in rows if r["share"] < 100), key=lambda r: r["share"])[:8]
