"""How landing tables are stored: partitions by time, and what the catalogue says of them."""

from warehouse.migrate import run_sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Run sql/0032_physical_design.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0032_physical_design.down.sql."""
    run_sql(__file__, "down")
