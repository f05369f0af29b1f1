{% macro indicator_states() -%}
    {#- The recursive states carried from build to build, one float8 array each: see schema indicators. -#}
    {{ return(['ema_state', 'macd_state', 'rsi_state', 'trix_state', 'directional_state', 'volume_state', 'session_state']) }}
{%- endmacro %}
