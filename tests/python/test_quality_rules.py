"""The catalogue: what it refuses, and that the landing table refuses the same rows."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import psycopg
import pytest

from warehouse import database as db
from warehouse.errors import WarehouseError
from warehouse.quality import docs, rules

RULE = """
- id: {id}
  tier: {tier}
  severity: {severity}
  scope: row
  predicate: {predicate}
  reason: A sentence for people.
  why: A sentence for people.
  example: An example of it.
  remedy: What is to be done.
"""


def _catalogue(folder: Path, **changes: str) -> Path:
    keys = {"id": "some_rule", "tier": "logical", "severity": "error", "predicate": "open > 1"}
    path = folder / "rules.yml"
    path.write_text(RULE.format(**keys | changes), encoding="utf-8")
    return path


def test_the_shipped_catalogue_is_read_by_the_server(database: str) -> None:
    with db.connect(autocommit=True) as conn:
        rules.verify(conn, rules.load_rules())
    assert [rule.id for rule in rules.row_rules()] == [
        "null_ohlc",
        "non_finite",
        "out_of_range",
        "off_grid_time",
        "future_time",
        "non_positive_price",
        "high_lt_low",
        "high_lt_max_open_close",
        "low_gt_min_open_close",
        "negative_volume",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tier": "cosmic"}, "rule some_rule, tier: Input should be 'structural', 'logical'"),
        ({"severity": "fatal"}, "rule some_rule, severity"),
        ({"id": "No Name"}, "rule No Name, id"),
        ({"predicate": "''"}, "needs a predicate"),
        ({"predicate": "open % 2 = 0"}, "may not contain"),
        ({"tier": "analytical"}, "analytical rules only warn"),
        ({"predicate": "open > 1\n  colour: red"}, "rule some_rule, colour"),
        ({"predicate": "open > 1\n  shows: [sunshine]"}, "no column of the context: sunshine"),
        ({"predicate": "open > 1\n  count: missed_bars"}, "belong together"),
    ],
)
def test_a_broken_catalogue_names_the_rule(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(WarehouseError) as error:
        rules.read_rules(_catalogue(tmp_path, **changes))
    assert message in error.value.what
    assert error.value.where.endswith("rules.yml")


@pytest.mark.parametrize("text", ["", "rule: 1", "- [1", "- 5"])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WarehouseError, match="catalogue of quality rules is broken"):
        rules.read_rules(path)


def test_a_rule_twice_is_refused(tmp_path: Path) -> None:
    path = _catalogue(tmp_path)
    path.write_text(path.read_text() * 2, encoding="utf-8")
    with pytest.raises(WarehouseError, match="some_rule is there twice"):
        rules.read_rules(path)


@pytest.mark.parametrize("predicate", ["open >", "opne > 1", "is_session_day", "open > 'x'"])
def test_bad_sql_names_the_rule(tmp_path: Path, database: str, predicate: str) -> None:
    catalogue = rules.read_rules(_catalogue(tmp_path, predicate=f'"{predicate}"'))
    with (
        db.connect(autocommit=True) as conn,
        pytest.raises(WarehouseError, match="rule some_rule, predicate"),
    ):
        rules.verify(conn, catalogue)


PRICES = [
    "100",
    "100.00000001",
    "100.0000002",
    "99.99999995",
    "101",
    "0",
    "-3",
    "0.0000000001",
    "99999999999999",
    "100000000000000",
    "NaN",
    "Infinity",
    "-Infinity",
    None,
]
VOLUMES = ["0", "10", "-1", "NaN", "Infinity", "1e14", None]

VERDICT = f"""
    select {rules.any_broken_sql()}, {rules.broken_rules_sql()}
    from (
        select
            'X' as symbol, '1d' as timeframe, 86400 as seconds,
            timestamptz '2024-01-02 00:00+00' as bar_ts, date '2024-01-02' as session_date,
            timestamp '2024-01-02 00:00' as local_ts,
            %s::numeric as open, %s::numeric as high, %s::numeric as low, %s::numeric as close,
            %s::numeric as volume, false as allow_negative_price,
            timestamptz '2024-06-01 00:00+00' as known_at, null::timestamptz as session_open_at
    ) as context
