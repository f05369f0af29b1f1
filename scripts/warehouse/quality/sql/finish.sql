create index on {table} (series_no, bar_ts) where broken is not null;
analyze {table};
