"""Nine checkpoints, seven styles, one person: the plain world, and the same one written with boosters.

A prompt has two to four of its style's words, one of many subjects, a place now and then, and in one prompt
of eight a word of another style. `boosters` is the same person with the same wishes, who writes "masterpiece"
into each of them and weights in ComfyUI's syntax: a policy that reads prompts must not notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World, tastes
from .vocabulary import BOOSTERS as BOOSTER_WORDS
from .vocabulary import PLACES, STYLE_WORDS, SUBJECTS

CHECKPOINTS = tuple(f"checkpoint-{number}.safetensors" for number in range(1, 10))
KINDS = 7
PROMPTS = 1200

_STRAY_WORD = 1 / 8
_PLACE = 0.4


class Writer:
    """Writes prompts of the seven styles that one person uses."""

    def __init__(self, rng: numpy.random.Generator, kinds: int = KINDS) -> None:
        self._rng = rng
        self.styles: Sequence[str] = rng.permutation(sorted(STYLE_WORDS))[:kinds].tolist()

    def parts(self, kind: int) -> list[str]:
        """A prompt in the given style, as its parts in the order in which they are written."""
        rng = self._rng
        words = STYLE_WORDS[self.styles[kind]]
        parts = rng.choice(words, rng.integers(2, 5), replace=False).tolist()
        if rng.random() < _STRAY_WORD:
            other = self.styles[int(rng.integers(len(self.styles)))]
            parts.append(str(rng.choice(STYLE_WORDS[other])))
        subject = str(rng.choice(SUBJECTS))
        if rng.random() < _PLACE:
            subject = f"{subject} {rng.choice(PLACES)}"
        parts.insert(int(rng.integers(2)), subject)
        return parts


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """The plain world."""
    for parts, wish in _wishes(seed, prompts):
        yield replace(wish, prompt=", ".join(parts))


def boosted(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """The same wishes of the same person, with boosters before them and one part emphasised."""
    rng = numpy.random.default_rng([seed, 99])
    for parts, wish in _wishes(seed, prompts):
        stressed = int(rng.integers(len(parts)))
        weight = float(rng.choice([0.8, 1.1, 1.2, 1.3]))
        written = [f"({part}:{weight:g})" if at == stressed else part for at, part in enumerate(parts)]
        yield replace(wish, prompt=", ".join([BOOSTER_WORDS, *written]))


def _wishes(seed: int, prompts: int) -> Iterator[tuple[list[str], Wish]]:
    rng = numpy.random.default_rng([seed, 1])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 2]))
    liked = tastes(rng, KINDS, len(CHECKPOINTS))
    for _ in range(prompts):
        kind = int(rng.integers(KINDS))
        parts = writer.parts(kind)
        yield parts, Wish("", CHECKPOINTS, liked[kind], moods.noise(len(CHECKPOINTS)), moods.bar())


WINDOWS = ((150, 300), (900, 1200))
STYLES = World("styles", "nine checkpoints, seven styles", PROMPTS, wishes, WINDOWS)
BOOSTERS = World("boosters", "the same with boosters and weights in every prompt", PROMPTS, boosted, WINDOWS)
