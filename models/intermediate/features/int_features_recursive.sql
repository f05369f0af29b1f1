{#
    Grain: one row per recomputed bar. Indicators that go on from their own last value: every one depends
    on the whole series. Averages begin where they are seeded, as in TA-Lib (docs/features.md).
#}
with

series as (

    select
        series_no,
        min(bar_row) - 1 as row_before,
        min(bar_row) filter (where is_recomputed) as first_row,
        array_agg(high order by bar_row) as highs,
        array_agg(low order by bar_row) as lows,
        array_agg(close order by bar_row) as closes,
        array_agg(volume order by bar_row) as volumes,
        array_agg((session_date - date '2000-01-01')::double precision order by bar_row) as sessions,
        array_agg(is_market_open order by bar_row) as regular
    from {{ ref('int_bars_this_run') }}
    where is_after_checkpoint
    group by series_no

),

indicators as (

    select
        states.*,
        series.row_before + states.bar as bar_row,
        run_window.checkpoint_bar_number + states.bar as bar_number
    from series
    inner join {{ ref('int_run_window') }} as run_window on series.series_no = run_window.series_no
    cross join
        lateral indicators.recursive(
            {{ checkpoint_bars() }},
            series.highs,
            series.lows,
            series.closes,
            series.volumes,
            series.sessions,
            series.regular,
            run_window.ema_state,
            run_window.macd_state,
            run_window.rsi_state,
            run_window.trix_state,
            run_window.directional_state,
            run_window.volume_state,
            run_window.session_state
        ) as states
    where series.row_before + states.bar >= series.first_row

)

select
    bar_row,
    {% for period in [5, 10, 12, 20, 26, 50, 100, 200] -%}
        case when bar_number >= {{ period }} then ema_{{ period }} end as ema_{{ period }},
    {% endfor -%}
    case when bar_number >= 34 then macd_fast - macd_slow end as macd,
    case when bar_number >= 34 then macd_signal end as macd_signal,
    case when bar_number >= 34 then macd_fast - macd_slow - macd_signal end as macd_hist,
    case when bar_number >= 44 then 100 * ({{ function('safe_divide') }}(trix, trix_before) - 1) end as trix_15,
    {% for period in [7, 14, 21] -%}
        case
            when bar_number > {{ period }}
                then
                    coalesce(
                        {{ function('safe_divide') }}(100 * gain_{{ period }}, gain_{{ period }} + loss_{{ period }}), 0
                    )
        end as rsi_{{ period }},
    {% endfor -%}
    case
        when bar_number > 14
            then coalesce({{ function('safe_divide') }}(100 * (gain_14 - loss_14), gain_14 + loss_14), 0)
    end as cmo_14,
    case when bar_number > 14 then atr end as atr_14,
    case when bar_number > 14 then 100 * {{ function('safe_divide') }}(atr, close) end as natr_14,
    case
        when bar_number > 14 then coalesce(100 * {{ function('safe_divide') }}(plus_dm, true_range_sum), 0)
    end as plus_di_14,
    case
        when bar_number > 14 then coalesce(100 * {{ function('safe_divide') }}(minus_dm, true_range_sum), 0)
    end as minus_di_14,
    case when bar_number >= 28 then adx end as adx_14,
    case when volume is not null then obv end as obv,
    case when volume is not null then vpt end as vpt,
    case when volume is not null then ad_line end as ad_line,
    {{ function('safe_divide') }}(session_money, session_volume) as vwap_session,
    {{ function('safe_divide') }}(close, {{ function('safe_divide') }}(session_money, session_volume)) - 1
        as price_to_vwap_session,
    case
        when sessions_closed > 14
            then coalesce({{ function('safe_divide') }}(100 * session_gain, session_gain + session_loss), 0)
    end as rsi_session_close,
    ema_state,
    macd_state,
    rsi_state,
    trix_state,
    directional_state,
    volume_state,
    session_state

from indicators
