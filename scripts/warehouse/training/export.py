"""The export: which series are as known, which rows, which folds; then one stream to a file."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any

from warehouse import currency, output
from warehouse.errors import WarehouseError
from warehouse.training import as_known, session, writing
from warehouse.training.request import TIMEFRAME, Request, project_vars, unknown_symbol
from warehouse.training.session import literal, rows, statement

PUBLICATION = """
    select
        publication.publication_id, publication.run_id, publication.code_version,
        publication.published_at, publication.project, transaction_timestamp() as now
    from (select) as one
    left join ops.publication on publication_id = (select max(publication_id) from ops.publication)
"""
TICKERS = """
    select distinct on (symbol, calendar) symbol, instrument_id
    from ref.symbol_history
    order by symbol, calendar, valid_from desc
"""
FIRST = """
    select
        (select min(first_known_at) from ref.series where timeframe = '1d') as first_known_at,
        (select max(expired_at) from ops.expired_bars where timeframe = '1d') as expired_at
"""
SERIES = "select instrument_id, symbol, why_recomputed from training_series order by instrument_id"
SIZE = """
    select
        count(*) as rows, count(distinct instrument_id) as instruments,
        min(prediction_at) as first, max(prediction_at) as last
    from training_rows
"""
WINDOWS = """
    select
        fold, starts_at, last_at, ends_at, nullif(resumes_at, 'infinity') as resumes_at,
        test_rows, train_rows
    from training_windows order by fold
