delete from ops.consumers where relation = 'ops.drift_references'::regclass;
delete from ops.change_log where relation = 'ops.drift_references'::regclass;
drop table ops.drift_references;
drop function types.are_edges(double precision []);
drop function types.number_of(jsonb);
