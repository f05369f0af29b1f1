-- Grain: one row per test window: from its first prediction (starts_at) to the end of its last label (ends_at), and
-- from when on rows may be trained on again (resumes_at). López de Prado, Advances in Financial Machine Learning (2018),
-- chapter 7: purging (7.4.1), embargo (7.4.2), folds as in snippet 7.3.
create temporary table training_windows on commit drop as
with

times as (

    select
        prediction_at,
        max(label_end_at) as label_end_at,
        {% if folds -%}
        ntile({{ folds }}) over (order by prediction_at) as fold
        {%- else -%}
        case
            when
                prediction_at >= {{ split_at }}
                {%- if split_until %}
                and prediction_at < {{ split_until }}
                {%- endif %}
                then 1
        end as fold
        {%- endif %}
    from training_rows
    where label is not null
    group by prediction_at

),

windows as (

    select
        fold,
        min(prediction_at) as starts_at,
        max(prediction_at) as last_at,
        max(label_end_at) as ends_at
    from times
    where fold is not null
    group by fold

),

embargoed as (

    select
        windows.*,
        coalesce(resumed.prediction_at, 'infinity') as resumes_at
    from windows
    left join lateral (

        select times.prediction_at
        from times
        where times.prediction_at >= windows.ends_at
        order by times.prediction_at
        limit 1 offset {{ embargo }}

    ) as resumed on true

)

select
    embargoed.fold,
    embargoed.starts_at,
    embargoed.last_at,
    embargoed.ends_at,
    embargoed.resumes_at,
    count(*) filter (
        where training_rows.prediction_at between embargoed.starts_at and embargoed.last_at
    ) as test_rows,
    count(*) filter (
        where training_rows.label_end_at <= embargoed.starts_at or training_rows.prediction_at >= embargoed.resumes_at
    ) as train_rows
from embargoed
cross join training_rows
where training_rows.label is not null
group by embargoed.fold, embargoed.starts_at, embargoed.last_at, embargoed.ends_at, embargoed.resumes_at
order by embargoed.fold
