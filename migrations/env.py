"""Alembic's entry: one session on the target in force, one transaction for each version.

Also reached by `alembic` typed by hand (settings in pyproject.toml).
"""

from __future__ import annotations

import sqlalchemy
from alembic import context
from alembic.runtime.migration import MigrationInfo

from warehouse import database, migrate


def remember(step: MigrationInfo, **_: object) -> None:
    """Write the run of a version into ops.schema_migrations, in the version's own transaction."""
    session = context.get_bind().connection.driver_connection
    for script in step.up_revisions if step.is_upgrade else [step.up_revision]:
        if script is not None:
            migrate.record(session, script=script, up=step.is_upgrade)


def run() -> None:
    """Run the versions asked for, or print them (`--sql`)."""
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    # A creator instead of a URL: the password appears in no repr and no trace.
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: database.connect("warehouse migrate"),
        poolclass=sqlalchemy.NullPool,
    )
    with engine.connect() as connection:
        connection.connection.driver_connection.execute(migrate.BOOKKEEPING)  # type: ignore[union-attr]
        connection.commit()
        context.configure(
            connection=connection,
            transaction_per_migration=True,
            version_table_schema="public",
            on_version_apply=remember,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
