"""What is declared: config.meta.physical_design of sources and published marts, as dbt reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse import build
from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

Wish = dict[str, Any]
"""A design, and the table it is of under `relation`."""

CHECK = "check_physical_designs"
"""The macro that judges all of it, for builds and for `warehouse physical` alike."""


def declared() -> list[Wish]:
    """Return every design that is declared, in the order of the tables.

    Raises WarehouseError when one cannot be made true; the text says which and why.
    """
    from dbt.cli.main import dbtRunner

    build.reach_dbt()
    parsed = dbtRunner().invoke(build.dbt_arguments("parse", []))
    if parsed.exception is not None or not parsed.success:
        build.did_not_run("parse", parsed.exception)
    judged = dbtRunner(manifest=parsed.result).invoke(
        build.dbt_arguments("run-operation", [CHECK, "--no-write-json"])
    )
    if not judged.success:
        raise WarehouseError(
            f"A physical design cannot be made true: {_reason(judged)}",
            where="config.meta.physical_design of the model or source that it names",
            do="correct it; docs/physical_design.md has the words",
        )
    return from_manifest(parsed.result)


def from_manifest(manifest: Manifest) -> list[Wish]:
    """Return the designs of a parsed project."""
    found = []
    for source in manifest.sources.values():
        if design := source.config.meta.get("physical_design"):
            found.append({"relation": f"{source.schema}.{source.identifier}", **design})
    for node in manifest.nodes.values():
        # A mart is built in schema `build` and published under the same name.
        if design := node.config.meta.get("physical_design"):
            found.append({"relation": f"marts.{node.alias}", **design})
    return sorted(found, key=lambda each: str(each["relation"]))


def _reason(judged: Any) -> str:  # noqa: ANN401 (dbt's own result)
    """Return what the check says, without where in dbt's code it says it."""
    told = [str(judged.exception)] if judged.exception else []
    told += [str(each.message) for each in getattr(judged.result, "results", [])]
    lines = [line.strip() for text in told for line in text.splitlines()]
    said = [line for line in lines if line.startswith("physical_design of")]
    return "\n".join(said or lines[:1] or ["see the log of dbt"])
