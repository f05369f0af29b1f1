"""Tenants: none sees another's row, whatever way it asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from dbt_runs import copied_project, dbt
from landing_files import land, write
from logins import login
from warehouse import database as db

FILL = (
    "insert into raw_trading.fills (fill_id, tenant_id, account_id, symbol, side, quantity, price,"
    ' "timestamp") values (%s, %s, %s, %s, %s, 1, 1, now())'
)


class Sessions:
    """A session of the owner, and one of each kind of tenant's login."""

    def __init__(self, stack: ExitStack, owner: psycopg.Connection) -> None:
        """Open them all."""
        self.owner = owner
        self.urls = {
            "alpha": stack.enter_context(login("reader", "alpha")).url(),
            "beta": stack.enter_context(login("reader", "beta")).url(),
            "alpha's application": stack.enter_context(login("loader", "alpha")).url(),
            "nobody": stack.enter_context(login("reader")).url(),
            "loader": stack.enter_context(login("loader")).url(),
            "auditor": stack.enter_context(login("auditor")).url(),
            "transformer": stack.enter_context(login("transformer")).url(),
        }
        self.of = {
            who: stack.enter_context(psycopg.connect(url, autocommit=True))
            for who, url in self.urls.items()
        }

    def __getitem__(self, who: str) -> psycopg.Connection:
        """Return one's session."""
        return self.of[who]

    def sees(self, query: str) -> dict[str, int]:
        """Count what each sees."""
        return {who: session.execute(query).rowcount for who, session in self.of.items()}


EVERYBODY = {
    "alpha": 2, "beta": 3, "alpha's application": 2, "nobody": 0, "loader": 6, "auditor": 6,
    "transformer": 6,
}  # fmt: skip


@pytest.fixture
def sessions(database: str) -> Iterator[Sessions]:
    """Two fills of alpha, three of beta and one of the house."""
    with db.connect("tests", autocommit=True) as owner, ExitStack() as stack:
        accounts = {"alpha": 2, "beta": 3, "house": 1}
        for tenant, fills in accounts.items():
            owner.execute(
                "insert into raw_trading.accounts (account_id, tenant_id, currency)"
                " values (%s, %s, 'USD')",
                [f"{tenant}-1", tenant],
            )
            for n in range(fills):
                row = [f"{tenant}-{n}", tenant, f"{tenant}-1", "AAPL", "buy"]
                owner.execute(FILL, row)
        yield Sessions(stack, owner)


def test_a_tenant_sees_its_rows_through_tables_and_views(sessions: Sessions) -> None:
    assert sessions.sees("select * from raw_trading.fills") == EVERYBODY
    assert sessions.sees("select * from raw_trading.trades") == EVERYBODY
    one = {who: min(seen, 1) for who, seen in EVERYBODY.items()}
    all_ = {**one, "loader": 3, "auditor": 3, "transformer": 3}
    assert sessions.sees("select * from raw_trading.accounts") == all_
    changes = "select from ops.change_log where entity is not null"
    assert sessions["alpha's application"].execute(changes).rowcount == 0
    assert sessions["loader"].execute(changes).rowcount > 0


