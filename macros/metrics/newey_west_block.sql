{% macro newey_west_block(so_far, observation, observations, horizon, neighbours) -%}
    {#-
        Newey and West: what spans h observations overlaps h - 1 others, so their residuals count together, less the
        farther apart. The weights of Bartlett's kernel are what sums of h neighbours have in common, so the squares of
        those sums do it in one pass: added up and divided by h they are observations times the long-run variance.
        Sums that begin before the end and reach beyond it are squares of so_far, because all residuals sum to 0.
    -#}
    power({{ so_far }} - lag({{ so_far }}, {{ horizon }}, 0::double precision) over {{ neighbours }}, 2)
    + case when {{ observation }} > {{ observations }} - {{ horizon }} then power({{ so_far }}, 2) else 0 end
{%- endmacro %}
