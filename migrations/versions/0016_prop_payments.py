"""Prop trading: payments with their webhooks, risk alerts."""

from warehouse.migrate import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Run sql/0016_prop_payments.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0016_prop_payments.down.sql."""
    run_sql(__file__, "down")