"""
INSERT = """
    insert into raw_market.bars (
        instrument_id, timeframe, bar_ts, source, revision, symbol, session_date,
        open, high, low, close, volume, adjusted, batch_id
    )
    values (%s, '1d', '2024-01-02', 's', %s, 'X', '2024-01-02', %s, %s, %s, %s, %s, 'none', 1)
"""


def _rows() -> list[tuple[str | None, ...]]:
    """Return each odd value in each place, and many mixtures."""
    good = ["100", "101", "99", "100", "10"]
    rows = []
    for place, pool in enumerate([PRICES] * 4 + [VOLUMES]):
        for value in pool:
            row: list[str | None] = list(good)
            row[place] = value
            rows.append(tuple(row))
    near = PRICES[:8]
    rows += list(itertools.islice(itertools.product(near, near, near, near, ["1"]), 0, 4096, 7))
    pick = random.Random(20240102)  # noqa: S311 (reproducible, not secret)
    rows += [
        (*(pick.choice(PRICES) for _ in range(4)), pick.choice(VOLUMES))  # type: ignore[misc]
        for _ in range(400)
    ]
    return rows


def test_the_landing_table_gives_the_same_verdicts(database: str) -> None:
    with db.connect() as conn:
        made = conn.execute(
            "insert into ref.instruments (symbol, calendar, first_source)"
            " values ('X', 'XNYS', 's') returning instrument_id"
        ).fetchone()
        assert made
        verdicts: set[bool] = set()
        for revision, row in enumerate(_rows()):
            verdict = conn.execute(VERDICT, row).fetchone()
            assert verdict
            broken, named = verdict
            assert broken == bool(named), row
            try:
                with conn.transaction():
                    conn.execute(INSERT, (made[0], revision, *row))
                refused = False
            except psycopg.Error:
                refused = True
            assert refused == broken, (row, named)
            verdicts.add(broken)
        assert verdicts == {True, False}


EVERY_COMBINATION = f"""
    with context as (
        select
            'X' as symbol, '1d' as timeframe, 86400 as seconds,
            timestamptz '2024-01-02 00:00+00' as bar_ts, date '2024-01-02' as session_date,
            timestamp '2024-01-02 00:00' as local_ts, false as allow_negative_price,
            timestamptz '2024-06-01 00:00+00' as known_at, null::timestamptz as session_open_at,
            open, high, low, close, volume
        from unnest(%(prices)s::numeric[]) as open
        cross join unnest(%(prices)s::numeric[]) as high
        cross join unnest(%(prices)s::numeric[]) as low
        cross join unnest(%(prices)s::numeric[]) as close
        cross join unnest(%(volumes)s::numeric[]) as volume
    )

    select count(*) filter (where {rules.PLAIN}), count(*) filter (where is_broken),
        count(*) filter (where is_broken <> (named <> '{{}}'))
    from (
        select *, {rules.any_broken_sql()} as is_broken, {rules.broken_rules_sql()} as named
        from context
    ) as judged
"""


def test_no_plain_row_breaks_a_rule_that_is_skipped_for_it(database: str) -> None:
    prices = [price for price in PRICES if price not in ("101", "99.99999995", "-3")]
    with db.connect() as conn:
        found = conn.execute(EVERY_COMBINATION, {"prices": prices, "volumes": VOLUMES}).fetchone()
    assert found
    plain, broken, differently = found
    assert plain > 100
    assert broken > plain
    assert differently == 0


def test_the_page_of_rules_is_up_to_date() -> None:
    assert docs.main(["--check"]) == 0


def test_an_outdated_page_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "data_quality.md"
    assert docs.main(["--check"], page) == 1
    assert "run `python -m warehouse.quality.docs`" in capsys.readouterr().err
    assert docs.main([], page) == 0
    assert docs.main(["--check"], page) == 0
