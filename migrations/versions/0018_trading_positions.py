"""Portfolio snapshots, live positions, and protection of what trading landed."""

from warehouse.migrate import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Run sql/0018_trading_positions.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0018_trading_positions.down.sql."""
    run_sql(__file__, "down")
