"""The names under which the four designs read market data."""

from warehouse.migrate import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run sql/0012_market_views.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0012_market_views.down.sql."""
    run_sql(__file__, "down")
