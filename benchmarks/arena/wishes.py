"""What a world asks of a player, and how its person judges what is shown.

The person is hidden: a player never sees `utilities`, `noise` or `bar`. All chance is drawn beforehand by the
world, per checkpoint and image, so that every player meets the same person in the same mood: what two players
both show is seen alike, and the difference between them is not luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import comb

import numpy
from numpy.typing import NDArray

from context_checkpoint.learning.values import MOST_BRANCHES, Shown

Numbers = NDArray[numpy.float64]

BAR = -1.0
"""Utility of "good enough". Below the average checkpoint: most pictures of a decent model are kept."""

_ALSO_KEPT = 0.5
"""A picture that is this close to the best is kept with it, where there are several of one checkpoint."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One prompt in a world.

    Attributes
    ----------
    utilities
        What the person thinks of each candidate for this prompt, `[C]`, in units of the noise with which
        single pictures are seen.
    noise
        How each picture strays from that, `[C, I]` for up to I images of a checkpoint.
    bar
        What the best picture must reach to be kept.
    images
        Images per prompt, to be divided among the branches; each branch gets at least one.
    judged
        False where the person looks and gives no verdict.
    loss
        How much worse each candidate's pictures are where all are drawn with the same settings, `[C]`; None: no worse.
    """

    prompt: str
    candidates: tuple[str, ...]
    utilities: Numbers
    noise: Numbers
    bar: float
    images: int = 1
    judged: bool = True
    loss: Numbers | None = None

    def utility(self, checkpoint: str) -> float:
        return float(self.utilities[self.candidates.index(checkpoint)])

    def with_same_settings(self) -> Wish:
        """As the person sees it where all are drawn with the same settings."""
        return self if self.loss is None else replace(self, utilities=self.utilities - self.loss)


def regret(wish: Wish, shown: Sequence[str], *, same_settings: bool = False) -> float:
    """What the best checkpoint shown lacks against the best there is, drawn with its own settings."""
    drawn = wish.with_same_settings() if same_settings else wish
    return float(wish.utilities.max()) - max(drawn.utility(name) for name in shown)


def regret_of_chance(wish: Wish, images: int = MOST_BRANCHES) -> float:
    """The exact expectation of `regret` for so many different checkpoints drawn blindly.

    >>> import numpy
    >>> wish = Wish("", tuple("abcd"), numpy.array([0.0, 1.0, 2.0, 3.0]), numpy.zeros((4, 1)), BAR)
    >>> regret_of_chance(wish)
    0.25
    """
    count = len(wish.candidates)
    if images >= count:
        return 0.0
    ranked = numpy.sort(wish.utilities)
    # The best of the draw is the one of rank r with probability C(r, images - 1) / C(count, images).
    ways = _ways(count, images)
    return float(ranked[-1] - ways @ ranked / ways.sum())


@cache
def _ways(count: int, images: int) -> Numbers:
    return numpy.array([float(comb(rank, images - 1)) for rank in range(count)])


def verdict(wish: Wish, shown: Sequence[tuple[str, int]]) -> tuple[Shown, ...]:
    """Judge so many images of each checkpoint: the best is kept if it is good enough, with those close to it.

    Reject-all is a verdict: nothing kept, everything rejected. A lazy person leaves all images unjudged.
    """
    if not wish.judged:
        return tuple(Shown(name, images) for name, images in shown)
    seen = []
    for name, images in shown:
        place = wish.candidates.index(name)
        seen.append(wish.utilities[place] + wish.noise[place, :images])
    best = max(float(pictures.max()) for pictures in seen)
    several = any(images > 1 for _, images in shown)
    least = max(wish.bar, best - (_ALSO_KEPT if several else 0.0))
    parts = []
    for (name, images), pictures in zip(shown, seen, strict=True):
        kept = int((pictures >= least).sum())
        parts.append(Shown(name, images, selected=kept, rejected=images - kept))
    return tuple(parts)
