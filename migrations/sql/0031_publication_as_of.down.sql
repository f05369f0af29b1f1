alter table ops.publication drop column as_of;
