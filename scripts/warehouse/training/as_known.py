"""Series that changed since: built once more, as known then, in schemas of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from psycopg import sql

from warehouse import build, config, database
from warehouse.build_lock import one_build
from warehouse.errors import WarehouseError
from warehouse.training.request import TIMEFRAME

WORKSPACE = "as_known"
"""Var `workspace` of the project: the prefix of those schemas."""
SCHEMAS = ("staging", "intermediate", "build")
MODELS = ("+feature_engineered_data", "+int_forward_returns")

PREPARE = """
    create table {build}.wanted_series as
    select instrument_id::integer, {timeframe} as timeframe
    from unnest({instruments}::integer[]) as wanted (instrument_id)
"""
EXPIRED = "select max(kept_from) from ops.expired_bars where timeframe = %s"


@contextmanager
def built_as_known(instruments: Sequence[int], as_of: datetime) -> Iterator[None]:
    """Build the features and labels of some instruments as known at an instant; drop them after.

    The same models, with var as_of, on the landing zone. No build can run meanwhile, so that the
    marts stay what they are.

    Raises WarehouseError when old bars are gone, a build runs or the models fail.
    """
    with one_build("warehouse export"):
        with database.connect("warehouse export", autocommit=True) as session:
            gone = session.execute(EXPIRED, [TIMEFRAME]).fetchone()
            if gone and gone[0]:
                raise WarehouseError(
                    f"{len(instruments)} series have changed since {as_of.isoformat()} and cannot"
                    f" be built as known then: bars before {gone[0]:%Y-%m-%d} have expired.",
                    where="ops.expired_bars",
                    do="land those bars again, or leave the series out with --symbols",
                )
            _drop(session)
            _prepare(session, instruments)
        try:
            _run(as_of)
            yield
        finally:
            with database.connect("warehouse export", autocommit=True) as session:
                _drop(session)


def _prepare(session: psycopg.Connection, instruments: Sequence[int]) -> None:
    """Make the schemas, and the table of the series to build."""
    try:
        for name in SCHEMAS:
            session.execute(
                sql.SQL("create schema {} authorization trading_transformer").format(_schema(name))
            )
        filled = sql.SQL(PREPARE).format(
            build=_schema("build"),
            timeframe=sql.Literal(TIMEFRAME),
            instruments=sql.Literal(list(instruments)),
        )
        session.execute(filled)
        session.execute(
            sql.SQL("grant select on {}.wanted_series to trading_transformer").format(
                _schema("build")
            )
        )
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"This login may not build: {str(error).strip().splitlines()[0]}",
            do="export as the owner of the database: series have to be built as known then",
        ) from None


def _run(as_of: datetime) -> None:
    """Run the models; their parse is kept apart from that of other builds, whose vars differ."""
    chosen = json.dumps({"workspace": WORKSPACE, "as_of": as_of.isoformat()})
    target = config.Home.current().path / "target" / WORKSPACE
    result = build.BuildResult()
    arguments = ["--select", *MODELS, "--vars", chosen, "--target-path", str(target)]
    build.run_dbt("run", arguments, result)
    if result.errors:
        name, told = next(iter(result.errors.items()))
        raise WarehouseError(
            f"{name} could not be built as known at {as_of.isoformat()}: {told}",
            where=result.log,
            do="; ".join(result.advice) or "see the log; no file was written",
        )


def _schema(name: str) -> sql.Identifier:
    return sql.Identifier(f"{WORKSPACE}_{name}")


def _drop(session: psycopg.Connection) -> None:
    for name in SCHEMAS:
        session.execute(sql.SQL("drop schema if exists {} cascade").format(_schema(name)))
