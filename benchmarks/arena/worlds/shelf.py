"""A shelf that changes: every hundred prompts a checkpoint is installed, and another one vanishes.

Six to seven are there at a time. Newcomers are as good as the rest on average, so some are the new favourite
for a style, and what was learned of those that vanished is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World, tastes
from .styles import KINDS, Writer

PROMPTS = 700
EVERY = 100
ALL = tuple(f"checkpoint-{number}.safetensors" for number in range(1, 15))
FIRST = 6


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 31])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 32]))
    liked = tastes(rng, KINDS, len(ALL))
    for number in range(prompts):
        there = _there(number)
        kind = int(rng.integers(KINDS))
        names = tuple(ALL[place] for place in there)
        prompt = ", ".join(writer.parts(kind))
        noise = moods.noise(len(ALL))[there]
        yield Wish(prompt, names, liked[kind, there], noise, moods.bar())


def _there(number: int) -> list[int]:
    """A newcomer at each hundred; fifty prompts later the oldest one is gone."""
    come = min(len(ALL), FIRST + number // EVERY)
    gone = max(0, (number - EVERY // 2) // EVERY)
    return list(range(gone, come))


SHELF = World("shelf", "checkpoints come and go", PROMPTS, wishes, ((150, 300), (300, 700)))
