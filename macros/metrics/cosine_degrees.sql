{% macro cosine_degrees(observations, horizon) -%}
    {#-
        How many cosines say how sure a mean is (Lazarus, Lewis, Stock and Watson 2018): as few as they advise, and none
        so short that overlapping observations are smooth over it, four horizons. NULL below two.
    -#}
    case
        when {{ observations }} >= greatest(12, 4 * {{ horizon }})
            then
                least(
                    floor(0.4 * power({{ observations }}, 2 / 3.0::double precision) + 1e-9),
                    {{ observations }} / (2 * {{ horizon }})
                )::integer
    end
{%- endmacro %}
