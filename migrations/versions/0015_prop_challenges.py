"""Prop trading: challenges, their ledgers, and the fold of their events."""

from warehouse.migrate import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Run sql/0015_prop_challenges.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0015_prop_challenges.down.sql."""
    run_sql(__file__, "down")
