select audit.unwatch(relation::regclass)
from unnest(array[
    'raw_trading.strategies', 'raw_trading.accounts', 'raw_trading.orders', 'raw_trading.fills',
    'raw_trading.cash_movements', 'raw_risk.risk_limits', 'raw_risk.risk_alert_events', 'raw_prop.user_accounts',
    'raw_prop.challenges', 'raw_prop.challenge_rules', 'raw_prop.payments'
]) as relation;
