do $$
begin
    if exists (select from pg_class where relnamespace = 'partitions'::regnamespace) then
        raise exception 'landing tables have partitions, whose rows this would drop'
            using errcode = 'dependent_objects_still_exist',
            hint = 'select relation, part from ops.time_parts() names them. Schemas from before this version have no place for them.';
    end if;
end $$;
drop function ops.index_as_printed(regclass, text, text[], text[], text);
drop function ops.drop_expired(regclass);
drop function ops.hypertable_by_time(regclass, text, interval);
drop function ops.partition_by_time(regclass, text, interval);
drop function ops.trigger_statements(regclass);
drop function ops.ensure_partitions(regclass, timestamptz[], interval);
drop function ops.waiting_times(regclass);
drop function ops.stored_by_time();
drop function ops.time_span(regclass, text);
drop function ops.time_parts();
drop function ops.chunk_interval(regclass, text);
drop function ops.physical_tier();
drop schema partitions;
