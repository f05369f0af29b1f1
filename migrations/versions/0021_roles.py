"""Group roles and what each may do."""

from warehouse.migrate import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Run sql/0021_roles.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0021_roles.down.sql."""
    run_sql(__file__, "down")
