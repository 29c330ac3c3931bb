"""mabwiser's LinTS and LinUCB: a ridge regression per checkpoint on hashed features.

LinUCB: Li et al., WWW 2010. LinTS: Agrawal and Goyal, ICML 2013. Both are the library's own; only the vector
and the order come from here. Dimensions and exploration are the best of a few on seeds of `styles` that are
not reported; LinTS draws from a normal distribution of all dimensions for each checkpoint, which more than 16
make slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from context_checkpoint.learning.values import Shown

from ..wishes import Numbers
from ..worlds.contract import World
from .contract import Entrant, Play
from .features import hashed
from .installed import missing
from .simple import evenly
from .verdicts import best, rewards


class MabwiserLinear:
    """`policy` is "LinTS" or "LinUCB", `alpha` how much it explores."""

    def __init__(self, policy: str, alpha: float, dimensions: int, seed: int) -> None:
        self._policy, self._alpha, self._dimensions, self._seed = policy, alpha, dimensions, seed
        self._bandit: Any = None
        self._vector: Numbers | None = None

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        self._vector = hashed(prompt, self._dimensions)[None, :]
        self._know(candidates)
        expected = self._bandit.predict_expectations(self._vector)
        return evenly(best(expected, candidates, branches), images)

    def learn(self, shown: Sequence[Shown]) -> None:
        pairs = rewards(shown)
        if pairs and self._vector is not None:
            names, values = zip(*pairs, strict=True)
            self._bandit.partial_fit(list(names), list(values), self._vector.repeat(len(names), axis=0))

    def _know(self, candidates: Sequence[str]) -> None:
        """Start with these checkpoints, or add those that were just installed."""
        from mabwiser.mab import MAB, LearningPolicy

        if self._bandit is None:
            policy = getattr(LearningPolicy, self._policy)(alpha=self._alpha)
            self._bandit = MAB(list(candidates), policy, seed=self._seed)
            nothing = self._vector * 0.0  # it wants to be fitted once before it predicts
            self._bandit.fit([candidates[0]], [0.0], nothing)
        for name in candidates:
            if name not in self._bandit.arms:
                self._bandit.add_arm(name)


def _entrant(name: str, label: str, policy: str, alpha: float, dimensions: int) -> Entrant:
    def make(world: World, seed: int, data: Path | None) -> MabwiserLinear:
        return MabwiserLinear(policy, alpha, dimensions, seed)

    return Entrant(name, label, paced=True, peer=True, make=make, missing=missing("mabwiser"))


ENTRANTS = (
    _entrant("lints", "mabwiser LinTS", "LinTS", 0.1, 16),
    _entrant("linucb", "mabwiser LinUCB", "LinUCB", 1.0, 64),
)
