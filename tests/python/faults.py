"""What is done to a build in its middle, and what must hold afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg.sql

from children import Child
from comparison import incremental_models
from dbt_runs import parsed_file, wait_for_backends
from schedules import Schedule, variables
from warehouse import config, database

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
MART = "feature_engineered_data"
HOLD = 4711

TRIGGER = """
create or replace function public.hold_build() returns trigger
language plpgsql security definer as $$
begin
    perform pg_advisory_xact_lock({key});
    {then}
    return null;
end $$;
create or replace trigger hold_build before insert on {relation}
for each statement execute function public.hold_build();
"""
HELD = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'dbt'
    and wait_event_type = 'Lock' and wait_event = 'advisory'
"""
TABLES = """
select quote_ident(schemaname) || '.' || quote_ident(tablename)
from pg_tables where schemaname = 'marts' order by 1
"""
LEFT_OVER = "select relname from pg_class where relname ~ '__dbt_(tmp|backup)'"


def started_build(*arguments: str) -> Child:
    """Start what `warehouse build` does without the gate and the tests; it prints its result."""
    options = (*variables("2000-09-30"), *arguments)
    return Child.start("child_build.py", "whole", config.PROJECT, parsed_file(), *options)


@contextmanager
def hold(then: str = "") -> Iterator[Callable[[Child], int]]:
    """Stop builds in the middle of the feature mart: its old rows deleted, the new ones not there.

    Yields what waits until a build has come to it, and returns the pid of its backend. Builds go on
    when the block ends; `then` is what their transaction does first.
    """
    with database.connect("holder", autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(%s)", [HOLD])
        holder.execute(TRIGGER.format(key=HOLD, relation=built_mart(), then=then))

        def wait(child: Child) -> int:
            return int(child.until(lambda: holder.execute(HELD).fetchone())[0])

        yield wait


def let_go() -> None:
    """Remove what stops builds."""
    with database.connect("tests", autocommit=True) as conn:
        conn.execute("drop function if exists public.hold_build() cascade")


def built_mart() -> str:
    """Return the name of the table that builds write."""
    return next(f"{m.schema}.{m.name}" for m in incremental_models() if m.name == MART)


def readers_see() -> dict[str, tuple[object, ...]]:
    """Return rows and digest of every published mart, read as a reader does."""
    with database.connect("reader") as conn:
        tables = [row[0] for row in conn.execute(TABLES)]
        assert tables
        return {
            table: conn.execute(
                f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from {table} as t"
            ).fetchone() or ()
            for table in tables
        }  # fmt: skip


def left_over() -> list[str]:
    """Return the temporary relations that dbt has left."""
    with database.connect("tests") as conn:
        return [row[0] for row in conn.execute(LEFT_OVER)]


def small_history(folder: Path) -> Schedule:
    """Land two series and build them."""
    schedule = Schedule(folder)
    schedule.land(AAPL, list(range(300)))
    schedule.land(IBM, list(range(200)))
    schedule.build()
    return schedule


def converges(schedule: Schedule) -> None:
    """Check what must hold after every fault once the cause is gone."""
    wait_for_backends()
    let_go()
    schedule.compare()
    assert not left_over()


def bars_landed() -> int:
    """Return how many rows the landing table has."""
    with database.connect("tests") as conn:
        row = conn.execute("select count(*) from raw_market.bars").fetchone()
    return int(row[0]) if row else 0


def terminate(pid: int, how: str = "pg_terminate_backend") -> None:
    """End a backend as an administrator does."""
    with database.connect("tests", autocommit=True) as conn, conn.cursor() as cursor:
        cursor.execute(psycopg.sql.SQL("select {}(%s)").format(psycopg.sql.Identifier(how)), [pid])


def advised(child: Child, told: str = "", do: str = "build again") -> None:
    """Check that a build failed, and says why and what to do."""
    assert child.code == 2, child.text
    assert re.search(told, child.text), child.text
    assert "what to do: " in child.text, child.text
    assert do in child.text, child.text
