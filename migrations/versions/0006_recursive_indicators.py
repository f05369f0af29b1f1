"""All recursive indicators of a series in one pass over its bars."""

from warehouse.migrate import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run sql/0006_recursive_indicators.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0006_recursive_indicators.down.sql."""
    run_sql(__file__, "down")
