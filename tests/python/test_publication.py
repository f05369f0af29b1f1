"""What readers of schema marts see: complete builds, one after the other, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import TEMPLATE
from databases import cloned_database
from dbt_runs import copied_project, dbt
from schedules import Schedule
from warehouse import build_lock, config, explain
from warehouse import database as db
from warehouse.config import Home

AAPL, IBM = ("AAPL", "1d"), ("IBM", "1d")
PUBLISHED = "select count(*) from ops.publication"
ROWS = "select count(*) from marts.feature_engineered_data"


def ask(statement: str) -> Any:
    """Return the first value of a statement."""
    with db.connect("tests", autocommit=True) as session:
        row = session.execute(statement.encode()).fetchone()
    return row[0] if row else None


def do(statement: str) -> None:
    """Run a statement."""
    with db.connect("tests", autocommit=True) as session:
        session.execute(statement.encode())


@pytest.fixture(scope="module")
def base(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with two series, built and published once."""
    with cloned_database(home, "test_publication_base", TEMPLATE) as name:
        schedule = Schedule(tmp_path_factory.mktemp("base"))
        schedule.land(AAPL, list(range(260)))
        schedule.land(IBM, list(range(230)))
        dbt("build")
        yield name


@pytest.fixture
def built(home: Home, base: str, tmp_path: Path) -> Iterator[Schedule]:
    """A copy of it, always by the same name so that dbt parses the project once."""
    with cloned_database(home, "test_publication", base):
        yield Schedule(tmp_path)


