"""Somebody who is new where others have taught already: of six people five share a taste, and one has the opposite one.

In `shared` the new person has the taste that five share, in `opposite` the opposite one. A shared taste is not the same
taste: four fifths of the variance of each person's utilities are the group's, and one fifth is their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy

from ..wishes import Numbers, Wish
from .contract import Moods, World, tastes
from .styles import CHECKPOINTS, KINDS, Writer

PROMPTS = 200
TAUGHT = 150
"""Prompts of each of the others."""
LIKE_MINDED, CONTRARY = 5, 1
IN_COMMON = 0.8

WINDOWS = ((0, 30), (30, 100), (100, 200))


def _group(seed: int) -> tuple[Writer, Numbers]:
    rng = numpy.random.default_rng([seed, 71])
    return Writer(rng), tastes(rng, KINDS, len(CHECKPOINTS))


def _person(seed: int, number: int, sign: float) -> Iterator[Wish]:
    writer, liked = _group(seed)
    rng = numpy.random.default_rng([seed, 71, number])
    liked = sign * IN_COMMON**0.5 * liked + (1.0 - IN_COMMON) ** 0.5 * tastes(rng, KINDS, len(CHECKPOINTS))
    theirs, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 72, number]))
    theirs.styles = writer.styles
    while True:
        kind = int(rng.integers(KINDS))
        prompt = ", ".join(theirs.parts(kind))
        yield Wish(prompt, CHECKPOINTS, liked[kind], moods.noise(len(CHECKPOINTS)), moods.bar())


def shared(seed: int, data: Path | None) -> Iterator[Wish]:
    return islice(_person(seed, 0, 1.0), PROMPTS)


def opposite(seed: int, data: Path | None) -> Iterator[Wish]:
    return islice(_person(seed, 0, -1.0), PROMPTS)


def others(seed: int, data: Path | None) -> Sequence[Iterator[Wish]]:
    signs = [1.0] * LIKE_MINDED + [-1.0] * CONTRARY
    return [islice(_person(seed, number, sign), TAUGHT) for number, sign in enumerate(signs, start=1)]


PEOPLE = (
    World("shared", "new among six people, of whom five have the same taste", PROMPTS, shared, WINDOWS, others=others),
    World("opposite", "the same six, and the opposite taste", PROMPTS, opposite, WINDOWS, others=others),
)
