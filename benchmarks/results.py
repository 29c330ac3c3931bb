"""What a measurement yields, and how results are printed and written into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One measured number with its unit; `most` is the target (None: there is none), `how` what was done."""

    name: str
    value: float
    unit: str
    most: float | None
    how: str

    @property
    def met(self) -> bool:
        return self.most is None or self.value <= self.most

    def row(self) -> str:
        target = "-" if self.most is None else f"at most {self.most:g}{self.unit}"
        verdict = "" if self.most is None else ("met" if self.met else "**missed**")
        return f"| {self.name} | {_shown(self.value)}{self.unit} | {target} | {verdict} | {self.how} |"


def _shown(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(results: Sequence[Result]) -> str:
    head = ["| what | measured | target | | how |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(result.row() for result in results)])
