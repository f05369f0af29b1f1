"""The schema that the migrations declare: rehearsed on a clone, and compared with what is there.

The clone is a database of its own, made by running the migrations again: it holds no data, and
whatever was changed by hand is not in it. It is dropped whatever happens.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from warehouse import config, database
from warehouse.errors import WarehouseError

VARIABLE = "WAREHOUSE_DATABASE"

BY_DBT = ("seeds/**/*.csv", "functions/**/*.sql", "models/**/*.sql")
"""Files of dbt whose objects may lie in a schema of the migrations; dbt compares those itself."""

DBT_SCHEMAS = {"staging", "intermediate", "build", "marts"}
"""Made by a migration for their grants' sake; what is in them is dbt's."""

# A definition is compared as the server prints it, so that two ways to write one thing are equal,
# and no privileges ever given are the same as all taken back. How a table is stored by time is none
# of the migrations' business but of `warehouse physical`: with partitions or without, it is equal.
CATALOGUE = r"""
with schemas as (
    select oid, nspname, coalesce(nspacl, acldefault('n', nspowner)) as nspacl from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
),

relations as (
    select
        c.oid, n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
        case c.relkind when 'p' then 'r'::"char" else c.relkind end as relkind,
        n.nspname || '.' || c.relname as name,
        coalesce(
            c.relacl, acldefault(case c.relkind when 'S' then 's'::"char" else 'r' end, c.relowner)
        ) as relacl
    from pg_class as c
    inner join schemas as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname <> 'partitions'
)

select nspname as schema, 'schema' as kind, nspname as name,
    concat_ws(' | ', obj_description(oid, 'pg_namespace'), nspacl::text) as definition
from schemas
union all
select nspname, 'relation', name, concat_ws(
    ' | ', relkind, relacl::text, relrowsecurity, relforcerowsecurity,
    obj_description(oid, 'pg_class'),
    -- A view that was made again from its definition names what had no name by its type.
    case when relkind in ('v', 'm')
        then regexp_replace(pg_get_viewdef(oid), '(::(\w+)) AS "?\2"?', '\1', 'g')
    end
)
from relations
union all
select r.nspname, 'column', r.name || '.' || a.attname, concat_ws(
    ' | ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid), nullif(a.attacl::text, '{}'), col_description(r.oid, a.attnum)
)
from relations as r
inner join pg_attribute as a on r.oid = a.attrelid
left join pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
where a.attnum > 0 and not a.attisdropped and r.relkind <> 'S'
union all
select r.nspname, 'constraint', r.name || '.' || c.conname,
    concat_ws(' | ', pg_get_constraintdef(c.oid), obj_description(c.oid, 'pg_constraint'))
from relations as r
inner join pg_constraint as c on r.oid = c.conrelid
union all
select r.nspname, 'index', r.nspname || '.' || i.relname,
    replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ')
from relations as r
inner join pg_index as x on r.oid = x.indrelid
inner join pg_class as i on x.indexrelid = i.oid
union all
select r.nspname, 'trigger', r.name || '.' || t.tgname,
    concat_ws(' | ', pg_get_triggerdef(t.oid), t.tgenabled)
from relations as r
inner join pg_trigger as t on r.oid = t.tgrelid
where not t.tgisinternal and t.tgname <> 'ts_insert_blocker'  -- of hypertables, in 2.19
union all
select r.nspname, 'policy', r.name || '.' || p.polname, concat_ws(
    ' | ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
)
from relations as r
inner join pg_policy as p on r.oid = p.polrelid
union all
select n.nspname, 'function', p.oid::regprocedure::text, concat_ws(
    ' | ', case when p.prokind = 'a' then 'aggregate' else pg_get_functiondef(p.oid) end,
    (
        select string_agg(item::text, ', ' order by item::text)
        from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) as item
    ),
    obj_description(p.oid, 'pg_proc')
)
from pg_proc as p
inner join schemas as n on n.oid = p.pronamespace
union all
select n.nspname, 'type', n.nspname || '.' || t.typname, concat_ws(
    ' | ', format_type(t.typbasetype, t.typtypmod), obj_description(t.oid, 'pg_type'),
    (
        select string_agg(e.enumlabel, ', ' order by e.enumsortorder)
        from pg_enum as e where e.enumtypid = t.oid
    ),
    (
        select string_agg(pg_get_constraintdef(c.oid), ', ' order by c.conname)
        from pg_constraint as c where c.contypid = t.oid
    )
)
from pg_type as t
inner join schemas as n on n.oid = t.typnamespace
where t.typtype in ('d', 'e')
"""

Catalogue = dict[tuple[str, str, str], str]
"""Definition of each object by its schema, kind and name."""


@dataclass(frozen=True)
class Difference:
    """One object that is not as the migrations declare it."""

    kind: str
    name: str
    found: str
    """missing, extra or changed."""


def catalogue() -> Catalogue:
    """Return every object of the database in force that is not the server's own."""
    with database.connect("warehouse migrate") as session:
        return {(row[0], row[1], row[2]): row[3] for row in session.execute(CATALOGUE)}


@contextmanager
def empty_clone() -> Iterator[str]:
    """Make an empty database beside the one in force, and the one in force meanwhile.

    Raises WarehouseError when this login may not create databases.
    """
    name = f"warehouse_clone_{secrets.token_hex(4)}"
    with database.connect("warehouse migrate", autocommit=True) as session:
        try:
            session.execute(
                sql.SQL("create database {} template template0").format(sql.Identifier(name))
            )
        except psycopg.errors.InsufficientPrivilege:
            raise WarehouseError(
                "This login may not create a database, and the clone would be one.",
                do="grant it: alter role … createdb; or run this as the owner of the server",
            ) from None
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = name
        try:
            yield name
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before
            session.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def rehearse(folder: Path | None = None) -> None:
    """Run every migration on a clone, the pending ones last.

    Raises WarehouseError when one fails there; nothing of the database in force is touched.
    """
    from warehouse import migrate

    with empty_clone():
        migrate.migrate(folder)


def differences(folder: Path | None = None) -> list[Difference]:
    """Compare the schemas that migrations own with what the applied migrations declare.

    Schemas that no migration made (those of dbt, of other people) are none of our business.
    """
    from warehouse import migrate

    applied = [state.version for state in migrate.status(folder) if state.state != "pending"]
    actual = catalogue()
    with empty_clone():
        migrate.migrate(folder, until=applied[-1] if applied else "")
        declared = catalogue()
    by_dbt = {path.stem for pattern in BY_DBT for path in config.PROJECT.glob(pattern)}
    owned = {schema for schema, _, _ in declared} - {"public"} - DBT_SCHEMAS
    found = [Difference(k[1], k[2], "missing") for k in declared.keys() - actual.keys()]
    found += [
        Difference(key[1], key[2], "changed")
        for key in declared.keys() & actual.keys()
        if declared[key] != actual[key]
    ]
    found += [
        Difference(key[1], key[2], "extra")
        for key in actual.keys() - declared.keys()
        if key[0] in owned and _relation(key[2]) not in by_dbt
    ]
    return sorted(found, key=lambda each: (each.name, each.kind))


def _relation(name: str) -> str:
    """Return the table or function, without its schema, that an object is of."""
    return name.partition("(")[0].split(".")[1] if "." in name else name
