"""Thompson sampling (Biometrika 25, 1933) that ignores the prompt: a beta distribution per checkpoint.

It plays twice: at the default policy's pace, and by its own uncertainty, where three draws are made and the
different winners shown (one where it is sure, three where it is not).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy

from context_checkpoint.learning.values import MOST_BRANCHES, Shown

from ..wishes import Numbers
from ..worlds.contract import World
from .contract import Entrant, Play
from .simple import evenly
from .verdicts import best, rewards


class ThompsonBlind:
    def __init__(self, seed: int, *, own_pace: bool) -> None:
        self._rng = numpy.random.default_rng([seed, 4])
        self._own_pace = own_pace
        self._won: defaultdict[str, float] = defaultdict(lambda: 1.0)
        self._lost: defaultdict[str, float] = defaultdict(lambda: 1.0)

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        if self._own_pace:
            winners = [candidates[int(self._draw(candidates).argmax())] for _ in range(MOST_BRANCHES)]
            return evenly(list(dict.fromkeys(winners)), images)
        drawn = dict(zip(candidates, self._draw(candidates).tolist(), strict=True))
        return evenly(best(drawn, candidates, branches), images)

    def learn(self, shown: Sequence[Shown]) -> None:
        for name, reward in rewards(shown):
            self._won[name] += reward
            self._lost[name] += 1.0 - reward

    def _draw(self, candidates: Sequence[str]) -> Numbers:
        won = [self._won[name] for name in candidates]
        return self._rng.beta(won, [self._lost[name] for name in candidates])


def _paced(world: World, seed: int, data: Path | None) -> ThompsonBlind:
    return ThompsonBlind(seed, own_pace=False)


def _own(world: World, seed: int, data: Path | None) -> ThompsonBlind:
    return ThompsonBlind(seed, own_pace=True)


ENTRANTS = (
    Entrant("thompson-blind", "Thompson sampling without the prompt", paced=True, peer=True, make=_paced),
    Entrant("thompson-blind-own", "the same, images by its own draws", paced=False, peer=True, make=_own),
)
