"""Every published query (docs/queries), by many clients at once, against its budget."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.data import SEED
from benchmarks.query_rows import copy_world, fill
from benchmarks.results import Section
from benchmarks.workspace import Workspace, connect, dbt_build, say
from warehouse import demo, queries, roles
from warehouse.landing.bars import land_bars
from warehouse.landing.profile import load_profile
from warehouse.landing.reference import land_table
from warehouse.landing.samples import SPLITS, sample_file
from warehouse.queries import Query
from warehouse.simulation.run import simulate

CLIENTS = 20
MARKET_COPIES, FIRM_COPIES, FILLED = 100, 1000, 50_000
"""At scale 1: of the four instruments, of the simulated firm; rows of the rest."""
LOGIN = "benchmark_reader"
BIG = 10_000
UNUSED = """
    select s.indexrelname, pg_size_pretty(pg_relation_size(s.indexrelid))
    from pg_stat_user_indexes as s
    inner join pg_index as i on s.indexrelid = i.indexrelid
    inner join pg_class as c on s.relid = c.oid
    where
        s.schemaname ~ '^(raw_.*|marts)$' and s.idx_scan = 0 and not i.indisunique
        and c.reltuples > %s and obj_description(s.indexrelid, 'pg_class') is null
    order by 1
"""


def run(space: Workspace, scale: float, *, repeats: int) -> list[Section]:
    """Measure in a database of its own."""
    section = Section("Published queries")
    with space.fresh("bench_queries"):
        _prepare(section, scale)
        roles.add(LOGIN, role="reader", tenant="house", to=space.folder / "reader.env")
        with connect() as session:
            session.execute("select pg_stat_reset()")
        with ExitStack() as stack:
            clients = [stack.enter_context(connect()) for _ in range(CLIENTS)]
            pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
            asking = Asking(clients, pool, repeats)
            whole = {
                name for query in queries.catalogue() for name in asking.measure(section, query)
            }
        with connect() as session:
            unused = session.execute(UNUSED, [BIG]).fetchall()
            session.execute(f"drop role {LOGIN}".encode())
    section.notes += [
        f"{CLIENTS} clients at once, as the role that asks, with values drawn from the data;"
        " planning and execution on the server. The ratio is p95 in milliseconds.",
        "Read as a whole though big: " + (", ".join(sorted(whole)) or "nothing") + ".",
        "Indexes of big tables that nobody used: "
        + (", ".join(f"{name} ({size})" for name, size in unused) or "none") + ".",
    ]  # fmt: skip
    return [section]


def _prepare(section: Section, scale: float) -> None:
    """Simulate and build a small firm, then copy it."""
    say("queries: landing, simulating and building")
    land_table("corporate_actions", [SPLITS], source="samples")
    path = sample_file("bokeh_sampledata", "_data/stocks.csv.gz")
    land_bars([path], profile=load_profile("bokeh"))
    simulate(**demo.WORLD)
    with connect() as session:
        fill(session, max(100, round(FILLED * scale)))
    dbt_build(full_refresh=True)
    with connect() as session:
        for kind, copies in (("market", MARKET_COPIES), ("firm", FIRM_COPIES)):
            say(f"queries: copying the {kind} {max(1, round(copies * scale))} times")
            copy_world(session, kind, max(1, round(copies * scale)))
        say("queries: vacuum")
        session.execute("vacuum (analyze)")
        rows = session.execute(
            "select sum(reltuples)::bigint, pg_size_pretty(pg_database_size(current_database()))"
            " from pg_class where relkind = 'r' and relnamespace::regnamespace::text ~ 'raw_|marts'"
        ).fetchone()
    section.notes.append("{:,} rows in landing zone and marts, {}.".format(*(rows or (0, ""))))


@dataclass
class Asking:
    """Clients with a session each, who ask at the same time."""

    clients: list[Any]
    pool: ThreadPoolExecutor
    repeats: int

    def measure(self, section: Section, query: Query) -> list[str]:
        """Add a figure; return the big tables of which the plan reads everything."""
        say(f"queries: {query.name}")
        self.clients[0].execute("reset role")
        sets = query.samples(self.clients[0], most=200)
        if not sets:
            return []
        role = LOGIN if query.role == "reader" else roles.GROUPS[query.role]

        def client(number: int) -> list[float]:
            # The first answer warms up.
            chosen = random.Random(SEED + number)  # noqa: S311 (no secret)
            session = self.clients[number]
            session.execute(f"set role {role}")
            return [
                queries.milliseconds(queries.plan(session, query, chosen.choice(sets)))
                for _ in range(self.repeats + 1)
            ][1:]

        found = list(self.pool.map(client, range(CLIENTS)))
        p50, p95 = queries.percentiles([ms for own in found for ms in own])
        section.add(
            f"{query.name} ({query.kind})", f"p50 {p50:.2f} ms, p95 {p95:.2f} ms",
            ratio=p95, most=query.budget_ms, unit=" ms",
        )  # fmt: skip
        told = queries.plan(self.clients[0], query, sets[0])
        whole = queries.read_whole(self.clients[0], told)
        return [f"{name} ({query.name})" for name in whole if _rows(self.clients[0], name) > BIG]


def _rows(session: Any, name: str) -> int:  # noqa: ANN401
    """Return how many rows a table (or the table of `table by index`) has, by its statistics."""
    found = session.execute(
        "select reltuples from pg_class where oid = to_regclass(%s)", [name.split(" by ")[0]]
    ).fetchone()
    return int(found[0]) if found else 0
