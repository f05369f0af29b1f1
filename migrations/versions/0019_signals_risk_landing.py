"""Agents, their signals, what was fused of them; risk limits and alerts."""

from warehouse.migrate import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Run sql/0019_signals_risk_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0019_signals_risk_landing.down.sql."""
    run_sql(__file__, "down")
