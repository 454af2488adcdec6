"""What a benchmark found: figures with units, and those that have a target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its unit; a target makes it a promise. `at_most` turns the promise around."""

    value: float
    unit: str = "/s"
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether it keeps its promise; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def promise(self) -> str:
        """The target in words."""
        return "" if self.target is None else f"{'at most' if self.at_most else 'at least'} {self.target:g}"


@dataclass(slots=True)
class Report:
    """The figures of one benchmark, in order, by what they say."""

    figures: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, label: str, value: float, unit: str = "/s", *, target: float | None = None, at_most: bool = False) -> None:
        """Add a figure."""
        self.figures[label] = Figure(value=value, unit=unit, target=target, at_most=at_most)

    def ratio(self, label: str, over: float, under: float, *, target: float | None = None) -> None:
        """Add one figure over another."""
        self.add(label, over / under if under else 0.0, "x", target=target)

    def as_json(self) -> dict[str, Any]:
        """`{figures: {label: {value, unit}}, ratios: {label: {value, unit, target, met}}, notes}`."""
        plain = {k: {"value": round(f.value, 4), "unit": f.unit} for k, f in self.figures.items() if f.target is None}
        promises = {
            k: {"value": round(f.value, 4), "unit": f.unit, "target": f.promise, "met": f.met}
            for k, f in self.figures.items()
            if f.target is not None
        }
        return {"figures": plain, "ratios": promises, "notes": self.notes}

    def as_text(self, name: str) -> str:
        """A small table."""
        width = max((len(label) for label in self.figures), default=0)
        lines = [name]
        for label, figure in self.figures.items():
            number = f"{figure.value:,.0f}" if abs(figure.value) >= 100 else f"{figure.value:.2f}"
            verdict = {None: "", True: f"{figure.promise}, met", False: f"{figure.promise}, MISSED"}[figure.met]
            lines.append(f"  {label:<{width}}  {number:>10} {figure.unit:<3} {verdict}".rstrip())
        return "\n".join([*lines, *(f"  ({note})" for note in self.notes)])


def turns(rounds: int, runs: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run each in turn, `rounds` times over, so that a busy minute of the machine meets all alike."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(run())
    return found


def middle(values: Sequence[float]) -> float:
    """The median; 0 of none."""
    return median(values) if values else 0.0


def ratios(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the rounds' own ratios: what slows a whole round down drops out."""
    return middle([o / u for o, u in zip(over, under, strict=True) if u])
