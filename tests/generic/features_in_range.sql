{% test features_in_range(model, catalogue, instruments) %}
    {#-
        Features outside the range of their catalogue, in one scan of the table. Where prices may be negative
        a return may be below -1, so those instruments are left out. The slack is rounding.
    -#}
    {%- set ranges = run_query(
        'select name, range_low, range_high from ' ~ catalogue
        ~ ' where range_low is not null or range_high is not null order by name'
    ) if execute else [] -%}
    with

    extremes as (

        select
            {% for range in ranges -%}
            min({{ range['name'] }})::double precision as low_{{ loop.index }},
            max({{ range['name'] }})::double precision as high_{{ loop.index }},
            {% endfor -%}
            count(*) as rows_scanned
        from {{ model }}
        where instrument_id not in (select instrument_id from {{ instruments }} where allow_negative_price)

    ),

    features as (

        select
            feature.name,
            feature.lowest,
            feature.highest
        from extremes
        cross join lateral (
            values
            {% for range in ranges -%}
            ('{{ range['name'] }}', low_{{ loop.index }}, high_{{ loop.index }}),
            {% endfor -%}
            (null, null, null)
        ) as feature (name, lowest, highest)

    )

    select
        features.name,
        features.lowest,
        features.highest,
        ranges.range_low,
        ranges.range_high
    from features
    inner join {{ catalogue }} as ranges on features.name = ranges.name
    cross join lateral (
        select 1e-9 * (1 + greatest(abs(ranges.range_low), abs(ranges.range_high))) as slack
    ) as rounding
    where
        features.lowest < ranges.range_low - rounding.slack
        or features.highest > ranges.range_high + rounding.slack
{% endtest %}
