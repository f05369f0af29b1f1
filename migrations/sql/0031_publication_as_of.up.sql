-- A build as of an instant (var as_of) leaves out what was known later: who reads its marts has to be able to tell.

alter table ops.publication add column as_of timestamptz;
comment on column ops.publication.as_of is 'Instant as of which the marts were built (var as_of); NULL: everything known.';
