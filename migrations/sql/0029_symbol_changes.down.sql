drop trigger symbol_history_log_truncate on ref.symbol_history;
drop trigger symbol_history_log_deletes on ref.symbol_history;
drop trigger symbol_history_log_updates on ref.symbol_history;
drop trigger symbol_history_log_before_updates on ref.symbol_history;
drop trigger symbol_history_log_inserts on ref.symbol_history;
