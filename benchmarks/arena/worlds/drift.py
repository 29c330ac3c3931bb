"""Tastes change: at prompt 600 half of the styles turn round, the best checkpoint of each becoming the worst.

Nothing announces it. Nine checkpoints and seven styles as in `styles`, of which three or four flip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy

from ..wishes import Numbers, Wish
from .contract import Moods, World, tastes
from .styles import CHECKPOINTS, KINDS, Writer

FLIP = 600
PROMPTS = 1200


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 11])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 12]))
    before = tastes(rng, KINDS, len(CHECKPOINTS))
    flipped = rng.permutation(KINDS)[: KINDS // 2 + seed % 2]
    after = before.copy()
    after[flipped] = [_reversed_tastes(before[kind]) for kind in flipped]
    for number in range(prompts):
        kind = int(rng.integers(KINDS))
        liked = (after if number >= FLIP else before)[kind]
        prompt = ", ".join(writer.parts(kind))
        yield Wish(prompt, CHECKPOINTS, liked, moods.noise(len(CHECKPOINTS)), moods.bar())


def _reversed_tastes(liked: Numbers) -> Numbers:
    """The same utilities in opposite order: what was liked best is liked least."""
    reversed_tastes = numpy.empty_like(liked)
    reversed_tastes[numpy.argsort(liked)] = numpy.sort(liked)[::-1]
    return reversed_tastes


DRIFT = World(
    "drift",
    "half the tastes flip at prompt 600",
    PROMPTS,
    wishes,
    ((450, 600), (600, 750), (900, 1200)),
    flip=FLIP,
)
