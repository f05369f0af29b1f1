drop trigger expired_bars_keep_held on ops.expired_bars;
drop function ops.keep_held_bars();
drop function ops.check_drop(regclass, timestamptz);
drop view ops.due_retention;
drop function ops.retention_due(timestamptz);
select audit.unwatch('ops.retention_policy');
drop table ops.retention_policy;
