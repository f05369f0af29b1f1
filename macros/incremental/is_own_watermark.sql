{% macro is_own_watermark(consumers='consumers') -%}
    {#-
        Condition on ops.consumers: whether a watermark means something here. One of another cluster does not, nor
        one that came with a newer backup than the cluster: its snapshot is from the future, and rows that land
        before that future comes would count as seen. A watermark is written by a transaction later than all it has
        seen; a restored one by the restore. Compared are the lower halves of the two ids, round the clock of 2^32.
    -#}
    {{ consumers }}.system_identifier = ops.system_identifier()
        and (
            {{ consumers }}.xmin::text::bigint - pg_snapshot_xmax({{ consumers }}.seen)::text::bigint % 4294967296 + 4294967296
        ) % 4294967296 < 2147483648
{%- endmacro %}
