"""Which values of a parameter a person uses: what images say that nobody compared.

A kept image says that the person used its value, and so does an imported one that nobody rated: people keep what they
like enough. A rejected one says the opposite, weakly. That is habit more than taste: it sets where verdicts on values
start from (`parameter_choice`), and they overcome it.

An image counts the more, the more its prompt shares with the one in question, and the newer it is: half after three
later days on which images were made. The images of one day count as the square root of their number. The shares of the
values with one checkpoint are shrunk to those with its family, these to the person's, and these to the default (a
Dirichlet prior at each step: MacKay and Peto, A Hierarchical Dirichlet Language Model, Natural Language Engineering 1,
1995). `docs/learning.md` has how well this predicts what people use next.

Pure. Separate from `parameter_comparisons`, which reads the images that were compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy
from numpy.typing import NDArray

from ..model.confidence import Numbers
from ..parameters import MadeImage, ParameterName, Value, value_of
from ..values import IMPORTED, ImageSettings

T = TypeVar("T")
Places = NDArray[numpy.intp]

HALF_LIFE_DAYS = 3.0
_REJECTED = -0.3
_UNLIKE = 0.2
_SHRUNK_TO_FAMILY = 2.0
_SHRUNK_TO_PERSON = 1.0
_SHRUNK_TO_DEFAULT = 0.25
_HALF_KNOWN = 1.5


@dataclass(frozen=True, slots=True)
class Use:
    """How much a person uses each value.

    Attributes
    ----------
    shares
        The part of the next images that is expected to have each value, for this prompt and checkpoint; with the
        default, they sum to 1.
    amount
        How much is known, in 0..1: 0 where nothing is.
    counts, of_checkpoint
        Images that used each value: with the checkpoint, if there are such images, else with any.
    """

    shares: Mapping[Value, float]
    amount: float
    counts: Mapping[Value, int]
    of_checkpoint: bool


class Habit:
    """What the images of a log say of use, for any question.

    Parameters
    ----------
    images
        Oldest first.
    """

    def __init__(self, images: Sequence[MadeImage]) -> None:
        self._weights = numpy.array([weight(image) for image in images], dtype=float)
        self._generations = numpy.array([image.generation for image in images], dtype=numpy.int64)
        self._checkpoints = _Numbered[str]()
        self._of_checkpoint = numpy.array([self._checkpoints.number(image.checkpoint) for image in images], numpy.intp)
        self._settings = _Numbered[ImageSettings]()
        self._of_settings = numpy.array([self._settings.number(image.settings) for image in images], numpy.intp)
        days = numpy.array([image.made_at.toordinal() for image in images], dtype=numpy.int64)
        self._recency = recency(days, self._weights)
        self._values: dict[ParameterName, tuple[list[Value], Places]] = {}
        self._likenesses: tuple[tuple[int, Mapping[int, int]], Numbers] | None = None

    @property
    def first(self) -> int:
        """The number of the oldest generation."""
        return int(self._generations[0]) if len(self._generations) else 0

    def use(
        self,
        name: ParameterName,
        default: Value,
        checkpoint: str | None,
        families: Mapping[str, str],
        *,
        words: int,
        shared: Mapping[int, int],
        without: Collection[int] = (),
    ) -> Use:
        """What is used for a prompt.

        Parameters
        ----------
        families
            Of checkpoints, as far as they are known.
        words
            How many keywords the prompt has.
        shared
            How many of them each generation has.
        without
            Places of images that do not count, because they were compared.
        """
        values, of_image = self._values_of(name)
        if default not in values:
            values = [*values, default]
        weights = self._weights.copy()
        weights[list(without)] = 0.0
        weights[of_image < 0] = 0.0
        counted = weights > 0.0
        weights *= self._recency * self._likeness(words, shared)
        of_image = numpy.maximum(of_image, 0)
        ours = self._of_checkpoint == self._checkpoints.numbers.get(checkpoint or "", -1)
        family = families.get(checkpoint or "", "")
        of_family = [
            number for name_, number in self._checkpoints.numbers.items() if family and families.get(name_) == family
        ]
        theirs = numpy.isin(self._of_checkpoint, of_family)

        def sums(which: NDArray[numpy.bool_]) -> Numbers:
            return numpy.maximum(0.0, numpy.bincount(of_image, weights * which, len(values)))

        root = numpy.array([float(value == default) for value in values])
        person = sums(numpy.ones(len(weights), dtype=bool))
        shares = _shrunk(person, root, _SHRUNK_TO_DEFAULT)
        shares = _shrunk(sums(theirs), shares, _SHRUNK_TO_PERSON)
        shares = _shrunk(sums(ours), shares, _SHRUNK_TO_FAMILY)
        known = float(person.sum())
        own = bool((counted & ours).any())
        counts = numpy.bincount(of_image[counted & ours if own else counted], minlength=len(values))
        return Use(
            dict(zip(values, shares.tolist(), strict=True)),
            known / (known + _HALF_KNOWN),
            {value: count for value, count in zip(values, counts.tolist(), strict=True) if count},
            own,
        )

    def _values_of(self, name: ParameterName) -> tuple[list[Value], Places]:
        """The values there are, and the number of each image's value; -1 where it is not known."""
        if name not in self._values:
            numbered = _Numbered[Value]()
            of_settings = [
                -1 if (value := value_of(settings, name)) is None else numbered.number(value)
                for settings in self._settings.numbers
            ]
            of_image = numpy.array(of_settings, numpy.intp)[self._of_settings] if of_settings else self._of_settings
            self._values[name] = list(numbered.numbers), of_image
        return self._values[name]

    def _likeness(self, words: int, shared: Mapping[int, int]) -> Numbers:
        """How much each image counts for a prompt, in 0..1: those that share most of it count whole."""
        if not words:
            return numpy.ones(len(self._generations))
        if self._likenesses is None or self._likenesses[0] != (words, shared):
            parts = numpy.array([shared.get(number, 0) for number in self._generations.tolist()], dtype=float) / words
            self._likenesses = (words, shared), (_UNLIKE + parts) / (_UNLIKE + parts.max(initial=0.0))
        return self._likenesses[1]


class _Numbered(Generic[T]):
    """Numbers from 0 for values, in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def weight(image: MadeImage) -> float:
    """How far an image says that the person used what made it."""
    if image.mark == "+" or (image.mark == "." and image.policy == IMPORTED):
        return 1.0
    return _REJECTED if image.mark == "-" else 0.0


def recency(days: NDArray[numpy.int64], weights: Numbers) -> Numbers:
    """How much an image counts by its day."""
    used, of_day = numpy.unique(days[weights > 0.0], return_inverse=True)
    if not len(used):
        return numpy.ones(len(days))
    counts = numpy.bincount(of_day, minlength=len(used)).astype(float)
    place = numpy.clip(numpy.searchsorted(used, days, side="right") - 1, 0, len(used) - 1)
    age = len(used) - 1 - place
    by_image: Numbers = counts[place] ** -0.5 * 0.5 ** (age / HALF_LIFE_DAYS)
    return by_image


def _shrunk(sums: Numbers, prior: Numbers, strength: float) -> Numbers:
    shrunk: Numbers = (sums + strength * prior) / (sums.sum() + strength)
    return shrunk
