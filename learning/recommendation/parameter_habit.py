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

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy
from numpy.typing import DTypeLike, NDArray

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


class ImageNumbers:
    """How much each image of a log counts, its day and its generation, as arrays.

    Parameters
    ----------
    former, known
        Of the same log earlier, whose first `known` images are the same: they are not read again.

    Attributes
    ----------
    weights
        How far each says that the person used what made it (`weight`).
    """

    def __init__(self, images: Sequence[MadeImage], former: ImageNumbers | None = None, known: int = 0) -> None:
        new = images[known:]
        self.weights: Numbers = extended(former.weights if former else None, known, [*map(weight, new)], float)
        days = [image.made_at.toordinal() for image in new]
        self.days: NDArray[numpy.int64] = extended(former.days if former else None, known, days, numpy.int64)
        generations = [image.generation for image in new]
        self.generations: NDArray[numpy.int64] = extended(
            former.generations if former else None, known, generations, numpy.int64
        )


class Habit:
    """What the images of a log say of use, for any question.

    Parameters
    ----------
    images
        Oldest first.
    former, known
        Of the same log earlier, whose first `known` images are the same: they are not read again.
    """

    def __init__(self, images: Sequence[MadeImage], former: Habit | None = None, known: int = 0) -> None:
        self.numbers: ImageNumbers = ImageNumbers(images, former.numbers if former else None, known)
        self._weights, self._generations = self.numbers.weights, self.numbers.generations
        new = images[known:]
        self._checkpoints: Numbered[str] = Numbered(
            [image.checkpoint for image in new], former._checkpoints if former else None, known
        )
        self._settings: Numbered[ImageSettings] = Numbered(
            [image.settings for image in new], former._settings if former else None, known
        )
        self._recency = recency(self.numbers.days, self._weights)
        self._values: dict[ParameterName, Numbered[Value]] = {}
        self._former_values: Mapping[ParameterName, Numbered[Value]] = former._values if former else {}
        self._known_settings = int(self._settings.of_each[:known].max(initial=-1)) + 1
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
        without: Collection[int] | Places = (),
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
        numbered = self._values_of(name)
        values = list(numbered.numbers)
        of_image = numbered.of_each[self._settings.of_each] if len(numbered.of_each) else self._settings.of_each
        if default not in values:
            values = [*values, default]
        weights = self._weights.copy()
        weights[numpy.asarray(without, numpy.intp)] = 0.0
        weights[of_image < 0] = 0.0
        counted = weights > 0.0
        weights *= self._recency * self._likeness(words, shared)
        of_image = numpy.maximum(of_image, 0)
        of_checkpoint = self._checkpoints.of_each
        ours = of_checkpoint == self._checkpoints.numbers.get(checkpoint or "", -1)
        family = families.get(checkpoint or "", "")
        of_family = [
            number for name_, number in self._checkpoints.numbers.items() if family and families.get(name_) == family
        ]
        theirs = numpy.isin(of_checkpoint, of_family) if of_family else None

        def sums(which: NDArray[numpy.bool_] | None) -> Numbers:
            if which is None:
                return numpy.zeros(len(values))
            return numpy.maximum(0.0, numpy.bincount(of_image[which], weights[which], len(values)))

        root = numpy.array([float(value == default) for value in values])
        person = numpy.maximum(0.0, numpy.bincount(of_image, weights, len(values)))
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

    def _values_of(self, name: ParameterName) -> Numbered[Value]:
        """The values there are, and the number of that of each of the settings; -1 where it is not known."""
        if name not in self._values:
            former = self._former_values.get(name)
            known = self._known_settings if former else 0
            new = islice(self._settings.numbers, known, None)
            self._values[name] = Numbered([value_of(settings, name) for settings in new], former, known)
        return self._values[name]

    def _likeness(self, words: int, shared: Mapping[int, int]) -> Numbers:
        """How much each image counts for a prompt, in 0..1: those that share most of it count whole."""
        if not words:
            return numpy.ones(len(self._generations))
        if self._likenesses is None or self._likenesses[0] != (words, shared):
            parts = self._of_generations(shared) / words
            self._likenesses = (words, shared), (_UNLIKE + parts) / (_UNLIKE + parts.max(initial=0.0))
        return self._likenesses[1]

    def _of_generations(self, counts: Mapping[int, int]) -> Numbers:
        """For each image the number of its generation; 0 where there is none."""
        if not len(self._generations):
            return numpy.zeros(0)
        first = int(self._generations.min())
        numbers = numpy.fromiter(counts.keys(), numpy.int64, len(counts)) - first
        span = int(self._generations.max()) - first + 1
        there = (numbers >= 0) & (numbers < span)
        of_all = numpy.zeros(span)
        of_all[numbers[there]] = numpy.fromiter(counts.values(), float, len(counts))[there]
        found: Numbers = of_all[self._generations - first]
        return found


class Numbered(Generic[T]):
    """Numbers from 0 for values, in the order in which they come.

    Parameters
    ----------
    new
        The values; None has no number. With `former`, those after its first `known`.

    Attributes
    ----------
    numbers
        By value.
    of_each
        The number of each; -1 for None.
    """

    def __init__(self, new: Iterable[T | None], former: Numbered[T] | None = None, known: int = 0) -> None:
        before = former.of_each[:known] if former else numpy.zeros(0, numpy.intp)
        self.numbers: dict[T, int] = former.numbers.copy() if former else {}
        while len(self.numbers) > before.max(initial=-1) + 1:
            self.numbers.popitem()  # what came later in the former one
        of_new = [-1 if value is None else self.numbers.setdefault(value, len(self.numbers)) for value in new]
        self.of_each: Places = numpy.concatenate([before, numpy.array(of_new, numpy.intp)])


def extended(former: NDArray[Any] | None, known: int, new: Sequence[Any], kind: DTypeLike) -> NDArray[Any]:
    """The first `known` of an array, and new ones."""
    added = numpy.array(new, dtype=kind)
    return added if former is None else numpy.concatenate([former[:known], added])


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
