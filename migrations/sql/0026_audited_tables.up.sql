-- Which tables are audited. State whose former values are nowhere else: all of it. Of the ledgers, those that
-- money follows: they refuse every change by trigger, but only what is in the chain can be shown to be unaltered.
-- The other ledgers (events of orders, challenges and payments, logs, market data) are evidence themselves.
select audit.watch('raw_trading.strategies');
select audit.watch('raw_trading.accounts');
select audit.watch('raw_trading.orders');
select audit.watch('raw_trading.fills', trigger_name => 'trigger_audit_trades');
select audit.watch('raw_trading.cash_movements');
select audit.watch('raw_risk.risk_limits');
select audit.watch('raw_risk.risk_alert_events');
select audit.watch('raw_prop.user_accounts');
select audit.watch('raw_prop.challenges');
select audit.watch('raw_prop.challenge_rules');
select audit.watch('raw_prop.payments');
