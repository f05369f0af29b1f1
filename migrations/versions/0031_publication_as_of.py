"""A publication says as of which instant its marts were built."""

from warehouse.migrate import run_sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Run sql/0031_publication_as_of.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0031_publication_as_of.down.sql."""
    run_sql(__file__, "down")
