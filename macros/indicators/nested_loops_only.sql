{% macro nested_loops_only() -%}
    {#-
        Settings of a query that takes series one by one and in order, from the index to the table: a hash or merge join
        sorts its bars on disk, and memoize hashes whole arrays of them to look for a series that never comes again.
    -#}
    set local enable_hashjoin = off;
    set local enable_mergejoin = off;
    set local enable_memoize = off
{%- endmacro %}
