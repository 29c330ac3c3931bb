"""What one process has done since it started, counted for those who watch it.

Apart from the statistics, which are about a person's taste and outlive every process.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Activity:
    """Added to by the service; read from any thread, since each number is a single value."""

    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By policy and strategy."""
    decision_s: float = 0.0
    """How long they took, all together."""
    generations: int = 0
    verdicts: int = 0
