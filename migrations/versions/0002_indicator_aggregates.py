"""Recursive indicators as aggregates that continue from a stored state."""

from warehouse.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run sql/0002_indicator_aggregates.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0002_indicator_aggregates.down.sql."""
    run_sql(__file__, "down")
