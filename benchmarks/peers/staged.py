"""Columns that know how deep they are nested.

Neither SQL nor polars takes a window inside a window: a column that is windowed again has to be
computed in a stage before. Peers of that kind share this bookkeeping.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Raw = TypeVar("Raw")


@dataclass(eq=False)
class Node(Generic[Raw]):
    """An expression, the first stage in which it can be computed, and whether it has a window."""

    peer: Staged[Raw]
    raw: Raw
    stage: int = 0
    windowed: bool = False

    def __add__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("+", self, other)

    def __radd__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("+", other, self)

    def __sub__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("-", self, other)

    def __rsub__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("-", other, self)

    def __mul__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("*", self, other)

    def __rmul__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("*", other, self)

    def __truediv__(self, other: Any) -> Node[Raw]:  # noqa: ANN401
        return self.peer.combine("/", self, other)

    def __neg__(self) -> Node[Raw]:
        return self.peer.combine("-", 0, self)


class Staged(ABC, Generic[Raw]):
    """A peer whose columns are computed stage by stage."""

    def __init__(self) -> None:
        self.stages: list[dict[str, Raw]] = []

    @abstractmethod
    def column(self, name: str) -> Raw:
        """Return a reference to a column of the stage before."""

    @abstractmethod
    def binary(self, sign: str, left: Any, right: Any) -> Raw:  # noqa: ANN401
        """Return an arithmetic expression; an operand may be a plain number."""

    def source(self, name: str) -> Node[Raw]:
        """Return a column of the input."""
        return Node(self, self.column(name))

    def keep(self, name: str, x: Node[Raw]) -> Node[Raw]:
        """Compute a column in its stage, so that later ones can refer to it."""
        while len(self.stages) <= x.stage:
            self.stages.append({})
        self.stages[x.stage][name] = x.raw
        return Node(self, self.column(name), x.stage + 1)

    def settled(self, x: Node[Raw]) -> Node[Raw]:
        """Return the column without a window of its own."""
        names = sum(len(stage) for stage in self.stages)
        return self.keep(f"_step_{names}", x) if x.windowed else x

    def combine(self, sign: str, left: Any, right: Any) -> Node[Raw]:  # noqa: ANN401
        """Return an arithmetic expression of columns and numbers."""
        nodes = [x for x in (left, right) if isinstance(x, Node)]
        raw = [x.raw if isinstance(x, Node) else x for x in (left, right)]
        return self.scalar(self.binary(sign, *raw), *nodes)

    def scalar(self, raw: Raw, *parts: Node[Raw]) -> Node[Raw]:
        """Return an expression of one row, made of others."""
        stage = max(part.stage for part in parts)
        return Node(self, raw, stage, any(part.windowed for part in parts))

    def window(self, raw: Raw, *parts: Node[Raw]) -> Node[Raw]:
        """Return an expression over a window of columns that have none themselves."""
        return Node(self, raw, max(part.stage for part in parts), windowed=True)
