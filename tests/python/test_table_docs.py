"""The database describes every table and column, and the page of tables is made from that."""

from __future__ import annotations

import pytest

from warehouse import database, table_docs
from warehouse.landing.records.landables import find, landing_tables


@pytest.mark.usefixtures("database")
def test_every_table_and_column_has_a_comment() -> None:
    with database.connect() as conn:
        assert table_docs.undescribed(conn) == []


@pytest.mark.usefixtures("database")
def test_every_constraint_of_a_landing_table_says_why() -> None:
    with database.connect() as conn:
        tables = [find(conn, name) for name in landing_tables(conn)]
    silent = [
        f"{table.name}: {each.name}"
        for table in tables
        for each in table.constraints
        if each.kind != "p" and not each.comment
    ]
    assert silent == []


@pytest.mark.usefixtures("database")
def test_the_page_has_every_landing_table() -> None:
    with database.connect() as conn:
        page = table_docs.described(conn)
        tables = landing_tables(conn)
    missing = [name for name in tables if f"\n### {name}\n" not in page]
    assert missing == []
