"""river's contextual bandit: LinUCB with a Bayesian linear regression per checkpoint, on 32 hashed features.

It pulls one arm at a time; further branches are pulled from what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from context_checkpoint.learning.values import Shown

from ..worlds.contract import World
from .contract import Entrant, Play
from .features import hashed
from .installed import missing
from .simple import evenly
from .verdicts import rewards

DIMENSIONS = 32


class RiverLinUcb:
    def __init__(self, seed: int) -> None:
        from river import bandit

        self._policy: Any = bandit.LinUCBDisjoint(alpha=1.0, beta=1.0, seed=seed)
        self._context: dict[str, float] = {}

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        vector = hashed(prompt, DIMENSIONS)
        self._context = {f"{place}": value for place, value in enumerate(vector.tolist()) if value}
        left, shown = list(candidates), []
        while left and len(shown) < branches:
            shown.append(self._policy.pull(left, context=self._context))
            left.remove(shown[-1])
        return evenly(shown, images)

    def learn(self, shown: Sequence[Shown]) -> None:
        for name, reward in rewards(shown):
            self._policy.update(name, self._context, reward)


def _make(world: World, seed: int, data: Path | None) -> RiverLinUcb:
    return RiverLinUcb(seed)


ENTRANTS = (
    Entrant("river-linucb", "river LinUCBDisjoint", paced=True, peer=True, make=_make, missing=missing("river")),
)
