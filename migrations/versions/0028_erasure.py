"""Forgetting a user: what is erased, and the record of it."""

from warehouse.migrate import run_sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Run sql/0028_erasure.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0028_erasure.down.sql."""
    run_sql(__file__, "down")
