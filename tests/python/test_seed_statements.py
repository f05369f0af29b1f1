"""Every statement that the four designs quote, as it stands: in docs/seeds, one file a design.

A statement runs, or waits for a mart that is not built yet, or a resolved conflict between the
designs overrules it (K-… in the docs) and the test shows what holds instead. The fourth design
quotes none. Places that a design left open ('...') are filled in with an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from warehouse import config, roles
from warehouse import database as db

FOLDER = config.PROJECT / "docs" / "seeds"
DESIGNS = ("multi_strategy", "ml_trading", "prop_trading")
SEARCH_PATH = {
    "multi_strategy": "marts, raw_market, raw_signals, raw_trading, raw_risk, raw_ml, raw_alt,"
    " raw_logs, raw_backtest, audit",
    "ml_trading": "marts, raw_market, raw_trading, raw_ml, raw_logs",
    "prop_trading": "raw_prop, marts",
}
"""As documented in docs/seeds.md."""

WAITING = {
    "SELECT * FROM calculate_portfolio_metrics()": "marts.portfolio_daily",
    "SELECT * FROM calculate_var(": "marts.portfolio_daily",
    "SELECT * FROM detect_market_data_anomalies(": "marts.market_anomalies",
    "SELECT daily_maintenance()": "the physical design",
    "SELECT weekly_maintenance()": "the physical design",
    "SELECT * FROM system_health": "marts.system_health",
    "SELECT * FROM trading_metrics": "marts.trading_metrics",
    "SELECT * FROM challenge_performance_analytics": "marts.challenge_performance_analytics",
}
"""Statements by their first words, and what they wait for."""

ELSEWHERE = {
    "SELECT * FROM calculate_signal_performance(": "test_signal_performance",
    "SELECT symbol, timestamp, close, rsi_1d": "test_published_queries",
    "CREATE MATERIALIZED VIEW mv_features_dashboard_summary": "test_published_queries",
    "SELECT schemaname, tablename, indexname": "test_published_queries",
}
"""Statements over built marts, which those files have."""


OVERRULED = {
    ("market_data", "id"): "K-11",
    ("stock_info", "id"): "K-11",
    ("stock_info", "created_at"): "known_at of the first revision",
    ("stock_info", "updated_at"): "known_at of the last revision",
    ("orders", "id"): "K-11",
    ("fills", "id"): "K-11",
    ("models", "id"): "K-11",
    ("predictions", "id"): "K-11",
}
"""Columns that are not there, and why: natural keys, no surrogates (K-11)."""

FAMILIES = {
    "integer": {"integer", "bigint", "numeric"},
    "bigint": {"bigint", "numeric"},
    "numeric": {"numeric", "double precision"},
    "character varying": {"text", "enum"},
    "timestamp without time zone": {"timestamp with time zone"},
}
"""Ours by theirs: wider numbers (K-12, K-13), text, enums (K-14), times with a zone (K-15)."""


def one_line(text: str) -> str:
    """Return SQL without comments and line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", text)).strip()


@dataclass(frozen=True)
class Statement:
    """One statement of a design."""

    design: str
    text: str

    @property
    def words(self) -> str:
        """The statement on one line, without comments."""
        return one_line(self.text)

    def starts_with(self, beginnings: dict[str, str]) -> bool:
        return any(self.words.startswith(beginning) for beginning in beginnings)


def statements(design: str) -> list[Statement]:
    """Return the statements of a design's file."""
    text = (FOLDER / f"{design}.sql").read_text(encoding="utf-8")
    found = [Statement(design, part.strip()) for part in text.split(";")]
    return [each for each in found if each.words]


def only(design: str, beginning: str) -> Statement:
    """Return the one statement that starts with these words."""
    (found,) = [each for each in statements(design) if each.words.startswith(beginning)]
    return found


ALL = [each for design in DESIGNS for each in statements(design)]
DEFINITIONS = [each for each in ALL if each.words.startswith("CREATE TABLE ")]


@pytest.fixture
def session(database: str) -> Iterator[psycopg.Connection]:
    with db.connect("seeds", autocommit=True) as conn:
        yield conn


@pytest.fixture
def reader(session: psycopg.Connection, tmp_path: Path) -> Iterator[str]:
    """A reader of the firm itself, as `warehouse roles add … --role reader` makes one."""
    roles.add("seed_reader", role="reader", tenant="house", to=tmp_path / "reader.env")
    yield "seed_reader"
    session.execute("reset role")
    session.execute("drop role seed_reader")


