{% macro judged_opinions() -%}
    {#-
        What opinions came to, as aggregates over rows of instrument_id, side, score, fwd_ret and their ranks score_rank and
        return_rank. In the order of instruments: a sum of floats depends on it.
    -#}
count(*) as matured,
count(*) filter (where side <> 0) as directional,
count(*) filter (where side * fwd_ret <> 0) as decided,
count(*) filter (where side * fwd_ret > 0) as hits,
sum(side * fwd_ret order by instrument_id) filter (where side <> 0) as return_sum,
avg(side * fwd_ret order by instrument_id) filter (where side <> 0) as mean_return,
case
    when min(score) < max(score) and min(fwd_ret) < max(fwd_ret)
        then corr(score, fwd_ret order by instrument_id)
end as ic,
case
    when min(score) < max(score) and min(fwd_ret) < max(fwd_ret)
        then corr(score_rank, return_rank order by instrument_id)
end as rank_ic
{%- endmacro %}
