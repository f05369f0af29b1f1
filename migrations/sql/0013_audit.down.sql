select audit.unwatch(to_regclass(relation)) from audit.watched where to_regclass(relation) is not null;
drop schema audit cascade;
