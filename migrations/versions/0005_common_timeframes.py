"""The timeframe of a bar is checked without a regular expression where it is a common one."""

from warehouse.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run sql/0005_common_timeframes.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0005_common_timeframes.down.sql."""
    run_sql(__file__, "down")
