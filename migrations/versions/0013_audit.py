"""Row changes of watched tables, sealed in a hash chain."""

from warehouse.migrate import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Run sql/0013_audit.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0013_audit.down.sql."""
    run_sql(__file__, "down")
