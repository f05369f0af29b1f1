"""The thin adapter to Great Expectations: suites, one checkpoint, data docs.

Everything the warehouse knows of Great Expectations is here. Its import takes seconds, so it is
done inside the functions, and started early in a thread by `warm_up`.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse import config
from warehouse.config import Home
from warehouse.errors import WarehouseError
from warehouse.quality.rules import Rule

AS_TEXT = ("bar_ts", "open", "high", "low", "close", "volume", "prev_ts", "prev_close")
"""For each Decimal or time in a result the library walks the whole call stack."""
COLUMNS = ", ".join(
    ["source", "symbol", "timeframe", "in_quarantine", "batch_id"]
    + [f"{name}::text" for name in AS_TEXT]
)
MOST = 100_000
"""Rows an expectation reads at most; ops.dq_results has the counts in full."""
SHOWN = 200
"""Unexpected rows kept per expectation: with 50,000 a run takes minutes."""


@dataclass(frozen=True)
class Verdicts:
    """What the checkpoint said: expectation met or not, per scope and rule."""

    met: dict[tuple[str, str], bool]
    data_docs: Path | None


def warm_up() -> threading.Thread:
    """Import Great Expectations beside other work, because it takes seconds."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    thread = threading.Thread(target=importlib.import_module, args=("great_expectations",))
    thread.start()
    return thread


def _query(rule: Rule) -> str:
    """Return the query whose rows are unexpected.

    The predicate was evaluated once per bar, while the context was built; asking for its result
    through a partial index replaces a scan of all bars per rule. Rows in quarantine harm nobody:
    only warnings look at them.
    """
    arrived = "" if rule.severity == "warning" else " and not in_quarantine"
    return (
        f"select {COLUMNS} from {{batch}} "  # noqa: S608 (rules of our own)
        f"where broken is not null and '{rule.id}' = any(broken){arrived} "
        f"order by series_no, bar_ts limit {MOST}"
    )


def run_checkpoint(
    tables: Mapping[str, str], rules: Sequence[Rule], home: Home, *, docs: bool
) -> Verdicts:
    """Run one checkpoint over the tables of the scopes, and build the data docs.

    Raises WarehouseError when an expectation could not be evaluated.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations import expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    _log_to(home)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    url = config.connection().url("postgresql+psycopg", options="-csearch_path=ops")
    source = context.data_sources.add_postgres("warehouse", connection_string=url)
    definitions = []
    for scope, table in tables.items():
        asset = source.add_table_asset(f"bars_{scope}", table_name=table)
        suite = context.suites.add(gx.ExpectationSuite(f"ohlcv_{scope}"))
        for rule in rules:
            if rule.predicate is None:
                continue
            suite.add_expectation(
                expectations.UnexpectedRowsExpectation(
                    unexpected_rows_query=_query(rule),
                    description=f"{rule.id} ({rule.tier}, {rule.severity}): {rule.reason}",
                    severity="critical" if rule.severity == "error" else "warning",
                    meta={"rule": rule.id, "notes": f"{rule.predicate}"},
                )
            )
        definition = gx.ValidationDefinition(
            name=f"ohlcv_{scope}",
            data=asset.add_batch_definition_whole_table("whole"),
            suite=suite,
        )
        definitions.append(context.validation_definitions.add(definition))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name="ohlcv_gate",
            validation_definitions=definitions,
            result_format={"result_format": "COMPLETE", "partial_unexpected_count": SHOWN},
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = checkpoint.run()
    met: dict[tuple[str, str], bool] = {}
    for result in outcome.run_results.values():
        scope = result.suite_name.removeprefix("ohlcv_")
        for each in result.results:
            rule_id = each.expectation_config.meta["rule"]
            _refuse_exceptions(rule_id, each.exception_info)
            met[scope, rule_id] = bool(each.success)
    return Verdicts(met, _build_docs(context, home) if docs else None)


def _refuse_exceptions(rule_id: str, info: Mapping[str, Any] | None) -> None:
    """Stop when an expectation broke off: unevaluated must never pass for met."""
    parts = [info, *(part for part in (info or {}).values() if isinstance(part, Mapping))]
    for part in parts:
        if part and part.get("raised_exception"):
            message = str(part.get("exception_message")).strip().splitlines()[0]
            raise WarehouseError(
                f"Great Expectations could not evaluate the rule {rule_id}: {message}",
                where="ops.gate_bars_*",
                do="look at the log of the server, then run `warehouse check` again",
            )


def _build_docs(context: Any, home: Home) -> Path:  # noqa: ANN401 (untyped library)
    """Write the data docs of this run over those of the run before."""
    folder = home.reports / "data_docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in list(context.get_site_names()):
        context.delete_data_docs_site(name)
    context.add_data_docs_site(
        site_name="gate",
        site_config={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.build_data_docs()
    return folder / "index.html"


def _log_to(home: Home) -> None:
    """Send what the library logs to a file of the home, not to the terminal."""
    home.logs.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("great_expectations")
    path = home.logs / "great_expectations.log"
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