"""


@dataclass
class Exported:
    """What was written."""

    file: str
    format: str
    as_of: datetime
    label: str
    features: int
    rows: int = 0
    instruments: int = 0
    first: datetime | None = None
    last: datetime | None = None
    recomputed: dict[str, str] = field(default_factory=dict)
    """Symbols that the marts do not hold as known at as_of, and why."""
    missing: list[str] = field(default_factory=list)
    """Symbols asked for of which there is no row."""
    windows: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    seconds: float = 0.0


def export(asked: Request) -> Exported:
    """Write a training set; raises WarehouseError, and then there is no file."""
    started = time.monotonic()
    with ExitStack() as stack:
        cursor = stack.enter_context(session.snapshot())
        published = _publication(cursor)
        as_of = _as_of(asked, cursor, published)
        chosen = _instruments(cursor, asked)
        wanted = None if chosen is None else list(chosen)
        changed = _series(cursor, as_of, wanted)
        code = currency.fingerprint()
        if changed:
            # Of two versions of the code in one file nobody could say what it is.
            everything = published["project"] != code
            if everything:
                changed = _series(cursor, as_of, wanted, everything=True)
            stack.close()
            stack.enter_context(as_known.built_as_known(list(changed), as_of))
            cursor = stack.enter_context(session.snapshot())
            published = _publication(cursor)
            again = _series(cursor, as_of, wanted, everything=everything)
            if not again.keys() <= changed.keys():
                raise WarehouseError("Something landed or was built meanwhile.", do="try again")
            changed = again
        done = Exported(str(asked.to), asked.format, as_of, asked.label, len(asked.features))
        done.recomputed = dict(changed.values())
        _rows(cursor, asked, as_of, done, is_split=bool(changed))
        if chosen is not None:
            found = {
                r["instrument_id"]
                for r in rows(cursor, "select distinct instrument_id from training_rows")
            }
            done.missing = sorted(
                ticker for number, ticker in chosen.items() if number not in found
            )
        _write(cursor, asked, done, published, code, is_split=bool(changed))
    done.bytes = asked.to.stat().st_size
    done.seconds = round(time.monotonic() - started, 2)
    return done


def _publication(cursor: Any) -> dict[str, Any]:  # noqa: ANN401 (ADBC's cursor)
    """Return the build that readers see, and the time of the server."""
    return rows(cursor, PUBLICATION)[0]


def _as_of(asked: Request, cursor: Any, published: dict[str, Any]) -> datetime:  # noqa: ANN401
    """Return the instant of the set; refuse one that has not come or when nothing was known."""
    as_of: datetime | None = asked.as_of or published["published_at"]
    if as_of is None:
        raise WarehouseError("Nothing was built yet.", do="run `warehouse build`, or give --as-of")
    if as_of > published["now"]:
        raise WarehouseError(
            f"{as_of.isoformat()} is in the future: nobody knows what will be known then.",
            where="--as-of",
            do=f"it is {published['now']:%Y-%m-%dT%H:%M:%SZ} by the server's clock",
        )
    known = rows(cursor, FIRST)[0]
    first, expired = known["first_known_at"], known["expired_at"]
    if first is None or first > as_of:
        when = (
            f"the first daily bar landed at {first.isoformat()}"
            if first
            else "no daily bar has landed"
        )
        raise WarehouseError(
            f"Nothing was known at {as_of.isoformat()}: {when}.",
            where="--as-of",
            do="give a later instant; it is about when rows landed, not about what they describe",
        )
    if expired and expired > as_of:
        raise WarehouseError(
            f"Bars have expired since {as_of.isoformat()}: nobody knows what was corrected.",
            where="ops.expired_bars",
            do=f"give an instant from {expired.isoformat()} on",
        )
    return as_of


def _instruments(cursor: Any, asked: Request) -> dict[int, str] | None:  # noqa: ANN401
    """Return the instruments that the tickers asked for mean now; None for all."""
    if not asked.symbols:
        return None
    tickers: dict[str, list[int]] = {}
    for row in rows(cursor, TICKERS):
        tickers.setdefault(row["symbol"], []).append(row["instrument_id"])
    for symbol in asked.symbols:
        if symbol not in tickers:
            raise unknown_symbol(symbol, list(tickers))
    return {number: symbol for symbol in asked.symbols for number in tickers[symbol]}


def _series(
    cursor: Any,  # noqa: ANN401
    as_of: datetime,
    instruments: list[int] | None,
    *,
    everything: bool = False,
) -> dict[int, tuple[str, str]]:
    """Look which series the marts hold as known at the instant; return symbol and why of others."""
    cursor.execute("drop table if exists training_series")
    cursor.execute(
        statement(
            "series",
            as_of=literal(as_of),
            timeframe=literal(TIMEFRAME),
            instruments=instruments,
            recompute_all=literal(everything),
        )
    )
    cursor.execute("analyze training_series")
    return {
        row["instrument_id"]: (row["symbol"], row["why_recomputed"])
        for row in rows(cursor, SERIES)
        if row["why_recomputed"]
    }


def _rows(cursor: Any, asked: Request, as_of: datetime, done: Exported, *, is_split: bool) -> None:  # noqa: ANN401
    """Choose the rows, and the test windows over them."""
    # Just built tables have no statistics yet: a nested loop over all pairs of bars did not end.
    cursor.execute("set local enable_nestloop = off")
    optional = {"since": asked.since, "until": asked.until, "known_within": asked.known_within}
    cursor.execute(
        statement(
            "rows",
            as_of=literal(as_of),
            timeframe=literal(TIMEFRAME),
            horizon=asked.horizon,
            unlabelled=asked.unlabelled,
            label_schemas=_schemas("intermediate", is_split),
            **{name: literal(value) if value else "" for name, value in optional.items()},
        )
    )
    cursor.execute("set local enable_nestloop = on")
    cursor.execute('alter table training_rows add primary key (instrument_id, "timestamp")')
    cursor.execute("analyze training_rows")
    size = rows(cursor, SIZE)[0]
    done.rows, done.instruments = size["rows"], size["instruments"]
    done.first, done.last = size["first"], size["last"]
    if not done.rows:
        raise WarehouseError(
            f"No row has features and a label of {asked.label} known at {as_of.isoformat()}.",
            do="ask for more (--symbols, --since, --until, --known-within), a shorter label,"
            " or open labels too: --unlabelled; `warehouse build` builds what landed",
        )
    if asked.folds or asked.split_at:
        bounds = {"split_at": asked.split_at, "split_until": asked.split_until}
        cursor.execute(
            statement(
                "windows",
                folds=asked.folds,
                embargo=asked.embargo,
                **{name: literal(value) if value else "" for name, value in bounds.items()},
            )
        )
        done.windows = rows(cursor, WINDOWS)
        if len(done.windows) < (asked.folds or 1):
            raise WarehouseError(
                f"{len(done.windows)} of {asked.folds or 1} test windows have a row.",
                where="--folds" if asked.folds else "--split-at",
                do=f"rows with a label are from {done.first} to {done.last}",
            )


def _write(
    cursor: Any,  # noqa: ANN401
    asked: Request,
    done: Exported,
    published: dict[str, Any],
    code: str,
    *,
    is_split: bool,
) -> None:
    """Stream the set into its file."""
    feature_version = project_vars()["feature_version"]
    query = statement(
        "training_set",
        features=asked.features,
        label=asked.label,
        timeframe=literal(TIMEFRAME),
        feature_version=literal(feature_version),
        folds=asked.folds,
        split_at=bool(asked.split_at),
        feature_schemas=["marts", *_schemas("build", is_split)[1:]],
    )
    metadata = {
        "as_of": done.as_of,
        "label": asked.label,
        "timeframe": TIMEFRAME,
        "features": asked.features,
        "feature_version": feature_version,
        "symbols": asked.symbols,
        "since": asked.since,
        "until": asked.until,
        "unlabelled": asked.unlabelled,
        "known_within": asked.known_within,
        "folds": asked.folds,
        "embargo": asked.embargo,
        "split_at": asked.split_at,
        "split_until": asked.split_until,
        "windows": done.windows,
        "rows": done.rows,
        "instruments": done.instruments,
        "recomputed": done.recomputed,
        "publication": {
            name: published[name] for name in ("publication_id", "run_id", "published_at")
        },
        "code_version": published["code_version"],
        "project": code,
        "warehouse": version("trading-warehouse"),
        "query": query,
    }
    with output.progress() as moved, writing.whole_file(asked.to) as part:
        if not is_split:
            # Both tables have an index in the order of the file: a sort of wide rows goes to disk.
            for way in ("hashjoin", "sort", "memoize"):
                cursor.execute(f"set local enable_{way} = off")
        cursor.adbc_statement.set_options(
            **{"adbc.postgresql.batch_size_hint_bytes": str(session.BATCH_BYTES)}
        )
        cursor.execute(query)
        written = writing.write(
            cursor.fetch_record_batch(),
            part,
            form=asked.format,
            metadata=output.plain(metadata),
            size=done.rows,
            moved=moved,
        )
        if written != done.rows:
            raise WarehouseError(
                f"{done.rows:,} rows have a label, {written:,} of them features.",
                do="labels and marts are of different builds: run `warehouse build`",
            )


def _schemas(name: str, is_split: bool) -> list[str]:
    """Return where to read from: what is built, and what was built as known."""
    return [name, f"{as_known.WORKSPACE}_{name}"] if is_split else [name]
