-- Real-time portfolio metrics
SELECT * FROM calculate_portfolio_metrics();

-- Value at Risk calculation
SELECT * FROM calculate_var(0.95, 252);

-- Signal performance analysis
SELECT * FROM calculate_signal_performance('momentum_agent', 30);

-- Market data anomaly detection
SELECT * FROM detect_market_data_anomalies('AAPL', 24);

-- Daily maintenance tasks
SELECT daily_maintenance();

-- Weekly maintenance tasks
SELECT weekly_maintenance();

-- Trade data validation
CREATE TRIGGER trigger_validate_trade_data
    BEFORE INSERT OR UPDATE ON trades
    FOR EACH ROW EXECUTE FUNCTION validate_trade_data();

-- Automatic position updates
CREATE TRIGGER trigger_update_position_from_trade
    AFTER INSERT ON trades
    FOR EACH ROW EXECUTE FUNCTION update_position_from_trade();

-- Complete audit trail
CREATE TRIGGER trigger_audit_trades
    AFTER INSERT OR UPDATE OR DELETE ON trades
    FOR EACH ROW EXECUTE FUNCTION log_audit_trail();

-- Real-time system health
SELECT * FROM system_health;

-- Trading system metrics
SELECT * FROM trading_metrics;
