"""The rules for landed rows that are no bars find what they are about, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from warehouse import database as db
from warehouse.quality import table_rules
from warehouse.quality.gate import check

INSTRUMENT = """
insert into ref.instruments (symbol, calendar, first_source) values ('X', 'XNYS', 's')
returning instrument_id
"""
QUOTE = """
insert into raw_market.quotes (instrument_id, quote_ts, symbol, revision, bid, ask, is_withdrawn)
values (%s, %s, 'X', %s, %s, %s, %s)
"""
OPTION = """
insert into raw_market.option_quotes (
    instrument_id, quote_ts, symbol, expiry, strike, option_right, underlying_price, close, delta
)
values (%s, '2024-01-02Z', 'X', '2024-02-16', %s, %s, 100, %s, %s)
"""


@pytest.fixture
def conn(database: str) -> Iterator[psycopg.Connection]:
    with db.connect(autocommit=True) as session:
        yield session


def instrument(conn: psycopg.Connection) -> int:
    made = conn.execute(INSTRUMENT).fetchone()
    assert made
    return int(made[0])


def found(rule: str) -> int:
    return {each.rule: each.found for each in check(docs=False).results}[rule]


def test_nothing_landed_gives_no_result(database: str) -> None:
    assert check(docs=False).results == []


def test_crossed_quotes_are_those_of_the_newest_revision(conn: psycopg.Connection) -> None:
    number = instrument(conn)
    for quote in (
        ("2024-01-02 15:00Z", 0, 10, 11, False),
        ("2024-01-02 15:01Z", 0, 12, 11, False),
        ("2024-01-02 15:02Z", 0, 12, 11, False),
        ("2024-01-02 15:02Z", 1, 10, 11, False),  # put right
        ("2024-01-02 15:03Z", 0, 10, 11, False),
        ("2024-01-02 15:03Z", 1, 12, 11, False),  # made worse
        ("2024-01-02 15:04Z", 0, 12, 11, False),
        ("2024-01-02 15:04Z", 1, 12, 11, True),  # taken back
        ("2024-01-02 15:05Z", 0, 12, None, False),
        ("2024-01-02 15:06Z", 0, 11, 11, False),
    ):
        conn.execute(QUOTE, (number, *quote))
    result = check(docs=False)
    assert result.success
    (crossed,) = result.results
    assert (crossed.rule, crossed.evaluated, crossed.found) == ("crossed_quote", 6, 2)
    rows = conn.execute(
        "select symbol, timeframe, bar_ts::text, detail ->> 'table', detail ->> 'bid'"
        " from ops.dq_findings where run_id = %s order by bar_ts",
        [result.run_id],
    ).fetchall()
    assert [row[2:] for row in rows] == [
        ("2024-01-02 15:01:00+00", "raw_market.quotes", "12.0000000000"),
        ("2024-01-02 15:03:00+00", "raw_market.quotes", "12.0000000000"),
    ]
    assert rows[0][:2] == ("X", "tick")
    assert found("crossed_quote") == 2, "findings are those of the newest run only"
    stored = conn.execute("select count(*) from ops.dq_findings").fetchone()
    assert stored == (2,)


@pytest.mark.parametrize(
    ("strike", "right", "close", "delta", "rules"),
    [
        (100, "call", 5, 0.5, set()),
        (100, "put", 5, -0.5, set()),
        (60, "call", 41, 0.9, set()),
        (160, "put", 61, -0.9, set()),
        (160, "call", 0.1, 0.05, set()),
        (100, "call", 5, None, set()),
        (100, "call", 5, -0.1, {"impossible_greeks"}),
        (100, "put", 5, 0.1, {"impossible_greeks"}),
        (160, "call", 1, 0.9, {"impossible_greeks"}),
        (60, "call", 41, 0, {"impossible_greeks"}),
        (60, "put", 1, -0.9, {"impossible_greeks"}),
        (160, "put", 61, 0, {"impossible_greeks"}),
        (100, "call", 101, 0.5, {"impossible_option_price"}),
        (100, "put", 101, -0.5, {"impossible_option_price"}),
        (60, "call", 0, 0.9, {"impossible_option_price"}),
        (301, "call", 0.1, 0.01, {"off_scale_strike"}),
        (24, "put", 0.1, -0.01, {"off_scale_strike"}),
        (700, "put", 3, 0, {"off_scale_strike", "impossible_greeks", "impossible_option_price"}),
    ],
)
def test_options_that_contradict_themselves(
    conn: psycopg.Connection,
    strike: float,
    right: str,
    close: float,
    delta: float | None,
    rules: set[str],
) -> None:
    conn.execute(OPTION, (instrument(conn), strike, right, close, delta))
    assert {each.rule for each in check(docs=False).results if each.found} == rules


def test_a_text_twice_and_a_link_without_its_article(conn: psycopg.Connection) -> None:
    for post, author in enumerate(("a", "b", "c")):
        conn.execute(
            "insert into raw_alt.social_posts (platform, symbol, posted_at, post_id, author, text)"
            " values ('twitter', 'X', '2024-01-02 15:00Z', %s, %s, 'buy')",
            (f"post-{post}", author),
        )
    for article in ("known", "unknown"):
        conn.execute(
            "insert into raw_alt.news_symbols (article_id, symbol, published_at)"
            " values (%s, 'X', '2024-01-02 15:00Z')",
            [article],
        )
    conn.execute(
        "insert into raw_alt.news_articles (article_id, published_at, headline)"
        " values ('known', '2024-01-02 15:00Z', 'X rises')"
    )
    counts = {each.rule: each.found for each in check(docs=False).results}
    assert counts == {"repeated_post": 2, "news_without_article": 1}


def test_rules_name_columns_that_are_there(conn: psycopg.Connection) -> None:
    rules = table_rules.load_table_rules()
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        wanted = ", ".join(f'landed."{name}"' for name in (rule.at, *rule.shows))
        conn.execute(f"select {wanted} from {rule.table} as landed where {rule.predicate}")