class TestComplete:
    def test_a_failed_test_is_not_published(self, built: Schedule, tmp_path: Path) -> None:
        project = copied_project(tmp_path / "failing")
        (project / "tests" / "data").mkdir(parents=True, exist_ok=True)
        (project / "tests" / "data" / "never_passes.sql").write_text(
            "select * from {{ ref('feature_engineered_data') }}"
        )
        built.land(AAPL, [260, 261])
        rows, published = ask(ROWS), ask(PUBLISHED)
        with pytest.raises(AssertionError, match="never_passes"):
            dbt("build", project=project)
        assert (ask(ROWS), ask(PUBLISHED)) == (rows, published)
        assert ask("select count(*) from build.feature_engineered_data") == rows + 2
        dbt("build")
        assert (ask(ROWS), ask(PUBLISHED)) == (rows + 2, published + 1)

    def test_a_part_of_the_marts_is_not_published(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        rows = ask(ROWS)
        dbt("run", "--select", "+feature_engineered_data")
        assert ask(ROWS) == rows
        dbt("run")
        assert ask(ROWS) == rows + 1

    @pytest.mark.usefixtures("database")
    def test_the_first_build_may_be_a_part(self, tmp_path: Path) -> None:
        Schedule(tmp_path).land(AAPL, list(range(30)))
        dbt("build", "--select", "+feature_engineered_data")
        assert ask(ROWS) == 30
        assert ask("select to_regclass('marts.market_overview')") is None
        dbt("build")  # `dbt run` makes no functions, and the other marts have their own
        assert ask("select to_regclass('marts.market_overview')") is not None

    def test_every_publication_is_named(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        dbt("run")
        with db.connect("tests") as session:
            run, whole, series, seen = (
                session.execute(
                    "select p.run_id, p.is_whole, p.series_changed,"
                    " bool_and(c.seen::text = p.cut::text)"
                    " from ops.publication as p inner join ops.consumers as c using (run_id)"
                    " where p.publication_id = (select max(publication_id) from ops.publication)"
                    " group by 1, 2, 3"
                ).fetchone()
                or (None,) * 4
            )
            assert (whole, series, seen) == (False, 1, True)
            assert session.execute(
                "select count(*) > 0 from ops.model_runs where run_id = %s", [run]
            ).fetchone() == (True,)


class TestStaleInputs:
    def test_scratch_of_an_earlier_window_is_refused(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        dbt("run", "--select", "int_run_window")
        with pytest.raises(AssertionError, match="built for an earlier run window"):
            dbt("run", "--select", "feature_engineered_data")
        built.compare()

    def test_a_full_refresh_from_a_part_is_refused(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        dbt("run")
        rows = ask("select count(*) from build.feature_engineered_data")
        with pytest.raises(AssertionError, match="would keep only what the last run recomputed"):
            dbt("run", "--full-refresh", "--select", "feature_engineered_data")
        assert ask("select count(*) from build.feature_engineered_data") == rows
        dbt("run", "--full-refresh", "--select", "+feature_engineered_data")
        built.compare()

    def test_leaving_out_the_middle_is_refused(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        with pytest.raises(AssertionError, match="dbt build --select"):
            dbt("run", "--exclude", "feature_engineered_data")
        built.compare()


class TestOtherPeople:
    def test_views_and_grants_survive_a_full_refresh(self, built: Schedule) -> None:
        do("create schema theirs")
        do("create view theirs.closes as select symbol, close from marts.feature_engineered_data")
        do("grant select on marts.feature_engineered_data to pg_monitor")
        rows = ask("select count(*) from theirs.closes")
        built.land(AAPL, [260])
        dbt("build", "--full-refresh")
        assert ask("select count(*) from theirs.closes") == rows + 1
        assert ask(
            "select has_table_privilege('pg_monitor', 'marts.feature_engineered_data', 'select')"
        )

    @pytest.mark.usefixtures("built")
    def test_columns_come_and_go(self, tmp_path: Path) -> None:
        project = copied_project(tmp_path / "columns")
        model = project / "models/marts/dashboards/market_overview.sql"
        text = model.read_text()
        model.write_text(text.replace("    info.industry,\n", "    1::bigint as answer,\n"))
        properties = project / "models/marts/dashboards/_dashboards__models.yml"
        described = properties.read_text()
        properties.write_text(
            described.replace("      - name: industry\n        data_type: text\n",
                              "      - name: answer\n        data_type: bigint\n")
        )  # fmt: skip
        assert "answer" in properties.read_text()
        dbt("run", "--full-refresh", project=project)
        columns = (
            "select string_agg(attname, ' ') from pg_attribute where attnum > 0 and not"
            " attisdropped and attrelid = 'marts.market_overview'::regclass"
        )
        assert "answer" in ask(columns)
        assert "industry" not in ask(columns)


class TestEverything:
    """What makes a build start from the first bar."""

    def whole(self) -> Any:
        return ask("select bool_and(is_whole) from intermediate.int_run_window")

    @pytest.mark.usefixtures("built")
    def test_a_changed_macro(self, tmp_path: Path) -> None:
        project = copied_project(tmp_path / "macro")
        macro = project / "macros/indicators/not_negative.sql"
        macro.write_text(macro.read_text().replace("then 0 else", "then 0.0 else"))
        dbt("run", project=project)
        assert self.whole()
        assert ask("select is_whole from ops.publication order by publication_id desc limit 1")
        dbt("run", project=project)
        assert self.whole() is None

    @pytest.mark.usefixtures("built")
    def test_a_changed_dashboard(self, tmp_path: Path) -> None:
        project = copied_project(tmp_path / "dashboard")
        model = project / "models/marts/features/feature_coverage.sql"
        model.write_text(model.read_text() + "\n-- changed\n")
        dbt("run", project=project)
        assert self.whole()

    def test_nothing_else(self, built: Schedule) -> None:
        built.land(AAPL, [260])
        dbt("run")
        assert self.whole() is False


class TestCalendars:
    def test_a_corrected_session_is_taken_in(self, built: Schedule) -> None:
        day = built.bars[AAPL]["session_date"][200].date().isoformat()
        do(
            "update ref.exchange_sessions set close_at = close_at - interval '3 hours',"
            f" is_half_day = true where calendar = 'XNYS' and session_date = '{day}'"
        )
        told = explain.explain_dirty()
        assert {each.symbol for each in told.series} == {"AAPL", "IBM"}
        assert {reason for each in told.series for reason in each.reasons} == {
            "ref.exchange_sessions: rows changed"
        }
        built.compare()

    @pytest.mark.usefixtures("built")
    def test_the_version_alone_changes_nothing(self) -> None:
        do("update ref.exchange_sessions set calendar_version = 'other'")
        assert explain.explain_dirty().series == []

    @pytest.mark.usefixtures("built")
    def test_sessions_ahead_of_all_bars_change_nothing(self) -> None:
        do("delete from ref.exchange_sessions where session_date > '2020-01-01'")
        assert explain.explain_dirty().series == []


class TestExpiredHistory:
    @pytest.fixture
    def expired(self, built: Schedule) -> Schedule:
        """The first forty bars of one series are gone from the landing zone."""
        before = built.bars[AAPL]["clock"][40]
        assert ask(f"select ops.expire_bars('1d', '{before}')") == 40
        return built

    @pytest.mark.usefixtures("built")
    def test_the_future_is_refused(self) -> None:
        with pytest.raises(Exception, match="would be all of them"):
            do("select ops.expire_bars('1d', now() + interval '1 day')")

    def test_published_history_stays(self, expired: Schedule) -> None:
        rows = ask(ROWS)
        expired.land(AAPL, [260, 261])
        dbt("run")
        assert ask(ROWS) == rows + 2
        dbt("run")
        assert ask(ROWS) == rows + 2

    @pytest.mark.usefixtures("expired")
    def test_a_full_refresh_is_refused(self) -> None:
        rows = ask(ROWS)
        for arguments in (
            ["--full-refresh"],
            ["--full-refresh", "--vars", "{expired_history: keep}"],
        ):
            with pytest.raises(
                AssertionError, match=r"40 rows of 1 instruments .*expired_history: drop"
            ):
                dbt("run", *arguments)
        assert ask(ROWS) == rows
        dbt("run", "--full-refresh", "--vars", "{expired_history: drop}")
        assert ask(ROWS) == rows - 40

    @pytest.mark.usefixtures("expired")
    def test_changed_code_can_keep_it(self, tmp_path: Path) -> None:
        project = copied_project(tmp_path / "keep")
        model = project / "models/intermediate/features/int_features_returns.sql"
        model.write_text(model.read_text() + "\n-- changed\n")
        with pytest.raises(AssertionError, match="expired_history: keep"):
            dbt("run", project=project)
        frozen = "create table public.before as table marts.feature_engineered_data"
        do(frozen)
        dbt("run", "--vars", "{expired_history: keep}", project=project)
        after = "table marts.feature_engineered_data"
        assert ask(f"select count(*) from (table public.before except {after}) as d") == 0

    @pytest.mark.usefixtures("built")
    def test_an_unknown_answer(self) -> None:
        with pytest.raises(AssertionError, match="give refuse, keep or drop"):
            dbt("run", "--vars", "{expired_history: forget}")


class TestCrash:
    def test_what_a_crash_emptied_is_filled_from_what_is_published(self, built: Schedule) -> None:
        kinds = (
            "select string_agg(distinct relpersistence::text, '') from pg_class where relkind = 'r'"
        )
        assert ask(f"{kinds} and relnamespace = 'build'::regnamespace") == "u"
        assert ask(f"{kinds} and relnamespace = 'marts'::regnamespace") == "p"
        rows = ask(ROWS)
        # As after a recovery: an unlogged table without pages, whose watermark says it is built.
        do("truncate build.feature_engineered_data, build.feature_coverage")
        built.land(AAPL, [260])
        dbt("build")
        assert ask(ROWS) == rows + 1
        for mart in ("feature_engineered_data", "feature_coverage"):
            for one, other in (("build", "marts"), ("marts", "build")):
                differing = f"table {one}.{mart} except all table {other}.{mart}"
                assert ask(f"select count(*) from ({differing}) as d") == 0
        assert ask("select count(*) from build.feature_coverage") > 0


class TestOneBuild:
    @pytest.mark.usefixtures("built")
    def test_dbt_typed_by_hand_gives_way(self) -> None:
        with other_build():
            done = by_hand("run")
        assert done.returncode != 0
        assert "A build is running already: nightly of ann (pid" in done.stdout
        assert " since " in done.stdout

    @pytest.mark.usefixtures("built")
    def test_dbt_typed_by_hand_holds_the_lock(self) -> None:
        # What an earlier test closed holds the lock until its backend has noticed.
        while ask("select count(*) from ops.running_build"):
            pass
        with db.connect("blocker") as blocker:
            blocker.execute("lock table ops.built_from")
            running = start("run")
            while not ask("select count(*) from ops.running_build where program = 'dbt run'"):
                assert running.poll() is None, running.communicate()
            with pytest.raises(Exception, match=r"dbt run \(pid"), build_lock.one_build():
                pass
        assert running.wait(120) == 0
        with build_lock.one_build():
            pass

    @pytest.mark.usefixtures("built")
    def test_reading_commands_take_no_lock(self) -> None:
        with other_build():
            assert by_hand("list").returncode == 0


@contextmanager
def other_build() -> Iterator[None]:
    """Hold the lock as another process would: its variable does not reach the children of this."""
    with db.connect("nightly of ann", autocommit=True) as session:
        session.execute("select pg_advisory_lock(%s)", [build_lock.LOCK])
        yield


def command(word: str) -> list[str]:
    """Return a command line of dbt as people type it."""
    home = Home.current()
    folder = ["--target-path", str(home.path / "by_hand"), "--log-path", str(home.logs)]
    return [str(Path(sys.executable).with_name("dbt")), word, *folder]


def start(word: str) -> subprocess.Popen[str]:
    """Start dbt as people do."""
    return subprocess.Popen(
        command(word), cwd=config.PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def by_hand(word: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as people do."""
    return subprocess.run(
        command(word), cwd=config.PROJECT, capture_output=True, text=True, check=False, timeout=120
    )
