"""Bars by when they landed, which those who ask what was known at a time are looking for."""

from warehouse.migrate import run_sql

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Run sql/0036_bars_known_at.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0036_bars_known_at.down.sql."""
    run_sql(__file__, "down")
