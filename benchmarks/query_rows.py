"""Rows for the catalogue of queries: what `warehouse simulate` leaves out, and copies of its world.

Written as the owner, past triggers and foreign keys: only how many rows there are, and how their
values are spread, matters here. Keys and checks hold.
"""

from __future__ import annotations

from typing import Any

import psycopg

FILLERS = {
    "ref.instruments": """
        insert into ref.instruments (symbol, calendar, currency, asset_class, first_source)
        values ('EURUSD', '24/7', 'USD', 'fx', 'made_up')
    """,
    "ref.symbol_history": """
        insert into ref.symbol_history (symbol, calendar, instrument_id, source)
        select symbol, calendar, instrument_id, first_source from ref.instruments
        where first_source = 'made_up'
    """,
    "raw_market.ticks": """
        insert into raw_market.ticks (instrument_id, tick_ts, seq, symbol, price, size, batch_id)
        select instrument_id, {at}, n, symbol, 10, 1, {batch}
        from ref.instruments cross join generate_series(1, {rows}) as n
    """,
    "raw_market.quotes": """
        insert into raw_market.quotes
            (instrument_id, timeframe, quote_ts, seq, symbol, bid, ask, batch_id)
        select instrument_id, 'tick', {at}, n, symbol, 10, 11, {batch}
        from ref.instruments cross join generate_series(1, {rows}) as n
    """,
    "raw_market.option_quotes": """
        insert into raw_market.option_quotes (
            instrument_id, quote_ts, expiry, strike, option_right, symbol, bid, ask, delta, batch_id
        )
        select
            instrument_id, date_trunc('day', {at}), '2012-12-21', 10 + n % 50, 'call', symbol,
            1, 2, 0.5, {batch}
        from ref.instruments cross join generate_series(1, {rows}) as n
        on conflict do nothing
    """,
    "raw_market.stock_info": """
        insert into raw_market.stock_info
            (symbol, source, revision, instrument_id, company_name, batch_id)
        select symbol, 'made_up', n, instrument_id, symbol || ' Inc.', 1
        from ref.instruments cross join generate_series(0, 2) as n
    """,
    "raw_risk.factor_returns": """
        insert into raw_risk.factor_returns (factor, timeframe, session_date, factor_return)
        select factor, '1d', '2012-03-01'::date - n, 0.01
        from unnest(array['smb', 'hml', 'mkt']) as factor cross join generate_series(1, {rows}) as n
    """,
    "raw_risk.factor_loadings": """
        insert into raw_risk.factor_loadings (symbol, factor, as_of_date, loading)
        select symbol, factor, '2012-03-01'::date - n, 1
        from ref.instruments
        cross join unnest(array['smb', 'hml', 'mkt']) as factor
        cross join generate_series(1, {rows}) as n
    """,
    "raw_alt.news_articles": """
        insert into raw_alt.news_articles (source, article_id, published_at, headline)
        select 'made_up', 'a' || n, {at}, 'X rises' from generate_series(1, {rows}) as n
    """,
    "raw_alt.news_symbols": """
        insert into raw_alt.news_symbols (source, article_id, symbol, published_at, relevance)
        select 'made_up', 'a' || n, symbol, {at}, 1
        from generate_series(1, {rows}) as n cross join ref.instruments
    """,
    "raw_alt.social_posts": """
        insert into raw_alt.social_posts (platform, symbol, posted_at, post_id, text, reach)
        select 'made_up', symbol, {at}, n, 'up', n
        from generate_series(1, {rows}) as n cross join ref.instruments
    """,
    "raw_alt.social_sentiment": """
        insert into raw_alt.social_sentiment
            (platform, symbol, window_start, window_end, score, mentions)
        select 'made_up', symbol, {at}, {at} + interval '1 hour', 0.1, 3
        from generate_series(1, {rows}) as n cross join ref.instruments
    """,
    "raw_alt.alternative_data": """
        insert into raw_alt.alternative_data
            (dataset, entity, as_of_ts, published_at, symbol, payload)
        select
            'weather', 'station ' || n % 100, {at}, {at} + interval '1 day', symbol,
            jsonb_build_object('station', n % 100, 'rain', n)
        from generate_series(1, {rows}) as n cross join ref.instruments
        on conflict do nothing
    """,
    "ops.quarantine": """
        insert into ops.quarantine (
            batch_id, dataset, source, file, line, rule, rules, reason, payload, replayed_at,
            replayed_batch_id
        )
        select
            {batch}, 'bars', 'made_up' || n % 20, 'f', n, 'bar.high', array['bar.high'], 'r',
            '{{}}',
            case when n % 20 <> 0 then now() end, case when n % 20 <> 0 then {batch} end
        from generate_series(1, {rows}) as n
    """,
    "ops.dq_results": """
        insert into ops.dq_results
            (run_id, scope, rule, tier, severity, evaluated, found, quarantined, success)
        select
            md5((n / 30)::text)::uuid, 'table', 'rule ' || n % 30, 'logical', 'error', 1, 0, 0, true
        from generate_series(1, {rows}) as n
    """,
    "ops.dq_findings": """
        insert into ops.dq_findings (run_id, scope, rule, source, symbol, timeframe, bar_ts)
        select md5((n / 30)::text)::uuid, 'table', 'rule ' || n % 3, 'made_up', 'X', '1d', {at}
        from generate_series(1, {rows}) as n
    """,
    "ops.erasure_log": """
        insert into ops.erasure_log (user_id, reason, removed, remaining)
        select md5(n::text)::uuid, 'asked', '{{}}', '{{}}' from generate_series(1, {rows}) as n
    """,
    "raw_logs.system_logs": """
        insert into raw_logs.system_logs ("timestamp", level, logger_name, message)
        select {at}, (array['INFO', 'INFO', 'INFO', 'DEBUG', 'ERROR'])[1 + n % 5], 'l', 'm'
        from generate_series(1, {rows}) as n
    """,
    "raw_trading.portfolio_snapshots": """
        insert into raw_trading.portfolio_snapshots
            (account_id, strategy_id, snapshot_ts, source, currency, equity, cash)
        select
            s.account_id, strategies.strategy_id, s.snapshot_ts, s.source, s.currency, s.equity, 0
        from raw_trading.portfolio_snapshots as s cross join raw_trading.strategies as strategies
    """,
    "raw_backtest.backtest_runs": """
        insert into raw_backtest.backtest_runs (
            run_id, strategy_id, strategy, range_start, range_end, initial_capital, currency,
            status, metrics, created_at, finished_at
        )
        select
            'replay ' || fills.strategy_id, fills.strategy_id, fills.strategy_id,
            min(fills."timestamp"), max(fills."timestamp") + interval '1 hour', 100000,
            min(accounts.currency), 'completed', '{{}}',
            max(fills."timestamp") + interval '1 hour', max(fills."timestamp") + interval '2 hours'
        from raw_trading.fills
        inner join raw_trading.accounts on fills.account_id = accounts.account_id
        where fills.strategy_id is not null
        group by fills.strategy_id
    """,
    "raw_backtest.backtest_trades": """
        insert into raw_backtest.backtest_trades
            (run_id, trade_no, symbol, side, quantity, price, commission, "timestamp")
        select
            'replay ' || strategy_id,
            row_number() over (partition by strategy_id order by executed_at, seq),
            symbol, side, quantity, price, commission, executed_at
        from raw_trading.trades
        where strategy_id is not null
    """,
    "raw_prop.risk_alerts": """
        insert into raw_prop.risk_alerts (user_id, alert_type, severity, message, triggered_at)
        select id, 'LOGIN', 'HIGH', 'm', {at}
        from (select id, row_number() over (order by id) as n from raw_prop.user_accounts) as users
    """,
}
"""An insert by table; {at} is the time of row n, a few minutes apart, {rows} how many of them."""

