"""News, social media and other alternative data."""

from warehouse.migrate import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run sql/0010_alternative_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0010_alternative_landing.down.sql."""
    run_sql(__file__, "down")
