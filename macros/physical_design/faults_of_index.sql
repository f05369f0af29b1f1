{% macro faults_of_index(index, columns) -%}
    {#- What is wrong with one index of a physical design, as a list of texts. -#}
    {%- set wrong = [] -%}
    {%- set name = 'index ' ~ index.get('name', '(no name)') -%}
    {%- for word in ['name', 'columns', 'why'] if not index.get(word) -%}
        {%- do wrong.append(name ~ ' lacks ' ~ word) -%}
    {%- endfor -%}
    {%- for word in index if word not in ['name', 'columns', 'include', 'where', 'method', 'why'] -%}
        {%- do wrong.append(name ~ ": unknown word '" ~ word ~ "': give name, columns, include, where, method or why") -%}
    {%- endfor -%}
    {%- if index.get('method', 'btree') not in ['btree', 'brin', 'gin', 'gist', 'hash'] -%}
        {%- do wrong.append(name ~ ": unknown method '" ~ index.method ~ "': give btree, brin, gin, gist or hash") -%}
    {%- endif -%}
    {%- for column in index.get('columns', []) + index.get('include', []) -%}
        {#- Expressions stand in brackets and are PostgreSQL's to judge. -#}
        {%- set bare = (column | string).split(' ')[0] | replace('"', '') -%}
        {%- if '(' not in column | string and bare not in columns -%}
            {%- do wrong.append(name ~ ": '" ~ bare ~ "' is no column of it") -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(wrong) }}
{%- endmacro %}
