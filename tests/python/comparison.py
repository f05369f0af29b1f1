"""The law of incremental builds, checked: every incremental model equals its full refresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dbt.contracts.graph.nodes import ModelNode

from dbt_runs import parsed
from warehouse import config, database


def incremental_models(project: Path = config.PROJECT) -> list[ModelNode]:
    """Return the models that the law of incremental builds binds."""
    nodes = parsed(project).nodes.values()
    models: list[Any] = [
        node
        for node in nodes
        if node.resource_type == "model" and node.config.materialized == "incremental"
    ]
    return sorted(models, key=lambda node: node.name)


def freeze(models: list[ModelNode]) -> None:
    """Copy the models as they are now into the schema `frozen`."""
    with database.connect("tests", autocommit=True) as conn:
        conn.execute("drop schema if exists frozen cascade")
        conn.execute("create schema frozen")
        for model in models:
            conn.execute(f"create table frozen.{model.name} as table {model.schema}.{model.name}")


def differences(models: list[ModelNode], *, published: bool = False) -> list[str]:
    """Compare the models as they are now with what was frozen: both ways, exactly.

    Marts are built in one schema and given to readers in another: both are compared, or, when only
    what is published is asked for, the second.
    """
    found = []
    for model in models:
        built = [] if published else [model.schema]
        readers = ["marts"] if model.schema == "build" else []
        found += [difference(model, schema) for schema in built + readers]
    return [each for each in found if each]


def difference(model: ModelNode, schema: str) -> str | None:
    """Name the first key and column in which a model differs from its frozen copy."""
    rebuilt, frozen = f"{schema}.{model.name}", f"frozen.{model.name}"
    with database.connect("tests") as conn:
        counts = [
            conn.execute(f"select count(*) from ({query}) as d").fetchone()
            for query in (
                f"table {frozen} except all table {rebuilt}",
                f"table {rebuilt} except all table {frozen}",
            )
        ]
        if counts == [(0,), (0,)]:
            return None
        key = [str(name) for name in model.config.unique_key or []]
        keys = ", ".join(f'"{name}"' for name in key)
        frames = []
        for relation in (frozen, rebuilt):
            cursor = conn.execute(f"select * from {relation} order by {keys}")
            columns = [column.name for column in cursor.description or []]
            frame = pd.DataFrame(cursor.fetchall(), columns=columns).astype(object)
            frames.append(frame.set_index(key))
    incremental, full = frames
    head = (
        f"{rebuilt}: {len(incremental)} rows incremental, {len(full)} in full refresh; "
        f"{counts[0][0]} only incremental, {counts[1][0]} only in full refresh; "
    )
    for name, here, there in (("incremental", full, incremental), ("full", incremental, full)):
        missing = here.index.difference(there.index)
        if len(missing):
            return f"{head}{missing[0]} is missing in the {name} build"
    doubled = incremental.index[incremental.index.duplicated()]
    if len(doubled):
        return f"{head}{doubled[0]} is there twice in the incremental build"
    equal = (incremental == full) | (incremental.isna() & full.isna())
    row, column = np.argwhere(~equal.to_numpy())[0]
    return (
        f"{head}first at {incremental.index[row]} in {incremental.columns[column]}: "
        f"{incremental.iat[row, column]!r} incremental, {full.iat[row, column]!r} full"
    )
