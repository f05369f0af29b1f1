"""A training set by pandas: both tables read, joined by merge_asof, written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import pandas as pd

from warehouse import config

LABELS = """
    select instrument_id, entry_at as prediction_at, label_end_at, fwd_ret
    from intermediate.int_forward_returns
    where timeframe = '1d' and is_mature and horizon = {horizon}
"""
FEATURES = """
    select features.instrument_id, features.symbol, sessions.close_at as prediction_at, {names}
    from marts.feature_engineered_data as features
    inner join ref.exchange_sessions as sessions
        on sessions.calendar = 'XNYS' and features.session_date = sessions.session_date
    where timeframe = '1d'
"""


def export(to: Path, features: Sequence[str], label: str) -> None:
    """Write the latest features at each time of a label."""
    with adbc.connect(config.connection().url()) as session, session.cursor() as cursor:
        names = ", ".join(f"features.{name}" for name in features)
        cursor.execute(FEATURES.format(names=names))
        known = cursor.fetch_arrow_table().to_pandas()
        cursor.execute(LABELS.format(horizon=label.rpartition("_")[2]))
        labels = cursor.fetch_arrow_table().to_pandas().rename(columns={"fwd_ret": label})
    joined = pd.merge_asof(
        labels.sort_values("prediction_at"),
        known.sort_values("prediction_at"),
        on="prediction_at",
        by="instrument_id",
    )
    joined.to_parquet(to)


def difference(ours: Path, theirs: Path, columns: Sequence[str]) -> tuple[int, float]:
    """Return how many rows both have and the largest difference; raises for other rows."""
    key = ["instrument_id", "prediction_at"]
    mine, other = (
        pd.read_parquet(path, columns=[*key, *columns]).set_index(key).sort_index().astype(float)
        for path in (ours, theirs)
    )
    if not (mine.index == other.index).all() or not (mine.isna() == other.isna()).all(axis=None):
        raise RuntimeError("the export and pandas have different rows")
    return len(mine), float(np.nanmax((mine - other).abs().to_numpy()))
