"""Strategies, accounts, orders and their events, fills and cash movements."""

from warehouse.migrate import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Run sql/0017_trading_tables.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0017_trading_tables.down.sql."""
    run_sql(__file__, "down")
