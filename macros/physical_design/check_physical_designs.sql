{% macro check_physical_designs() -%}
    {#- on-run-start: every config.meta.physical_design can be made true; raises a compiler error that says which cannot, and why. -#}
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' -%}
        {%- set design = node.config.get('meta', {}).get('physical_design') -%}
        {%- if design is not none and design is defined -%}
            {%- set wrong = faults_of_design(design, node.columns, node.config.get('unique_key') or []) -%}
            {%- if node not in published_models() and not var('workspace') -%}
                {%- do wrong.append('only published marts have one') -%}
            {%- endif -%}
            {%- if wrong -%}
                {{ exceptions.raise_compiler_error('physical_design of ' ~ node.name ~ ' (' ~ node.original_file_path ~ '): ' ~ wrong | join('; ')) }}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    select 1
{%- endmacro %}
