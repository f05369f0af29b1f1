"""Comments on the columns of the first tables."""

from warehouse.migrate import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Run sql/0024_comments.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0024_comments.down.sql."""
    run_sql(__file__, "down")
