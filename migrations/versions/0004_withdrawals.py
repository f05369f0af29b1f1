"""Bars and corporate actions that never happened: withdrawn by a revision of their own."""

from warehouse.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run sql/0004_withdrawals.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0004_withdrawals.down.sql."""
    run_sql(__file__, "down")
