"""${message}."""

from warehouse.migrate import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Run sql/<this file>.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/<this file>.down.sql."""
    run_sql(__file__, "down")
