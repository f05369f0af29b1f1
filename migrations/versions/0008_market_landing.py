"""Ticks, quotes and option quotes."""

from warehouse.migrate import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run sql/0008_market_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0008_market_landing.down.sql."""
    run_sql(__file__, "down")
