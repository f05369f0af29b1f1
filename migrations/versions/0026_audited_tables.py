"""Which tables of the landing zone are audited."""

from warehouse.migrate import run_sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Run sql/0026_audited_tables.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0026_audited_tables.down.sql."""
    run_sql(__file__, "down")
