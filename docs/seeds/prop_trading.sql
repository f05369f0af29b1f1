-- Create user
INSERT INTO users (email, password_hash, role)
VALUES ('trader@example.com', '$2b$12$...', 'USER')
RETURNING id;

-- Create challenge
INSERT INTO challenges (
    user_id, challenge_type, initial_balance,
    max_daily_drawdown_percent, max_total_drawdown_percent,
    profit_target_percent, current_equity, max_equity_ever,
    daily_start_equity, daily_max_equity, daily_min_equity
) VALUES (
    '...', 'PHASE_1', 100000,
    0.05, 0.10, 0.08,
    100000, 100000, 100000, 100000, 100000
) RETURNING id;

-- Insert trade (immutable)
INSERT INTO trades (
    challenge_id, trade_id, symbol, side,
    quantity, price, realized_pnl, commission,
    executed_at, sequence_number
) VALUES (
    '...', 'TRADE_001', 'EURUSD', 'BUY',
    10000, 1.0850, 200.00, 5.00,
    CURRENT_TIMESTAMP, 1
);

-- Update challenge equity (with optimistic locking)
UPDATE challenges
SET current_equity = current_equity + 200.00,
    max_equity_ever = GREATEST(max_equity_ever, current_equity + 200.00),
    total_trades = total_trades + 1,
    total_pnl = total_pnl + 200.00,
    version = version + 1
WHERE id = '...' AND version = 1;

-- Insert event (immutable)
INSERT INTO challenge_events (
    challenge_id, event_type, sequence_number,
    event_data, description, occurred_at
) VALUES (
    '...', 'TRADE_EXECUTED', 1,
    '{"trade_id": "TRADE_001", "pnl": 200.00}'::jsonb,
    'Trade executed: BUY 10000 EURUSD @ 1.0850',
    CURRENT_TIMESTAMP
);

-- Get challenge performance
SELECT * FROM challenge_performance_analytics
WHERE user_id = '...'
ORDER BY created_at DESC;

-- Calculate win rate
SELECT
    COUNT(*) as total_trades,
    SUM(CASE WHEN realized_pnl > 0 THEN 1 ELSE 0 END) as winning_trades,
    ROUND(
        CAST(SUM(CASE WHEN realized_pnl > 0 THEN 1 ELSE 0 END) AS FLOAT) /
        CAST(COUNT(*) AS FLOAT) * 100, 2
    ) as win_rate_percent
FROM trades
WHERE challenge_id = '...';