def test_no_role_and_no_setting_widens_the_view(sessions: Sessions) -> None:
    session = sessions["alpha's application"]
    session.execute("set role trading_app")
    seen = session.execute("select distinct tenant_id from raw_trading.fills").fetchall()
    assert seen == [("alpha",)]
    session.execute("reset role; set row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        session.execute("select * from raw_trading.fills")
    for statement in (
        "set role tenant_beta",
        "set session authorization warehouse",
        "alter table raw_trading.fills disable row level security",
        "drop policy tenant_rows on raw_trading.fills",
        "insert into ops.tenants values ('beta', 'tenant_alpha')",
        "select * from ops.tenants",
        "grant tenant_beta to tenant_alpha",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)


def test_a_pool_that_takes_the_role_of_a_tenant_sees_that_tenant(sessions: Sessions) -> None:
    name = sessions["loader"].info.user
    sessions.owner.execute(f"grant tenant_alpha to {name} with inherit false, set true")
    sessions.owner.execute("grant usage on schema raw_trading, ops to tenant_alpha")
    sessions.owner.execute("grant select on raw_trading.fills to tenant_alpha")
    session = sessions["loader"]
    assert session.execute("select from raw_trading.fills").rowcount == 6
    session.execute("set role tenant_alpha")
    assert session.execute("select from raw_trading.fills").rowcount == 2


def test_a_leaky_function_is_asked_after_the_policy(sessions: Sessions) -> None:
    session = sessions["alpha"]
    session.execute(
        "create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0001 as"
        " $$ begin raise notice 'saw %', $1; return true; end $$"
    )
    said: list[str] = []
    session.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    for relation in ("raw_trading.fills", "raw_trading.trades"):
        session.execute(f"select * from {relation} where pg_temp.leak(account_id)")
    assert said
    assert all("alpha" in line for line in said)
    # An error that quotes a value cannot quote another's either.
    session.execute("select 1 / (price - price + 1) from raw_trading.fills")
    rows = session.execute("select from raw_trading.fills where account_id::text like 'beta%'")
    assert rows.rowcount == 0


def test_copy_and_explain_show_no_other_row(sessions: Sessions) -> None:
    session = sessions["alpha"]
    with session.cursor().copy("copy raw_trading.fills to stdout") as copy:
        text = b"".join(copy).decode()
    assert (text.count("\n"), "beta" in text, "house" in text) == (2, False, False)
    plan = "\n".join(
        line
        for (line,) in session.execute(
            "explain (verbose) select * from raw_trading.fills where account_id = 'beta-1'"
        )
    )
    assert "InitPlan" in plan
    sessions.owner.execute("analyze raw_trading.fills")
    kept = session.execute("select from pg_stats where tablename = 'fills'").rowcount
    assert kept == 0
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        sessions["alpha's application"].execute("copy raw_trading.fills from stdin")


def test_the_tenants_are_looked_up_once_for_a_query(sessions: Sessions) -> None:
    plan = sessions["alpha"].execute("explain (analyze, costs off) select * from raw_trading.fills")
    looked_up = [line for (line,) in plan if "InitPlan" in line or "loops=" in line]
    assert all("loops=1" in line or "InitPlan" in line for line in looked_up)


def test_a_tenant_writes_its_own_rows_only(sessions: Sessions) -> None:
    session = sessions["alpha's application"]
    session.execute(FILL, ["alpha-9", "alpha", "alpha-1", "AAPL", "sell"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        session.execute(FILL, ["alpha-10", "beta", "beta-1", "AAPL", "sell"])
    done = session.execute("update raw_trading.accounts set name = 'mine'")
    assert done.rowcount == 1
    # What a key says is the limit: that it exists, never whose it is or what it holds.
    with pytest.raises(psycopg.errors.UniqueViolation) as told:
        session.execute(FILL, ["beta-1", "alpha", "alpha-1", "AAPL", "sell"])
    assert "beta-1" not in str(told.value).replace("(fill_id)=(beta-1)", "")
    # A row of one's own cannot hang on another's account.
    with pytest.raises(psycopg.errors.IntegrityError):
        session.execute(FILL, ["alpha-11", "alpha", "beta-1", "AAPL", "sell"])


def test_every_table_with_a_tenant_is_protected_and_no_view_runs_as_its_owner(
    sessions: Sessions,
) -> None:
    open_ = sessions.owner.execute(
        "select a.attrelid::regclass::text from pg_attribute as a"
        " inner join pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'p')"
        " inner join pg_namespace as n on n.oid = c.relnamespace and n.nspname ~ '^raw_'"
        " where a.attname = 'tenant_id' and not (c.relrowsecurity and c.relforcerowsecurity)"
    ).fetchall()
    assert open_ == [], "end the migration with `select ops.apply_roles();`"
    definer = sessions.owner.execute(
        "select c.oid::regclass::text from pg_class as c"
        " inner join pg_namespace as n on n.oid = c.relnamespace and n.nspname ~ '^raw_'"
        " where c.relkind = 'v'"
        " and not coalesce('security_invoker=true' = any(c.reloptions), false)"
    ).fetchall()
    assert definer == []


def test_a_mart_with_tenants_is_protected_from_its_first_publication_on(
    sessions: Sessions, tmp_path: Path
) -> None:
    days = [f"S{n},2023-03-0{day},10,12,9,11,5" for n in range(4) for day in (1, 2, 3)]
    land(write(tmp_path / "bars.csv", days))
    project = copied_project(tmp_path / "project")
    model = project / "models/marts/dashboards/market_overview.sql"
    text = model.read_text().replace(
        "select\n    window_days.instrument_id,",
        "select\n    (array['alpha', 'beta', 'beta', 'house'])[window_days.instrument_id]::text"
        " as tenant_id,\n    window_days.instrument_id,",
    )
    model.write_text(text)
    schema = project / "models/marts/dashboards/_dashboards__models.yml"
    marker = "  - name: market_overview\n"
    before, after = schema.read_text().split(marker)
    column = (
        "    columns:\n      - name: tenant_id\n        data_type: text\n        description: t\n"
    )
    schema.write_text(before + marker + after.replace("    columns:\n", column, 1))
    expected = {**EVERYBODY, "alpha": 1, "beta": 2, "alpha's application": 1}
    expected |= dict.fromkeys(("loader", "auditor", "transformer"), 4)

    as_of = ("--vars", "{dashboard_as_of: 2023-03-10}")
    dbt("build", *as_of, project=project)
    assert sessions.sees("select * from marts.market_overview") == expected
    dbt("build", "--full-refresh", *as_of, project=project)
    assert sessions.sees("select * from marts.market_overview") == expected
    # A view that runs as its owner, the transformer, is held to the policy of who asks.
    with sessions.owner.transaction():
        sessions.owner.execute("set local role trading_transformer")
        sessions.owner.execute("create view marts.overview as select * from marts.market_overview")
    assert sessions.sees("select * from marts.overview") == expected
