"""Landing costs what arrives, not what is there: the change log of bars, labels checked cheaply."""

from warehouse.migrate import run_sql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Run sql/0034_cheaper_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0034_cheaper_landing.down.sql."""
    run_sql(__file__, "down")
