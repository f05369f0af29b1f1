-- What a ticker means is read by what agents and models say of it, so that a change of it must be seen like any other.
-- By ticker (entity): bars carry their instrument, and no series is dirty for it.

create trigger symbol_history_log_inserts after insert on ref.symbol_history referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'valid_from');
create trigger symbol_history_log_before_updates after update on ref.symbol_history referencing old table as changed
for each statement execute function ops.log_landed('symbol', 'valid_from');
create trigger symbol_history_log_updates after update on ref.symbol_history referencing new table as changed
for each statement execute function ops.log_landed('symbol', 'valid_from');
create trigger symbol_history_log_deletes after delete on ref.symbol_history referencing old table as changed
for each statement execute function ops.log_landed('symbol', 'valid_from');
create trigger symbol_history_log_truncate after truncate on ref.symbol_history
for each statement execute function ops.log_truncation();
