"""Landing tables of market data, reference data, batches, quarantine and change log."""

from warehouse.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run sql/0001_landing_zone.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0001_landing_zone.down.sql."""
    run_sql(__file__, "down")
