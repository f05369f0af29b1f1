"""Schemas, types and trigger functions that the domains of the landing zone share."""

from warehouse.migrate import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run sql/0007_landing_common.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0007_landing_common.down.sql."""
    run_sql(__file__, "down")
