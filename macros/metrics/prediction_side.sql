{% macro prediction_side(predictions) -%}
    {#-
        What following a prediction would hold: 1 long, -1 short, 0 nothing; NULL for volatilities. For a direction the
        probability of up counts where it is given, elsewhere the value.
    -#}
    case
        when {{ predictions }}.judged_as = 'volatility' then null
        when
            {{ predictions }}.probability_up is null
            or ({{ predictions }}.judged_as <> 'direction' and {{ predictions }}.prediction_value is not null)
            then sign({{ predictions }}.prediction_value)
        when {{ predictions }}.probability_up >= 0.5 then 1
        else -1
    end
{%- endmacro %}
