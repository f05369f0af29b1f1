"""Backtest runs and their trades, and protection of signals and risk."""

from warehouse.migrate import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Run sql/0020_backtests_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0020_backtests_landing.down.sql."""
    run_sql(__file__, "down")
