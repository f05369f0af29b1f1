"""Strict numbers and legal states of the other ledgers, and references that no key keeps."""

from warehouse.migrate import run_sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Run sql/0023_ledger_rules.up.sql."""
    run_sql(__file__, "up")


def downgrade() -> None:
    """Run sql/0023_ledger_rules.down.sql."""
    run_sql(__file__, "down")
