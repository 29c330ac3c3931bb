"""What a world is: a name, how many prompts, and wishes from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from ..wishes import BAR, Numbers, Wish


@dataclass(frozen=True, slots=True)
class Before:
    """An image that was made before the first prompt, on which day, and its rating; None: it has none.

    Images of one prompt and day were seen together.
    """

    prompt: str
    checkpoint: str
    day: int
    rating: float | None = None


def nothing_before(seed: int, data: Path | None) -> Sequence[Before]:
    """As most worlds begin."""
    return ()


OtherPeople = Callable[[int, "Path | None"], "Sequence[Iterator[Wish]]"]
"""Gives the wishes of other people from a seed and a data folder; each person's in order."""


def nobody_else(seed: int, data: Path | None) -> Sequence[Iterator[Wish]]:
    """As in most worlds."""
    return ()


@dataclass(frozen=True, slots=True)
class World:
    """One kind of person and prompts.

    Attributes
    ----------
    description
        One line below its name in the tables.
    wishes
        Gives the world's wishes in order; the same for the same seed and data folder.
    windows
        Spans of prompts `(first, last + 1)` that are reported.
    needs
        Files that must lie in the data folder.
    valued
        True where utilities are people's ratings, and the value of the first recommendation is reported.
    flip
        The prompt at which tastes change, where they do.
    before
        Gives the images that the person has before the first prompt, in order, as `wishes` does.
    others
        Gives the wishes of other people, whose verdicts came before; each person's in order.
    """

    name: str
    description: str
    prompts: int
    wishes: Callable[[int, Path | None], Iterator[Wish]]
    windows: tuple[tuple[int, int], ...]
    needs: tuple[str, ...] = ()
    valued: bool = False
    flip: int | None = None
    before: Callable[[int, Path | None], Sequence[Before]] = nothing_before
    others: OtherPeople = nobody_else

    def missing(self, data: Path | None) -> str:
        """What it needs and is missing, or nothing."""
        if all(data is not None and (data / name).is_file() for name in self.needs):
            return ""
        return f"--data DIR with {' and '.join(self.needs)}"


class Moods:
    """How one person sees single pictures: Gumbel noise, as the choice model assumes, drawn per wish."""

    def __init__(self, rng: numpy.random.Generator, *, scale: float = 1.0) -> None:
        self._rng = rng
        self._scale = scale

    def noise(self, candidates: int, images: int = 1) -> Numbers:
        return self._scale * self._rng.gumbel(size=(candidates, images))

    def bar(self, height: float = BAR) -> float:
        return height + self._scale * float(self._rng.gumbel())


GENERAL_DEVIATION, KIND_DEVIATION = 0.5, 1.4
"""Standard deviations of checkpoints' overall utilities, and of their deviations for one kind of prompts."""


def general_utilities(rng: numpy.random.Generator, checkpoints: int) -> Numbers:
    """How good each checkpoint is in general, `[checkpoints]`."""
    return rng.normal(0.0, GENERAL_DEVIATION, checkpoints)


def tastes(rng: numpy.random.Generator, kinds: int, checkpoints: int, general: Numbers | None = None) -> Numbers:
    """Utilities `[kinds, checkpoints]`: how good a checkpoint is in general (drawn first if not given), and how it
    does each kind.

    Their standard deviation is 1.5, that of the noise of single pictures 1.28: the worst of a dozen is hardly
    ever kept, and the best of them is passed over now and then.
    """
    if general is None:
        general = general_utilities(rng, checkpoints)
    return general + rng.normal(0.0, KIND_DEVIATION, (kinds, checkpoints))
