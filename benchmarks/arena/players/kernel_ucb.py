"""The random-feature kernel UCB of PAK-UCB, written from the paper.

Hu, Leung and Farnia, "PAK-UCB Contextual Bandit: An Online Learning Approach to Prompt-Aware Selection of
Generative Models and LLMs", ICML 2025 (PMLR 267): each model has a kernel ridge regression of its own over
prompts, and the one with the highest upper confidence bound is shown, those never shown first. Random Fourier
features (Rahimi and Recht, NIPS 2007) stand for the Gaussian kernel: a step always costs the same.

The paper embeds prompts with CLIP; here all players see the same hashed keywords. Exploration and width are
the best of a few on seeds of `styles` that are not reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy

from context_checkpoint.learning.values import Shown

from ..wishes import Numbers
from ..worlds.contract import World
from .contract import Entrant, Play
from .features import hashed
from .simple import evenly
from .verdicts import best, rewards

_WORDS = 256
FEATURES = 128
WIDTH = 2.0
RIDGE = 1.0
EXPLORATION = 1.0


class KernelUcb:
    def __init__(self, seed: int) -> None:
        rng = numpy.random.default_rng([seed, 5])
        self._directions = rng.normal(0.0, 1.0 / WIDTH, (FEATURES, _WORDS))
        self._phases = rng.uniform(0.0, 2.0 * numpy.pi, FEATURES)
        self._inverses: dict[str, Numbers] = {}
        self._targets: dict[str, Numbers] = {}
        self._at = numpy.zeros(FEATURES)

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        projected = self._directions @ hashed(prompt, _WORDS) + self._phases
        self._at = numpy.sqrt(2.0 / FEATURES) * numpy.cos(projected)
        bounds = {name: self._bound(name) for name in candidates}
        return evenly(best(bounds, candidates, branches), images)

    def _bound(self, name: str) -> float:
        if name not in self._inverses:
            return numpy.inf
        toward = self._inverses[name] @ self._at
        return float(toward @ self._targets[name] + EXPLORATION * numpy.sqrt(self._at @ toward))

    def learn(self, shown: Sequence[Shown]) -> None:
        for name, reward in rewards(shown):
            inverse = self._inverses.setdefault(name, numpy.eye(FEATURES) / RIDGE)
            toward = inverse @ self._at
            inverse -= numpy.outer(toward, toward) / (1.0 + self._at @ toward)  # Sherman and Morrison
            self._targets[name] = self._targets.get(name, 0.0) + reward * self._at


def _make(world: World, seed: int, data: Path | None) -> KernelUcb:
    return KernelUcb(seed)


ENTRANTS = (Entrant("kernel-ucb", "PAK-UCB with random features", paced=True, peer=True, make=_make),)
