"""Sessions with the warehouse database."""

from __future__ import annotations

import psycopg

from warehouse import config, transport
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
            require_auth=transport.SCRAM,
        )
    except psycopg.OperationalError as error:
        told = str(error).strip().splitlines()[-1]
        protection = transport.advice(told)
        what = "refuses, or is refused" if protection else "does not answer"
        raise WarehouseError(
            f"The warehouse {what}: {told}",
            where=f"{where.host}:{where.port}/{where.dbname} (target {config.target()})",
            do=protection or "start it with `warehouse up`, then look at `warehouse doctor`",
        ) from None
