{{ config(materialized='ephemeral') }}
{#
    Grain: one row per recomputed bar. Indicators that go on from their own last value: every one depends
    on the whole series. Averages begin where they are seeded, as in TA-Lib (docs/features.md).
    Here a series becomes its bars again: the families after this one add their columns to these rows, in which
    `bar` is the place of the bar in the arrays.
#}
{%- set safe_divide = function('safe_divide') -%}
{%- set from_here -%}[series.checkpoint_bar + 1:]{%- endset %}
select
    series.*, -- noqa: AM04
    place.bar,
    place.bar_number,
    states.close as last_close,
    {% for state in indicator_states() -%}
        states.{{ state }},
    {% endfor -%}
    {% for period in [5, 10, 12, 20, 26, 50, 100, 200] -%}
        case when place.bar_number >= {{ period }} then states.ema_{{ period }} end as ema_{{ period }},
    {% endfor -%}
    case when place.bar_number >= 34 then states.macd_fast - states.macd_slow end as macd,
    case when place.bar_number >= 34 then states.macd_signal end as macd_signal,
    case when place.bar_number >= 34 then states.macd_fast - states.macd_slow - states.macd_signal end as macd_hist,
    case
        when place.bar_number >= 44 then 100 * ({{ safe_divide }}(states.trix, states.trix_before) - 1)
    end as trix_15,
    {% for period in [7, 14, 21] -%}
        case
            when place.bar_number > {{ period }}
                then
                    coalesce(
                        {{ safe_divide }}(
                            100 * states.gain_{{ period }}, states.gain_{{ period }} + states.loss_{{ period }}
                        ),
                        0
                    )
        end as rsi_{{ period }},
    {% endfor -%}
    case
        when series.is_session_series
            then
                case
                    when place.bar_number > 14
                        then
                            coalesce(
                                {{ safe_divide }}(100 * states.gain_14, states.gain_14 + states.loss_14), 0
                            )
                end
        when states.sessions_closed > 14
            then
                coalesce(
                    {{ safe_divide }}(100 * states.session_gain, states.session_gain + states.session_loss), 0
                )
    end as rsi_1d,
    case
        when place.bar_number > 14
            then
                coalesce(
                    {{ safe_divide }}(
                        100 * (states.gain_14 - states.loss_14), states.gain_14 + states.loss_14
                    ),
                    0
                )
    end as cmo_14,
    case when place.bar_number > 14 then states.atr end as atr_14,
    case when place.bar_number > 14 then 100 * {{ safe_divide }}(states.atr, states.close) end as natr_14,
    case
        when place.bar_number > 14 then coalesce(100 * {{ safe_divide }}(states.plus_dm, states.true_range_sum), 0)
    end as plus_di_14,
    case
        when place.bar_number > 14 then coalesce(100 * {{ safe_divide }}(states.minus_dm, states.true_range_sum), 0)
    end as minus_di_14,
    case when place.bar_number >= 28 then states.adx end as adx_14,
    case when states.volume is not null then states.obv end as obv,
    case when states.volume is not null then states.vpt end as vpt,
    case when states.volume is not null then states.ad_line end as ad_line,
    {{ safe_divide }}(states.session_money, states.session_volume) as vwap_session,
    {{ safe_divide }}(states.close, {{ safe_divide }}(states.session_money, states.session_volume)) - 1
        as price_to_vwap_session
from {{ ref('int_series_terms') }} as series
cross join
    lateral indicators.recursive(
        {{ checkpoint_bars() }},
        series.high_at{{ from_here }},
        series.low_at{{ from_here }},
        series.close_at{{ from_here }},
        series.traded_at{{ from_here }},
        series.session_at{{ from_here }},
        series.regular_at{{ from_here }},
        series.ema_state_before,
        series.macd_state_before,
        series.rsi_state_before,
        series.trix_state_before,
        series.directional_state_before,
        series.volume_state_before,
        series.session_state_before
    ) as states
cross join
    lateral (
        select
            series.checkpoint_bar + states.bar as bar,
            series.number_before + series.checkpoint_bar + states.bar as bar_number
        from (values (true)) as fence (is_up)
        -- Asked for by every feature; the fence keeps it computed once.
        offset 0 -- noqa: AM09
    ) as place
where place.bar >= series.first_recomputed
