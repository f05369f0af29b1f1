"""Sessions with the warehouse database."""

from __future__ import annotations

import psycopg

from warehouse import config
from warehouse.errors import WarehouseError


def connect(application: str = "warehouse", *, autocommit: bool = False) -> psycopg.Connection:
    """Open a session in UTC on the target in force.

    Raises WarehouseError when nobody answers or the password is refused.
    """
    where = config.connection()
    try:
        return psycopg.connect(
            where.url(),
            autocommit=autocommit,
            application_name=application,
            connect_timeout=10,
            options="-c timezone=UTC",
        )
    except psycopg.OperationalError as error:
        raise WarehouseError(
            f"The warehouse does not answer: {str(error).strip().splitlines()[-1]}",
            where=f"{where.host}:{where.port}/{where.dbname} (target {config.target()})",
            do="start it with `warehouse up`, then look at `warehouse doctor`",
        ) from None
