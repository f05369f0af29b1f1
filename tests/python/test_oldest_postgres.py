"""The oldest PostgreSQL that the README names, 16, which the wheel ships too: the whole path."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dbt_runs import dbt
from warehouse import config, database, migrate, schema, server, server_files, server_settings
from warehouse.landing.samples import land_samples

NEWER = ("--locale-provider", "--builtin-locale", "summarize_wal")
"""Options of initdb and settings that 16 does not have yet."""


@pytest.fixture(scope="module")
def old_home(spare_folder: Path) -> Iterator[config.Home]:
    run, render, newest = server_files.run, server_settings.render, server_files.wheel_bin()

    def old_run(
        home: config.Home, program: str, *arguments: str, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        kept = [each for each in arguments if not each.startswith(NEWER)]
        return run(home, program, *kept, *["--no-locale"][: program == "initdb"], **options)

    def old_render(*facts: Any) -> str:
        lines = render(*facts).splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(NEWER))

    with pytest.MonkeyPatch.context() as patch:
        folder = newest.parents[1] / "pginstall" / "bin"
        patch.setattr(server_files, "wheel_bin", lambda: folder)
        patch.setattr(server_files, "run", old_run)
        patch.setattr(server_settings, "render", old_render)
        home = config.Home(spare_folder / "old")
        patch.setenv("WAREHOUSE_HOME", str(home.path))
        state = server.up(home)
        assert state.version.startswith("16."), state.version
        try:
            yield home
        finally:
            server.down(home)


@pytest.mark.usefixtures("old_home")
def test_the_whole_path() -> None:
    migrate.migrate()
    assert schema.differences() == []
    landed = land_samples()
    assert sum(batch.quarantined for batch in landed) == 0
    dbt("build")
    with database.connect() as session:
        row = session.execute("select count(*) from marts.feature_engineered_data").fetchone()
    assert row == (sum(batch.accepted for batch in landed if batch.dataset == "bars"),)
