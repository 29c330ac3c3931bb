"""Players without a model: blind chance, full knowledge, and the best that ignores the prompt in hindsight.

They are the ends of the scale. `knows` sees the hidden utilities and has no regret; `random` has the regret
that `wishes.regret_of_chance` computes; `hindsight` is what no prompt-blind policy can beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy

from context_checkpoint.learning.recommendation.strategy import divide_images
from context_checkpoint.learning.values import MOST_BRANCHES, Shown

from ..wishes import Wish
from ..worlds.contract import World
from .contract import Entrant, Play


def evenly(checkpoints: Sequence[str], images: int) -> Play:
    """Show these, with the images divided as an exploring plan divides them."""
    return Play(tuple(checkpoints), divide_images("explore", checkpoints, images))


class Chance:
    """Always three different checkpoints, drawn blindly."""

    def __init__(self, seed: int) -> None:
        self._rng = numpy.random.default_rng([seed, 3])

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        count = min(MOST_BRANCHES, len(candidates))
        drawn = self._rng.choice(len(candidates), count, replace=False)
        return evenly([candidates[place] for place in drawn], images)

    def learn(self, shown: Sequence[Shown]) -> None:
        """Never."""


class Knows:
    """Sees the utilities: one image, always of the favourite."""

    def __init__(self, wishes: Iterator[Wish]) -> None:
        self._wishes = wishes

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        wish = next(self._wishes)
        return evenly([candidates[int(wish.utilities.argmax())]], images)

    def learn(self, shown: Sequence[Shown]) -> None:
        """There is nothing left to learn."""


class Hindsight:
    """Ignores the prompt, and knows beforehand which checkpoints are best for the whole of the world.

    The first is the best single one; each further one adds most to the best picture shown.
    """

    def __init__(self, wishes: Iterator[Wish]) -> None:
        self._utilities: list[dict[str, float]] = [
            dict(zip(wish.candidates, wish.utilities.tolist(), strict=True)) for wish in wishes
        ]
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        names = tuple(candidates)
        if names not in self._orders:
            self._orders[names] = self._best(names)
        return evenly(self._orders[names][:branches], images)

    def learn(self, shown: Sequence[Shown]) -> None:
        """It knew."""

    def _best(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Greedily, over the wishes in which all of these were there."""
        where = [liked for liked in self._utilities if all(name in liked for name in names)]
        table = numpy.array([[liked[name] for name in names] for liked in where])
        chosen: list[int] = []
        best = numpy.full(len(where), -numpy.inf)
        for _ in range(min(MOST_BRANCHES, len(names))):
            gains = numpy.maximum(best[:, None], table).mean(axis=0)
            gains[chosen] = -numpy.inf
            chosen.append(int(gains.argmax()))
            best = numpy.maximum(best, table[:, chosen[-1]])
        return tuple(names[place] for place in chosen)


def _chance(world: World, seed: int, data: Path | None) -> Chance:
    return Chance(seed)


def _knows(world: World, seed: int, data: Path | None) -> Knows:
    return Knows(world.wishes(seed, data))


def _hindsight(world: World, seed: int, data: Path | None) -> Hindsight:
    return Hindsight(world.wishes(seed, data))


ENTRANTS = (
    Entrant("random", "three at random", paced=False, peer=True, make=_chance),
    Entrant(
        "hindsight",
        "best prompt-blind choice in hindsight",
        paced=True,
        peer=True,
        make=_hindsight,
        foresight=True,
    ),
)
KNOWS = Entrant("knows", "knows the utilities", paced=False, peer=True, make=_knows, foresight=True)
