"""vowpalwabbit: SquareCB and its cousins, with a word by checkpoint interaction in its own hashing.

SquareCB: Foster and Rakhlin, "Beyond UCB", ICML 2020. `first` explores blindly for some prompts and then
trusts its regression; `bag` is bootstrapped Thompson sampling (Bietti et al., JMLR 22, 2021). Each gives a
probability per checkpoint: one branch is drawn from it, as the library does; of several the most probable is
the first, and the others are drawn without replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from context_checkpoint.learning.values import Shown

from ..worlds.contract import World
from .contract import Entrant, Play
from .features import words
from .installed import missing
from .simple import evenly
from .verdicts import rewards

_LEAST = 0.02  # a probability below this makes one verdict count for more than all others together
_FORBIDDEN = str.maketrans({" ": "_", ":": "_", "|": "_", "\n": "_"})


class Vowpal:
    def __init__(self, arguments: str, seed: int) -> None:
        from vowpalwabbit import Workspace

        self._rng = numpy.random.default_rng([seed, 6])
        self._model: Any = Workspace(f"--cb_explore_adf {arguments} -q SA --quiet --random_seed {seed + 1}")
        self._example: list[str] = []
        self._candidates: tuple[str, ...] = ()
        self._probabilities: list[float] = []

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        features = " ".join(f"{text.translate(_FORBIDDEN)}:{weight:g}" for text, weight in words(prompt))
        self._candidates = tuple(candidates)
        self._example = [f"shared |S {features}", *(f"|A {name.translate(_FORBIDDEN)}" for name in candidates)]
        self._probabilities = list(self._model.predict(self._example))
        order = self._order(min(branches, len(candidates)))
        return evenly([candidates[place] for place in order], images)

    def _order(self, count: int) -> list[int]:
        """Draws without replacement: the smallest of exponential variables divided by the probabilities."""
        chances = numpy.maximum(numpy.array(self._probabilities), 1e-9)
        if count == 1:
            return [int(self._rng.choice(len(chances), p=chances / chances.sum()))]
        keys = self._rng.exponential(size=len(chances)) / chances
        keys[int(chances.argmax())] = -1.0
        return numpy.argsort(keys)[:count].tolist()

    def learn(self, shown: Sequence[Shown]) -> None:
        for name, reward in rewards(shown):
            place = self._candidates.index(name)
            chance = max(_LEAST, self._probabilities[place])
            labelled = list(self._example)
            labelled[place + 1] = f"0:{-reward:g}:{chance:g} {labelled[place + 1]}"
            self._model.learn(labelled)


def _entrant(name: str, label: str, arguments: str) -> Entrant:
    def make(world: World, seed: int, data: Path | None) -> Vowpal:
        return Vowpal(arguments, seed)

    return Entrant(name, label, paced=True, peer=True, make=make, missing=missing("vowpalwabbit"))


ENTRANTS = (
    _entrant("vw-squarecb", "vowpalwabbit, SquareCB", "--squarecb --gamma_scale 1000 -l 1"),
    _entrant("vw-first", "vowpalwabbit, explore first", "--first 150 -l 1"),
    _entrant("vw-bag", "vowpalwabbit, bootstrapped", "--bag 10 -l 2"),
)
