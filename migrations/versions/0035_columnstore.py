"""The columnstore beside corrections: what may be compressed, and what late rows cost."""

from warehouse.migrate import run_sql

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Run sql/0035_columnstore.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0035_columnstore.down.sql."""
    run_sql(__file__, "down")
