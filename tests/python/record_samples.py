"""A minimal valid row for every landing table, made from the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

from psycopg import Connection

from warehouse.landing.records.landables import Landable, find

VALUES = {
    "timestamp with time zone": "2024-01-02T10:00:00Z",
    "date": "2024-01-02",
    "numeric": "1",
    "double precision": "0.5",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "boolean": "true",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "jsonb": "{}",
    "text": "x",
    "text[]": "{}",
}
SPECIAL: dict[str, dict[str, str]] = {
    "raw_alt.social_sentiment": {"window_end": "2024-01-02T11:00:00Z"},
    "raw_backtest.backtest_runs": {"range_end": "2024-01-03T10:00:00Z"},
    "raw_market.quotes": {"timeframe": "tick", "bid": "1"},
    "raw_trading.portfolio_snapshots": {"strategy_id": ""},
    "raw_ml.predictions": {"prediction_value": "1"},
    "raw_prop.challenge_rules": {"rule_kind": "min_trading_days"},
    "raw_prop.risk_alerts": {"user_id": VALUES["uuid"]},
    "raw_prop.users_pii": {"email": "x@example.com"},
    "raw_risk.factor_returns": {"timeframe": "1d"},
}
"""Values that constraints of more than one column ask for."""


def minimal(conn: Connection, table: Landable) -> dict[str, str]:
    """Return a row with every column that a file must have, and the key."""
    special = SPECIAL.get(table.name, {})
    wanted = dict.fromkeys([*table.required([]), *table.key, *special])
    names = [name for name in wanted if name in table.fillable]
    if table.needs_instrument:
        names = [name for name in names if name != "instrument_id"]
    if len(names) == 1:  # a file of one column may have another delimiter, and is refused
        names.append(next(name for name in table.fillable if name.endswith("_at")))
    return {name: _value(conn, table, name) for name in names}


def parents(table: Landable) -> list[str]:
    """Return the tables that rows of a table must refer to."""
    needed = {*table.required([]), *table.key, *SPECIAL.get(table.name, {})}
    return [
        each.foreign_table
        for each in table.constraints
        if each.kind == "f" and needed & set(each.columns) and each.foreign_table != table.name
    ]


def _value(conn: Connection, table: Landable, name: str) -> str:
    special = SPECIAL.get(table.name, {}).get(name)
    if special is not None:
        return special
    for each in table.constraints:
        listed = re.search(r"ARRAY\['([^']*)'::text", each.check_sql or "")
        if each.kind == "c" and each.columns == [name] and listed:
            return listed[1]
    column = table.columns[name]
    if name == "currency":
        return "USD"
    if column.base in VALUES:
        return VALUES[column.base]
    labels = conn.execute(
        "select enumlabel from pg_enum where enumtypid = %s::regtype order by enumsortorder",
        [column.base],
    ).fetchall()
    return str(labels[0][0])


def write_minimal(conn: Connection, name: str, folder: Path) -> list[tuple[str, Path]]:
    """Write the files of a table and of all it refers to; return them in the order to land them."""
    table = find(conn, name)
    files = [file for parent in parents(table) for file in write_minimal(conn, parent, folder)]
    row = minimal(conn, table)
    path = folder / f"{name}.csv"
    quoted = ['"' + value.replace('"', '""') + '"' for value in row.values()]
    path.write_text(f"{','.join(row)}\n{','.join(quoted)}\n", encoding="utf-8")
    return [*dict.fromkeys(files), (name, path)]
