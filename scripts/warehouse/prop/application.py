"""Somebody else's application database, read in one snapshot and never written to."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg.rows import dict_row

from warehouse.errors import WarehouseError

Row = dict[str, Any]
CHUNK = 50_000
SCHEMES = "postgresql://user@host:5432/app or sqlite:///app.db"


class Application(Protocol):
    """What a pull asks of an application database."""

    name: str
    """Where it is, without user and password."""

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table; none where there is no such table."""

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        """Stream the rows of a query with `?` for values."""


class PostgresApplication:
    """A session in one snapshot; the connection's search_path says where the tables are."""

    def __init__(self, session: psycopg.Connection[Any], name: str) -> None:
        """Keep the session."""
        self.session = session
        self.name = name

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table or view."""
        found = self.session.execute(
            "select attname from pg_attribute where attrelid = to_regclass(%s)"
            " and attnum > 0 and not attisdropped order by attnum",
            [table],
        )
        return [row[0] for row in found]

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        """Stream the rows of a query."""
        with self.session.cursor("pull", row_factory=dict_row) as cursor:
            cursor.itersize = CHUNK
            yield from cursor.execute(sql.replace("?", "%s"), values)


class SqliteApplication:
    """A read-only session in one snapshot."""

    def __init__(self, session: sqlite3.Connection, name: str) -> None:
        """Keep the session."""
        self.session = session
        self.name = name

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table or view."""
        found = self.session.execute("select name from pragma_table_info(?)", [table])
        return [row[0] for row in found]

    def rows(self, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        """Stream the rows of a query."""
        cursor = self.session.execute(sql, [str(value) for value in values])
        names = [each[0] for each in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


@contextmanager
def opened(url: str) -> Iterator[Application]:
    """Open an application database by its URL, in a snapshot.

    Raises WarehouseError, which never shows a password.
    """
    scheme = url.partition("://")[0]
    if scheme in ("postgresql", "postgres"):
        with _postgres(url) as application:
            yield application
    elif scheme == "sqlite":
        with _sqlite(url) as application:
            yield application
    else:
        raise WarehouseError(
            "The URL names no database that can be pulled from.",
            where=f"--from {scheme}://…" if "://" in url else "--from",
            do=f"write {SCHEMES}",
        )


@contextmanager
def _postgres(url: str) -> Iterator[PostgresApplication]:
    name = _shown(url)
    try:
        session = psycopg.connect(
            url, application_name="warehouse land", connect_timeout=10, autocommit=False
        )
    except (psycopg.Error, UnicodeError, ValueError) as error:
        told = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise WarehouseError(
            f"The application's database does not answer: {_without_secrets(told, url)}",
            where=name,
            do="check host, port, user and password; a password with @, / or : in it has to be"
            " written as %40, %2F, %3A, or left to PGPASSWORD",
        ) from None
    try:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.read_only = True
        session.execute("set timezone = 'UTC'")
        yield PostgresApplication(session, name)
    except psycopg.errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"The application's database refuses to be read: {error.diag.message_primary}.",
            where=name,
            do="grant its user SELECT on the tables",
        ) from None
    except psycopg.OperationalError as error:
        told = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise WarehouseError(
            f"The application's database broke off: {_without_secrets(told, url)}.",
            where=name,
            do="pull again: what has landed stays, and is not landed twice",
        ) from None
    finally:
        session.close()


@contextmanager
def _sqlite(url: str) -> Iterator[SqliteApplication]:
    path = Path(unquote(url.removeprefix("sqlite://").partition("?")[0].removeprefix("/")))
    if not path.is_file():
        raise WarehouseError(
            "The application's database does not exist.",
            where=str(path),
            do="check the path: sqlite:///app.db is a file beside you, sqlite:////srv/app.db one"
            " with its whole path",
        )
    session = None
    try:
        session = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=60, isolation_level=None
        )
        session.execute("begin")
        session.execute("select count(*) from sqlite_master").fetchone()
        yield SqliteApplication(session, f"sqlite:///{path}")
    except sqlite3.DatabaseError as error:
        raise WarehouseError(
            f"The application's database cannot be read: {error}.",
            where=str(path),
            do="check that it is a database of SQLite, and that you may read it and its folder",
        ) from None
    finally:
        if session is not None:
            session.close()


def _shown(url: str) -> str:
    """Return a URL without user, password and options."""
    rest = url.partition("://")[2]
    rest = rest.rpartition("@")[2] if "@" in rest else rest
    return f"postgresql://{re.split('[?#]', rest)[0]}"


def _without_secrets(text: str, url: str) -> str:
    """Take everything out of a message that may be (part of) a password."""
    rest = url.partition("://")[2]
    user, _, password = rest.rpartition("@")[0].partition(":")
    options = re.findall(r"[?&](?:ssl)?password=([^&#]*)", urlsplit(f"x://{rest}").query and url)
    for secret in [password, *options]:
        for part in {secret, unquote(secret), *re.split(r"[@:/?#\[\]]", secret)}:
            if part and part != user:
                text = text.replace(part, "***")
    return text
