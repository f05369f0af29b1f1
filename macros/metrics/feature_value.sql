{% macro feature_value(features, name) -%}
    {#-
        The value of the feature or price that a column names, of a row of feature_engineered_data; flags are 1 and 0;
        NULL for other names. A CASE, because to_jsonb() of a row of 181 columns would take longer than all else.
    -#}
    {%- set flags = run_query("select name from " ~ ref('feature_catalog') ~ " where unit = 'boolean'").columns[0].values() if execute else [] -%}
    case {{ name }}
        {% for feature in ['open', 'high', 'low', 'close', 'volume'] + feature_names() | list -%}
            when '{{ feature }}' then {{ features }}.{{ feature }}{{ '::integer' if feature in flags }}
        {% endfor -%}
    end
{%- endmacro %}