AT = "(timestamptz '2012-03-28 20:00Z' - n * interval '7 minutes')"
BATCH = "(select max(batch_id) from ops.batches)"


def fill(session: psycopg.Connection[Any], rows: int) -> None:
    """Write rows into what the simulated sample leaves empty."""
    with session.transaction():
        session.execute("set local session_replication_role = replica")
        for statement in FILLERS.values():
            session.execute(statement.format(at=AT, batch=BATCH, rows=rows).encode())


COPIED = {
    # The market grows in instruments, the firm in accounts, agents, users and what they do.
    "market": (
        "ref.instruments", "ref.symbol_history", "raw_market.bars",
        "marts.feature_engineered_data", "marts.market_overview",
        "marts.mv_features_dashboard_summary",
    ),
    "firm": (
        "raw_signals.agents", "raw_signals.signals", "raw_signals.fused_signals",
        "raw_signals.fusion_inputs", "raw_ml.models", "raw_ml.model_training_runs",
        "raw_ml.predictions", "raw_trading.accounts", "raw_trading.strategies",
        "raw_trading.orders", "raw_trading.order_events", "raw_trading.fills",
        "raw_trading.cash_movements", "raw_trading.portfolio_snapshots",
        "raw_trading.positions_live", "raw_risk.risk_alert_events",
        "raw_backtest.backtest_runs", "raw_backtest.backtest_trades", "raw_logs.system_logs",
        "raw_logs.trading_events", "raw_logs.performance_logs", "raw_logs.error_logs",
        "raw_logs.user_action_logs", "raw_logs.agent_metrics", "raw_prop.user_accounts",
        "raw_prop.users_pii", "raw_prop.challenges", "raw_prop.trades",
        "raw_prop.challenge_events", "raw_prop.challenge_equity_ticks", "raw_prop.payments",
        "raw_prop.payment_events", "raw_prop.risk_alerts",
        "marts.signal_performance", "marts.signal_performance_daily",
        "marts.signal_performance_by_segment", "marts.fused_signals",
        "marts.fused_signal_attribution", "marts.model_performance", "marts.model_comparison",
    ),
}  # fmt: skip
TEXT_KEYS = ("symbol", "name", "strategy", "strategy_ref", "email")
COLUMNS = """
    select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)
    from pg_attribute as a
    inner join pg_type as t on a.atttypid = t.oid
    where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by a.attnum
"""


def copy_world(session: psycopg.Connection[Any], kind: str, copies: int) -> None:
    """Copy what there is so many times, every key renamed in the same way in all tables."""
    for table in COPIED[kind]:
        columns = session.execute(COLUMNS, [table]).fetchall()
        names = ", ".join(f'"{name}"' for name, _ in columns)
        values = ", ".join(_copied(name, kind_of) for name, kind_of in columns)
        copied = (
            f"insert into {table} ({names}) overriding system value"
            f" select {values} from {table} as t cross join generate_series(1, {copies}) as k"
        )
        with session.transaction():
            session.execute("set local session_replication_role = replica")
            session.execute(copied.encode())


def _copied(name: str, kind: str) -> str:
    """Return the value of a column in copy k."""
    column = f't."{name}"'
    if name == "tenant_id":
        return column
    if kind == "uuid":
        return f"md5({column}::text || k)::uuid"
    if kind == "text" and (name.endswith("_id") or name in TEXT_KEYS):
        return f"case when {column} <> '' then k || '-' || {column} else {column} end"
    if name == "instrument_id" or (name, kind) == ("id", "bigint"):
        return f"{column} + k * 1000000"
    return column
