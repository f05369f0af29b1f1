"""Publication of the marts, changes of reference data, and landing history that expires."""

from warehouse.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run sql/0003_publication.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0003_publication.down.sql."""
    run_sql(__file__, "down")
