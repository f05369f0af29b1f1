"""The six logs and the view of their last day."""

from warehouse.migrate import run_sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run sql/0011_logs_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0011_logs_landing.down.sql."""
    run_sql(__file__, "down")
