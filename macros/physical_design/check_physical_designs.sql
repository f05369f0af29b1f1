{% macro check_physical_designs() -%}
    {#-
        on-run-start, and before `warehouse physical`: every config.meta.physical_design of models and sources can be
        made true; raises a compiler error that says which cannot, and why.
    -#}
    {%- set wishes = [] -%}
    {%- for node in (graph.nodes.values() | list + graph.sources.values() | list if execute else []) -%}
        {%- set design = node.config.get('meta', {}).get('physical_design') -%}
        {%- if design is not none and design is defined -%}
            {%- do wishes.append({'node': node, 'design': design}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set landed = landing_catalogue(wishes | map(attribute='node') | selectattr('resource_type', 'equalto', 'source') | list) -%}
    {%- set refused = [] -%}
    {%- for wish in wishes -%}
        {%- set node = wish.node -%}
        {%- if node.resource_type == 'model' -%}
            {%- set wrong = faults_of_design(
                wish.design, {'columns': node.columns, 'key': node.config.get('unique_key') or []}, ['time_column', 'chunk_interval', 'indexes']
            ) -%}
            {%- if node not in published_models() and not var('workspace') -%}
                {%- do wrong.append('only published marts have one') -%}
            {%- endif -%}
        {%- elif node.unique_id in landed -%}
            {%- set wrong = faults_of_design(
                wish.design, landed[node.unique_id], ['time_column', 'chunk_interval', 'partitions', 'compress', 'why', 'indexes']
            ) -%}
        {%- else -%}
            {%- set wrong = ['there is no table ' ~ node.schema ~ '.' ~ node.identifier ~ ': `warehouse migrate` makes them'] -%}
        {%- endif -%}
        {%- if wrong -%}
            {%- do refused.append('physical_design of ' ~ node.name ~ ' (' ~ node.original_file_path ~ '): ' ~ wrong | join('; ')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if refused -%}
        {{ exceptions.raise_compiler_error(refused | join('\n')) }}
    {%- endif -%}
    select 1
{%- endmacro %}
