"""Models, training runs, predictions, factor returns and loadings."""

from warehouse.migrate import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run sql/0009_models_landing.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0009_models_landing.down.sql."""
    run_sql(__file__, "down")
