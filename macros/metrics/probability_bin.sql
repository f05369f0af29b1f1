{% macro probability_bin(column) -%}
    {#-
        Which of ten equal bins a probability lies in, 0 to 9, as sklearn.calibration.calibration_curve has it: open
        below and closed above, but 0 belongs to the first. width_bucket() has it the other way: hence the signs.
    -#}
    9 - width_bucket(
        -{{ column }},
        array[{% for tenth in range(9, 0, -1) %}-({{ tenth }} * 0.1::double precision){{ ', ' if not loop.last }}{% endfor %}]
    )
{%- endmacro %}
