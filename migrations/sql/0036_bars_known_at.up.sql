create index bars_known_at_idx on raw_market.bars using brin (known_at);
comment on index raw_market.bars_known_at_idx is 'What landed since a time: rows lie in the order of their landing. Read by int_prediction_restatements.';