def act_as(session: psycopg.Connection, design: str, role: str) -> None:
    """Take the documented role and search_path."""
    session.execute(f"set search_path = {SEARCH_PATH[design]}")
    session.execute(f"set role {role}")


def test_nothing_is_forgotten() -> None:
    """Each statement is run by a test of this file, or is on one of its lists."""
    run_here = (
        *("CREATE TABLE", "CREATE TRIGGER", "CREATE VIEW recent_system_activity"),
        *("SELECT pg_size_pretty", "SELECT schemaname, tablename, pg_size_pretty"),
        *("SELECT COUNT(*), level", "INSERT INTO", "UPDATE challenges"),
        "SELECT COUNT(*) as total_trades",
    )
    for each in ALL:
        assert (
            each.words.startswith(run_here)
            or each.starts_with(WAITING)
            or each.starts_with(ELSEWHERE)
        ), each.words
    assert len(ALL) == 37


@pytest.mark.parametrize("design", DESIGNS)
def test_the_files_say_what_the_designs_say(design: str) -> None:
    folder = config.PROJECT.parent / "shared" / "seeds"
    if not folder.is_dir():
        pytest.skip("compares with the design documents, which lie beside some checkouts only")
    quoted = [
        one_line(block)
        for path in folder.glob("*.txt")
        for block in re.findall(r"```sql\n(.*?)```", path.read_text(encoding="utf-8"), re.S)
    ]
    for each in statements(design):
        assert any(each.words in block for block in quoted), each.words


@pytest.mark.parametrize("waiting", WAITING)
def test_what_waits_is_not_there_yet(session: psycopg.Connection, waiting: str) -> None:
    """When a mart has come, its statement must leave the list and be run."""
    (each,) = [each for each in ALL if each.words.startswith(waiting)]
    session.execute(f"set search_path = {SEARCH_PATH[each.design]}")
    with pytest.raises((psycopg.errors.UndefinedFunction, psycopg.errors.UndefinedTable)):
        session.execute(each.text.encode())


class TestDefinitions:
    """CREATE TABLE as the design has it, in a schema of its own, against ours of that name."""

    COLUMNS = """
        select
            a.attname,
            case when b.typtype = 'e' then 'enum' else format_type(b.oid, null) end,
            a.attnotnull
        from pg_attribute as a
        inner join pg_type as t on a.atttypid = t.oid
        inner join pg_type as b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
        where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    """

    @pytest.mark.parametrize("each", DEFINITIONS, ids=lambda each: each.words.split()[2])
    def test_columns(self, session: psycopg.Connection, each: Statement) -> None:
        name = each.words.split()[2]
        if name == "feature_engineered_data":
            pytest.skip("a mart: its contract names the columns, test_published_queries reads them")
        session.execute(f"set search_path = {SEARCH_PATH[each.design]}")
        ours = {
            column: kind for column, kind, _ in session.execute(self.COLUMNS, [name]).fetchall()
        }
        session.execute("create schema seed")
        session.execute("set search_path = seed")
        if name in ("fills", "predictions"):
            parent = {"fills": "orders", "predictions": "models"}[name]
            session.execute(only(each.design, f"CREATE TABLE {parent}").text.encode())
        session.execute(each.text.encode())
        for column, kind, _ in session.execute(self.COLUMNS, [f"seed.{name}"]).fetchall():
            if (name, column) in OVERRULED:
                assert column not in ours
                continue
            assert ours[column] in FAMILIES.get(kind, {kind}), (column, kind, ours[column])


class TestMultiStrategy:
    """Design A: trades is a view of the fills (K-02); the triggers it names guard those."""

    TRIGGERS = """
        select t.tgname, p.proname, t.tgtype & 2 > 0 as is_before
        from pg_trigger as t
        inner join pg_proc as p on t.tgfoid = p.oid
        where t.tgrelid = 'raw_trading.fills'::regclass and t.tgname like 'trigger_%'
        order by 1
    """

    @pytest.mark.parametrize(
        "name",
        [
            "trigger_validate_trade_data",
            "trigger_update_position_from_trade",
            "trigger_audit_trades",
        ],
    )
    def test_triggers_are_on_the_fills(self, session: psycopg.Connection, name: str) -> None:
        session.execute(f"set search_path = {SEARCH_PATH['multi_strategy']}")
        with pytest.raises(psycopg.errors.WrongObjectType, match="view"):
            session.execute(only("multi_strategy", f"CREATE TRIGGER {name}").text.encode())
        ours = {row[0]: row[1:] for row in session.execute(self.TRIGGERS)}
        function, is_before = ours[name]
        assert f"{function}()" in only("multi_strategy", f"CREATE TRIGGER {name}").words
        assert is_before == (name == "trigger_validate_trade_data")


