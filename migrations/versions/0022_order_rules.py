"""States of orders, validation of fills, and what fills move: orders and positions."""

from warehouse.migrate import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Run sql/0022_order_rules.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0022_order_rules.down.sql."""
    run_sql(__file__, "down")
