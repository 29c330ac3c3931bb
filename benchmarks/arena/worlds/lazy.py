"""A lazy person: four images per prompt, a verdict for every third, "none of them" whenever none is good.

The bar is higher than elsewhere, so that whole rounds are rejected, and several images of one checkpoint are
judged together, so that images are not rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World, tastes
from .styles import CHECKPOINTS, KINDS, Writer

PROMPTS = 600
IMAGES = 4
BAR = 1.0


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 21])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 22]))
    liked = tastes(rng, KINDS, len(CHECKPOINTS))
    for number in range(prompts):
        kind = int(rng.integers(KINDS))
        yield Wish(
            ", ".join(writer.parts(kind)),
            CHECKPOINTS,
            liked[kind],
            moods.noise(len(CHECKPOINTS), IMAGES),
            moods.bar(BAR),
            images=IMAGES,
            judged=number % 3 == 0,
        )


LAZY = World("lazy", "every third round judged, four images, reject-all", PROMPTS, wishes, ((150, 300), (300, 600)))
