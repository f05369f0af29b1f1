"""How long what is kept: the retention policy as data."""

from warehouse.migrate import run_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Run sql/0027_retention.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0027_retention.down.sql."""
    run_sql(__file__, "down")
