"""People who have images before the first prompt: what an import of them is worth, and what it must not do.

In `fifty` there are fifty checkpoints on the disk, and the person has worked with the eight whose overall utility is
greatest. Nobody rated the images. For each the person took the checkpoint whose picture they expected to like best, and
erred as much as single pictures vary. In `habit` one of nine checkpoints made four images in five, whatever the prompt,
and another is better for everything. In `starred` the images are rated: three of each prompt, seen together.

The players `told`, `any-eight` and `all-by-one` are given something else than these images, so that it can be seen what
they are worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy
from numpy.typing import NDArray

from ..wishes import Numbers, Wish, verdict
from .contract import Before, Moods, World, general_utilities, tastes
from .styles import CHECKPOINTS, KINDS, Writer

PROMPTS = 200
FIFTY = tuple(f"checkpoint-{number:02}.safetensors" for number in range(1, 51))
EIGHT = 8
IMAGES, PER_DAY = 200, 10
BY_HABIT = 0.8
BETTER = 1.5
RATED = 150

WINDOWS = ((0, 50), (30, 100), (100, 200))


def _wishes(
    writer: Writer, rng: numpy.random.Generator, moods: Moods, names: tuple[str, ...], liked: Numbers
) -> Iterator[Wish]:
    while True:
        kind = int(rng.integers(KINDS))
        prompt = ", ".join(writer.parts(kind))
        yield Wish(prompt, names, liked[kind], moods.noise(len(names)), moods.bar())


class _Person:
    """One person: what they like, what they write, and where their chance is for what was before and comes after."""

    def __init__(self, seed: int, world: int, names: tuple[str, ...]) -> None:
        rng = numpy.random.default_rng([seed, world])
        self.writer = Writer(rng)
        self.general = general_utilities(rng, len(names))
        self.liked = tastes(rng, KINDS, len(names), self.general)
        self.styles = self.writer.styles
        self._names, self._seed, self._world = names, seed, world

    def wishes(self, part: int) -> Iterator[Wish]:
        """From the beginning of one part of their time; the prompts of two parts differ."""
        rng = numpy.random.default_rng([self._seed, self._world, part])
        writer, moods = Writer(rng), Moods(numpy.random.default_rng([self._seed, self._world, part, 1]))
        writer.styles = self.styles
        return _wishes(writer, rng, moods, self._names, self.liked)


_BEFORE, _AFTER = 1, 2


def _fifty(seed: int) -> _Person:
    return _Person(seed, 61, FIFTY)


def fifty(seed: int, data: Path | None) -> Iterator[Wish]:
    return islice(_fifty(seed).wishes(_AFTER), PROMPTS)


def eight_of_fifty(seed: int) -> tuple[str, ...]:
    """Those that the person works with."""
    return tuple(FIFTY[place] for place in _eight(_fifty(seed)).tolist())


def _eight(person: _Person) -> NDArray[numpy.intp]:
    return numpy.argsort(-person.general)[:EIGHT]


def before_fifty(seed: int, data: Path | None) -> Sequence[Before]:
    person = _fifty(seed)
    eight = _eight(person)
    places = [
        int(eight[int(numpy.argmax((wish.utilities + wish.noise[:, 0])[eight]))])
        for wish in islice(person.wishes(_BEFORE), IMAGES)
    ]
    return _images(person, FIFTY, places)


def by_any_of_eight(seed: int, data: Path | None) -> Sequence[Before]:
    """The same prompts, each with any of the eight: these images say which eight, and nothing else."""
    person = _fifty(seed)
    rng = numpy.random.default_rng([seed, 61, 3])
    return _images(person, FIFTY, rng.choice(_eight(person), IMAGES).tolist())


def _images(person: _Person, names: Sequence[str], places: Sequence[int]) -> Sequence[Before]:
    """One image of each of the person's first prompts."""
    return [
        Before(wish.prompt, names[place], number // PER_DAY)
        for number, (wish, place) in enumerate(zip(person.wishes(_BEFORE), places, strict=False))
    ]


def _habit(seed: int) -> tuple[_Person, int]:
    """The person, and which checkpoint they use by habit; another one is better for every prompt."""
    person = _Person(seed, 62, CHECKPOINTS)
    used, better = numpy.random.default_rng([seed, 62, 0]).permutation(len(CHECKPOINTS))[:2]
    person.liked[:, better] += BETTER
    return person, int(used)


def habit(seed: int, data: Path | None) -> Iterator[Wish]:
    return islice(_habit(seed)[0].wishes(_AFTER), PROMPTS)


def before_habit(seed: int, data: Path | None) -> Sequence[Before]:
    person, used = _habit(seed)
    rng = numpy.random.default_rng([seed, 62, 3])
    places = [used if rng.random() < BY_HABIT else int(rng.integers(len(CHECKPOINTS))) for _ in range(IMAGES)]
    return _images(person, CHECKPOINTS, places)


def all_by_one(seed: int, data: Path | None) -> Sequence[Before]:
    """The same prompts, all with the one that the person uses by habit."""
    person, used = _habit(seed)
    return _images(person, CHECKPOINTS, [used] * IMAGES)


def _starred(seed: int) -> _Person:
    return _Person(seed, 63, CHECKPOINTS)


def starred(seed: int, data: Path | None) -> Iterator[Wish]:
    return islice(_starred(seed).wishes(_AFTER), PROMPTS)


def before_starred(seed: int, data: Path | None) -> Sequence[Before]:
    rng = numpy.random.default_rng([seed, 63, 3])
    images = []
    for number, wish in enumerate(islice(_starred(seed).wishes(_BEFORE), RATED)):
        three = [CHECKPOINTS[place] for place in rng.permutation(len(CHECKPOINTS))[:3]]
        for part in verdict(wish, [(name, 1) for name in three]):
            images.append(Before(wish.prompt, part.checkpoint, number, rating=float(part.selected > 0)))
    return images


AT_HAND = (
    World(
        "fifty",
        "fifty checkpoints, of which the eight best over all made the images that are there",
        PROMPTS,
        fifty,
        WINDOWS,
        before=before_fifty,
    ),
    World("habit", "one made most images by habit, another is better", PROMPTS, habit, WINDOWS, before=before_habit),
    World(
        "starred", "a hundred and fifty comparisons are rated already", PROMPTS, starred, WINDOWS, before=before_starred
    ),
)
