"""Prop trading: users with personal data apart, rules of challenges."""

from warehouse.migrate import run_sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run sql/0014_prop_users.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0014_prop_users.down.sql."""
    run_sql(__file__, "down")
