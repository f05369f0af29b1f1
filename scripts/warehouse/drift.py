"""Frozen references of drift: made once from a period, kept for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from warehouse import database
from warehouse.errors import WarehouseError
from warehouse.training.request import feature_names, project_vars

MOST_BINS = 100
OF_A_MODEL = """
    select
        f.feature,
        case
            when f.feature = 'prediction_score' then p.score
            else types.number_of(p.features -> f.feature)
        end as value
    from staging.stg_ml__predictions as p
    cross join (
        select 'prediction_score' as feature
        union
        select jsonb_object_keys(features)
        from staging.stg_ml__predictions
        where {wanted}
    ) as f
    where {wanted}
"""
FREEZE = """
    insert into ops.drift_references (
        reference, feature, model_id, prediction_type, horizon_bars, timeframe, feature_version,
        starts_at, ends_at, edges, counts, missing, publication_id
    )
    with seen as materialized ({seen}),

    quantiles as (
        select
            feature,
            count(*) - count(value) as missing,
            percentile_cont(
                array(select i::float8 / %(bins)s from generate_series(1, %(bins)s - 1) as i)
            ) within group (order by value) as edges
        from seen
        group by feature
        having count(value) > 0
    ),

    rising as (
        select
            feature, missing, array(select distinct e from unnest(edges) as e order by e) as edges
        from quantiles
    ),

    edged as (
        -- Where one value is nearly all there is, an edge just above shows what rises above it.
        select
            feature,
            missing,
            case
                when cardinality(edges) = 1
                    then edges || edges[1] + greatest(abs(edges[1]), 1) * 1e-9
                else edges
            end as edges
        from rising
    )

    select
        %(reference)s, feature, %(model)s, %(kind)s, %(horizon)s, %(timeframe)s, %(version)s,
        %(since)s, %(until)s, edges,
        array(
            select count(seen.value)
            from generate_series(0, cardinality(edges)) as bin
            left join seen
                on seen.feature = edged.feature and width_bucket(seen.value, edged.edges) = bin
            group by bin
            order by bin
        ),
        missing,
        (select max(publication_id) from ops.publication)
    from edged
    returning
        feature, cardinality(counts), (select sum(c) from unnest(counts) as c)::bigint + missing,
        missing
"""


@dataclass(frozen=True)
class Frozen:
    """One feature of a reference."""

    feature: str
    bins: int
    observations: int
    missing: int


def freeze(
    reference: str,
    *,
    since: datetime,
    until: datetime,
    model: str | None = None,
    kind: str | None = None,
    horizon: int | None = None,
    timeframe: str = "1d",
    features: str = "",
    bins: int = 10,
) -> list[Frozen]:
    """Freeze what a model saw and said in a period, or how features of all bars were distributed.

    features: names and families with commas, or all; for the features of all bars only.
    Raises WarehouseError when there is nothing to freeze, or the name is taken.
    """
    if bool(model) == bool(features):
        raise WarehouseError(
            "A reference is of a model or of features of all bars.", do="give --model or --features"
        )
    if model and not (kind and horizon):
        raise WarehouseError(
            "A model may predict several things.", where="--type", do="give --type and --horizon"
        )
    if not 1 < bins <= MOST_BINS:
        raise WarehouseError(f"{bins} bins.", where="--bins", do=f"give 2 to {MOST_BINS}")
    if until <= since:
        raise WarehouseError("The period ends before it begins.", where="--from, --to")
    values = {
        "reference": reference, "model": model, "kind": kind, "horizon": horizon,
        "timeframe": timeframe, "since": since, "until": until, "bins": bins,
        "version": None if model else project_vars()["feature_version"],
    }  # fmt: skip
    seen = of_a_model() if model else of_all_bars(feature_names(features))
    with database.connect("drift") as conn:
        try:
            rows = conn.execute(sql.SQL(FREEZE).format(seen=seen), values).fetchall()
        except psycopg.errors.UniqueViolation:
            raise WarehouseError(
                f"A reference {reference} is frozen already.",
                where="ops.drift_references",
                do="give another name: what is frozen stays",
            ) from None
        except psycopg.errors.UndefinedTable:
            raise WarehouseError("Nothing was built yet.", do="run `warehouse build`") from None
    if not rows:
        raise WarehouseError(
            f"There is no number from {since} to {until}.",
            do="look at --from and --to, --type, --timeframe and --horizon; build first",
        )
    return [Frozen(*row) for row in sorted(rows)]


def of_a_model() -> sql.Composed:
    """Return the query of what a model saw and said."""
    wanted = sql.SQL(
        "model_id = %(model)s and prediction_type = %(kind)s and horizon_bars = %(horizon)s"
        " and timeframe = %(timeframe)s and predicted_at >= %(since)s and predicted_at < %(until)s"
    )
    return sql.SQL(OF_A_MODEL).format(wanted=wanted)


def of_all_bars(features: tuple[str, ...]) -> sql.Composed:
    """Return the query of some features of all bars."""
    pairs = sql.SQL(", ").join(
        sql.SQL("({}, types.number_of(to_jsonb(f.{})))").format(
            sql.Literal(name), sql.Identifier(name)
        )
        for name in features
    )
    return sql.SQL(
        "select v.feature, v.value from marts.feature_engineered_data as f"
        " cross join lateral (values {}) as v (feature, value)"
        " where f.timeframe = %(timeframe)s and f.feature_version = %(version)s"
        ' and f."timestamp" >= %(since)s and f."timestamp" < %(until)s'
    ).format(pairs)
