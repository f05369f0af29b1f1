drop view raw_logs.recent_system_activity;
drop table raw_logs.agent_metrics;
drop table raw_logs.user_action_logs;
drop table raw_logs.error_logs;
drop table raw_logs.performance_logs;
drop table raw_logs.trading_events;
drop table raw_logs.system_logs;
