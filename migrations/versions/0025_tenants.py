"""Tenants, and the policies that show each of them its own rows."""

from warehouse.migrate import run_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Run sql/0025_tenants.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0025_tenants.down.sql."""
    run_sql(__file__, "down")