class TestMlTrading:
    """Design C."""

    def test_size_of_the_database(self, session: psycopg.Connection) -> None:
        """The design's database is called mltrading; the warehouse takes any name."""
        session.execute("create database mltrading")
        try:
            row = session.execute(
                only("ml_trading", "SELECT pg_size_pretty").text.encode()
            ).fetchone()
            assert row
            assert re.fullmatch(r"\d+ (kB|MB)", row[0])
        finally:
            session.execute("drop database mltrading")

    def test_sizes_of_tables(self, session: psycopg.Connection, reader: str) -> None:
        """Nothing of ours is in public, but what the migrations know of themselves."""
        act_as(session, "ml_trading", reader)
        sizes = only("ml_trading", "SELECT schemaname, tablename, pg_size_pretty")
        rows = session.execute(sizes.text.encode()).fetchall()
        assert [row[1] for row in rows] == ["alembic_version"]
        ours = session.execute(sizes.text.replace("'public'", "'raw_market'").encode()).fetchall()
        assert "bars" in [row[1] for row in ours]

    def test_levels_of_the_last_day(self, session: psycopg.Connection, reader: str) -> None:
        act_as(session, "ml_trading", "trading_app")
        for level, age in (("INFO", 1), ("INFO", 23), ("ERROR", 2), ("ERROR", 25)):
            session.execute(
                "insert into system_logs (timestamp, level, logger_name, message)"
                " values (now() - %s * interval '1 hour', %s, 'orders', 'said')",
                [age, level],
            )
        act_as(session, "ml_trading", reader)
        rows = session.execute(only("ml_trading", "SELECT COUNT(*), level").text.encode())
        assert sorted(rows.fetchall()) == [(1, "ERROR"), (2, "INFO")]

    def test_recent_activity(self, session: psycopg.Connection, reader: str) -> None:
        """The design gives the view's comment only; its diagram has five feeders (K-20)."""
        act_as(session, "ml_trading", "trading_app")
        session.execute(
            """
            insert into system_logs (timestamp, level, logger_name, message)
            values (now() - interval '5 minutes', 'INFO', 'a', 'm');
            insert into trading_events (timestamp, event_type)
            values (now() - interval '4 minutes', 'order_placed');
            insert into performance_logs (timestamp, operation_name, duration_ms, status)
            values (now() - interval '3 minutes', 'query', 1.5, 'ok');
            insert into error_logs (timestamp, error_type, error_message)
            values (now() - interval '2 minutes', 'ValidationError', 'm');
            insert into user_action_logs (timestamp, action_type)
            values (now() - interval '1 minute', 'page_view');
            insert into error_logs (timestamp, error_type, error_message)
            values (now() - interval '25 hours', 'ValidationError', 'old');
            """
        )
        act_as(session, "ml_trading", reader)
        rows = session.execute("select * from recent_system_activity").fetchall()
        assert len(rows) == 5
        names = [each.name for each in session.execute(
            "select * from recent_system_activity").description or []]  # fmt: skip
        times = [row[names.index("timestamp")] for row in rows]
        assert times == sorted(times, reverse=True)


class TestPropTrading:
    """Design D, in the order in which it tells the story."""

    def test_a_user_trades(self, session: psycopg.Connection) -> None:
        act_as(session, "prop_trading", "trading_app")

        def run(beginning: str, *filled: object) -> psycopg.Cursor:
            text = only("prop_trading", beginning).text
            for value in filled:
                text = text.replace("'...'", f"'{value}'", 1)
            return session.execute(text.encode())

        (user,) = run("INSERT INTO users").fetchone() or ()
        (challenge,) = run("INSERT INTO challenges", user).fetchone() or ()
        assert run("INSERT INTO trades", challenge).rowcount == 1
        update = "UPDATE challenges"
        assert run(update, challenge).rowcount == 1
        # Optimistic locking: the version it read is gone, so nothing is updated.
        assert run(update, challenge).rowcount == 0
        assert run("INSERT INTO challenge_events", challenge).rowcount == 1
        with pytest.raises(psycopg.Error):
            run("INSERT INTO trades", challenge)

        row = session.execute(
            "select current_equity, max_equity_ever, total_trades, total_pnl, version, status"
            " from challenges where id = %s",
            [challenge],
        ).fetchone()
        assert row == (100_200, 100_200, 1, 200, 2, "PENDING")
        assert run("SELECT COUNT(*) as total_trades", challenge).fetchone() == (1, 1, 100)
