{% macro float_spacing() -%}
    {#- Distance of 1 from the next double precision number, 2^-52: by so much probabilities of 0 and 1 are clipped. -#}
    2.220446049250313e-16::double precision
{%- endmacro %}
