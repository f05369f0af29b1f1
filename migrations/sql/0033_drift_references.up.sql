-- What drift is measured against. A reference is evidence: made once by `warehouse drift freeze`, never changed, never made
-- again by a build, so that the numbers of two days, or of two builds, are about the same bins.

create function types.number_of(value jsonb) returns double precision
language sql immutable strict parallel safe set search_path = pg_catalog as $$
    select case
        when jsonb_typeof(value) = 'boolean' then value::boolean::integer
        when jsonb_typeof(value) <> 'number' then null
        when abs((value #>> '{}')::numeric) > 1.7976931348623157e308 then null
        when abs((value #>> '{}')::numeric) < 2.3e-308 then 0
        else (value #>> '{}')::double precision
    end
$$;
comment on function types.number_of(jsonb) is 'A JSON number as double precision, and 1 and 0 for true and false: NULL for all else and for numbers that are too large, 0 for those that are too small.';

create function types.are_edges(edges double precision []) returns boolean
language sql immutable strict parallel safe set search_path = pg_catalog as $$
    select array_ndims(edges) = 1 and count(*) >= 1 and bool_and(e.edge is not null and e.edge > e.previous and e.edge < 'infinity')
    from (
        select edge, coalesce(lag(edge) over (order by position), '-infinity') as previous
        from unnest(edges) with ordinality as u (edge, position)
    ) as e
$$;
comment on function types.are_edges(double precision []) is 'True for at least one finite number, each above the one before.';

create table ops.drift_references (
    reference types.label not null,
    feature types.label not null,
    model_id types.label,
    prediction_type types.label,
    horizon_bars integer,
    timeframe text not null,
    feature_version text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    edges double precision [] not null,
    counts bigint [] not null,
    missing bigint not null,
    publication_id bigint,
    frozen_at timestamptz not null default now(),
    frozen_by text not null default session_user,
    primary key (reference, feature),
    constraint drift_references_of_known_model foreign key (model_id) references raw_ml.models,
    constraint drift_references_of_one_subject check (
        num_nonnulls(model_id, prediction_type, horizon_bars) in (0, 3) and (model_id is null) = (feature_version is not null)
    ),
    constraint drift_references_period_has_length check (starts_at < ends_at),
    constraint drift_references_edges_rise check (types.are_edges(edges)),
    constraint drift_references_counts_fit check (
        cardinality(counts) = cardinality(edges) + 1 and array_position(counts, null) is null
        and 0 <= all (counts) and 0 < any (counts) and missing >= 0
    )
);
comment on constraint drift_references_of_known_model on ops.drift_references is 'No model has this model_id.';
comment on constraint drift_references_of_one_subject on ops.drift_references is 'A reference is of one task of a model (model, type of prediction, horizon), or of a version of the features.';
comment on constraint drift_references_period_has_length on ops.drift_references is 'The period ends before it begins.';
comment on constraint drift_references_edges_rise on ops.drift_references is 'The edges are not finite numbers, each above the one before.';
comment on constraint drift_references_counts_fit on ops.drift_references is 'There has to be a count for each bin, one more than edges, none negative, and not all of them 0.';
comment on table ops.drift_references is 'Frozen references of drift, one row per reference and feature: into which bins its values are sorted, and how many fell into each in the period of the reference. Append-only: another reference has another name.';
comment on column ops.drift_references.reference is 'Name of the reference.';
comment on column ops.drift_references.feature is 'Feature, by its name in predictions.features or in the feature catalogue; prediction_score is the score of the prediction itself.';
comment on column ops.drift_references.model_id is 'Model whose predictions it is about; NULL: the features of all bars.';
comment on column ops.drift_references.prediction_type is 'Type of prediction; NULL: the features of all bars.';
comment on column ops.drift_references.horizon_bars is 'Horizon of the predictions in bars; NULL: the features of all bars.';
comment on column ops.drift_references.timeframe is 'Length of the bars.';
comment on column ops.drift_references.feature_version is 'Version of the features of all bars; NULL: of a model, which saw what its predictions say.';
comment on column ops.drift_references.starts_at is 'Start of the period that the reference is made of: time of predictions, or start of bars.';
comment on column ops.drift_references.ends_at is 'End of that period, exclusive.';
comment on column ops.drift_references.edges is 'Edges between bins, rising: the first bin lies below the first edge, the last from the last edge on; an edge belongs to the bin above it.';
comment on column ops.drift_references.counts is 'How many values of the period fell into each bin, one more than edges.';
comment on column ops.drift_references.missing is 'How many predictions or bars of the period had no number.';
comment on column ops.drift_references.publication_id is 'Build that the values were read from (ops.publication); NULL: none was published.';
comment on column ops.drift_references.frozen_at is 'When it was made.';
comment on column ops.drift_references.frozen_by is 'Login that made it.';

create trigger drift_references_append_only before update or delete or truncate on ops.drift_references
for each statement execute function ops.refuse_mutation('Freeze another reference, by another name.');
create trigger drift_references_log_changes after insert on ops.drift_references
referencing new table as changed
for each statement execute function ops.log_landed('reference', 'frozen_at');

select ops.apply_roles();
