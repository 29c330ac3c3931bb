"""Verdicts as the rewards in 0..1 that the peers learn from, and checkpoints in the order of their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from context_checkpoint.learning.values import Shown


def rewards(shown: Iterable[Shown]) -> list[tuple[str, float]]:
    """The part of its judged images that was selected, for each checkpoint that was judged."""
    return [(part.checkpoint, part.selected / part.judged) for part in shown if part.judged]


def best(scores: Mapping[str, float], candidates: Sequence[str], count: int) -> list[str]:
    """The `count` best candidates; equal ones stay in their order."""
    return sorted(candidates, key=lambda name: -scores[name])[:count]
