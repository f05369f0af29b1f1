{% macro prediction_score(predictions) -%}
    {#-
        What a prediction says, as one number: for a direction the probability of up where it is given, elsewhere the
        value; for all others the value, and the probability where there is none.
    -#}
    case
        when {{ predictions }}.judged_as = 'direction'
            then coalesce({{ predictions }}.probability_up, {{ predictions }}.prediction_value)
        else coalesce({{ predictions }}.prediction_value, {{ predictions }}.probability_up)
    end
{%- endmacro %}
