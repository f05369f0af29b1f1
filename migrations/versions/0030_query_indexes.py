"""Indexes for the published queries, and none that nothing can use."""

from warehouse.migrate import run_sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Run sql/0030_query_indexes.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0030_query_indexes.down.sql."""
    run_sql(__file__, "down")
