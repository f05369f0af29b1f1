"""Frozen references of drift: the bins and shares that later days are compared with."""

from warehouse.migrate import run_sql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Run sql/0033_drift_references.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0033_drift_references.down.sql."""
    run_sql(__file__, "down")
