"""What a benchmark found, against its target."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: str
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


@dataclass
class Section:
    """The figures of one benchmark, and what one has to know to read them."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: str,
        *,
        ratio: float | None = None,
        most: float | None = None,
        least: float | None = None,
        unit: str = "x",
    ) -> None:
        """Add a figure; the target is a ratio that may be `most` or must be `least`."""
        target, met = "", None
        if most is not None:
            target = f"<= {most:g}{unit}"
        if least is not None:
            target = f">= {least:g}{unit}"
        if ratio is not None and most is not None:
            met = ratio <= most
        if ratio is not None and least is not None:
            met = ratio >= least
        self.figures.append(Figure(name, value, ratio, target, met))


def seconds(value: float) -> str:
    """Return seconds for people."""
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
