"""Three of nine checkpoints are fast ones, which want few steps and a low cfg.

With their own settings they are as good as the others on average. Drawn with the settings that suit the other six,
their pictures are worse by two, whatever the prompt (an assumption: such a picture then wins one time in eight against
an equal one). So the world asks what it costs to draw and judge all checkpoints with the same settings. All that a
player shows is drawn with the checkpoint's own settings, but for the player `same-settings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World, tastes
from .styles import CHECKPOINTS, KINDS, Writer

PROMPTS = 300
FAST = 3
LOSS = 2.0


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 71])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 72]))
    count = len(CHECKPOINTS)
    liked = tastes(rng, KINDS, count)
    loss = numpy.zeros(count)
    loss[rng.permutation(count)[:FAST]] = LOSS
    for _ in range(prompts):
        kind = int(rng.integers(KINDS))
        prompt = ", ".join(writer.parts(kind))
        yield Wish(prompt, CHECKPOINTS, liked[kind], moods.noise(count), moods.bar(), loss=loss)


FAST_ONES = World("fast", "three of nine want settings of their own", PROMPTS, wishes, ((50, 100), (150, 300)))
