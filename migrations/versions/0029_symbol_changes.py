"""Changes of what a ticker means go into the change log."""

from warehouse.migrate import run_sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Run sql/0029_symbol_changes.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0029_symbol_changes.down.sql."""
    run_sql(__file__, "down")
