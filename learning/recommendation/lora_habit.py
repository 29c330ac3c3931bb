"""Which LoRAs a person uses for such prompts: what images say that nobody compared.

Images count as they do for settings (`parameter_habit`): by whether they were kept, and by their day. They count the
more, the more of what is rare in the prompt theirs has too: by the square of its part. Of what all images count, a
LoRA's share is the part of those that have it; hints (`lora_hints`) add to it, and are all there is before the first
image. docs/learning.md has how well this predicts what people use next.

Pure. Separate from `lora_comparisons`, which reads the images that were compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy
from numpy.typing import NDArray

from ..loras import lora_key
from ..model.confidence import Numbers
from ..parameters import MadeImage
from ..values import ImageSettings, Keyword
from .lora_hints import Hints
from .parameter_habit import ImageNumbers, Numbered, Places, extended, recency

GenerationsWith = Callable[[str], "Sequence[int] | NDArray[numpy.int64]"]
"""The numbers of the generations with a keyword."""

_PROMPT_POWER = 2.0
_FEW_GENERATIONS = 20.0
"""In so many a word in all of them is not yet known to be a common one."""
_HINT = 6.0
"""By how many times the odds of a LoRA are greater where everything speaks for it: one more than this."""
_NO_IMAGES, _SHARE_BY_HINT = 0.03, 0.6
"""What is believed before the first image, and what it counts: a trigger word in the prompt makes a use probable."""
_HALF_KNOWN = 1.5
_KNOWN_BY_HINT = 0.3


@dataclass(frozen=True, slots=True)
class LoraUse:
    """How much a person uses each of some LoRAs.

    Attributes
    ----------
    shares
        The part of the next images that is expected to have it, for this prompt, `[L]`.
    known
        How much is known of that, in 0..1, `[L]`: 0 where nothing is.
    images
        Images that used it, `[L]`.
    """

    shares: Numbers
    known: Numbers
    images: Numbers


class LoraHabit:
    """What the images of a log say of LoRAs, for any question.

    Parameters
    ----------
    images
        Oldest first; those whose LoRAs are not known say nothing.
    compared
        Places of images that do not count, because they were compared.
    former, known
        Of the same log earlier, whose first `known` images are the same: they are not read again.

    Attributes
    ----------
    keys
        The places of the LoRAs that are in the log, by their keys.
    """

    def __init__(
        self,
        images: Sequence[MadeImage],
        compared: Collection[int] = (),
        former: LoraHabit | None = None,
        known: int = 0,
    ) -> None:
        self._numbers: ImageNumbers = ImageNumbers(images, former._numbers if former else None, known)
        self._generations = self._numbers.generations
        self._read(images, former, known)
        weights = self._numbers.weights
        self._weights = weights * recency(self._numbers.days, weights)
        self._weights[self._not_known] = 0.0
        of_any = numpy.maximum(0.0, self._weights)
        self._weights[numpy.asarray(compared, numpy.intp)] = 0.0
        self._count = len(numpy.unique(self._generations))
        self._amounts = of_any[self._of_image]
        self._by_lora = numpy.argsort(self._of_lora, kind="stable")
        self._starts = numpy.searchsorted(self._of_lora[self._by_lora], numpy.arange(len(self.keys) + 1))
        self._strengths_used: dict[tuple[int, ...], float | None] = {}
        self._images = numpy.bincount(self._of_lora, weights[self._of_image] > 0.0, max(1, len(self.keys)))

    def _read(self, images: Sequence[MadeImage], former: LoraHabit | None, known: int) -> None:
        """The LoRAs of the images: those of the first `known` are those of the former."""
        keys, of_image, strengths = [], [], []
        for place in range(known, len(images)):
            for key, strength in _loras(images[place].settings):
                keys.append(key)
                of_image.append(place)
                strengths.append(strength)
        end = int(numpy.searchsorted(former._of_image, known)) if former else 0
        self._named: Numbered[str] = Numbered(keys, former._named if former else None, end)
        self.keys: Mapping[str, int] = self._named.numbers
        self._of_lora: Places = self._named.of_each
        self._of_image: Places = extended(former._of_image if former else None, end, of_image, numpy.intp)
        self._strengths: Numbers = extended(former._strengths if former else None, end, strengths, float)
        not_known = [image.settings.loras is None for image in images[known:]]
        self._not_known: NDArray[numpy.bool_] = extended(former._not_known if former else None, known, not_known, bool)

    def use(
        self,
        loras: Places,
        in_log: Places,
        hints: Hints,
        words: Iterable[Keyword],
        generations_with: GenerationsWith,
    ) -> LoraUse:
        """What is used for a prompt.

        Parameters
        ----------
        loras, in_log
            Pairs: the place of a LoRA of the question, and that of one of the log that is the same.
        words
            The keywords of the prompt.
        """
        count = self._weights * self._likeness(words, generations_with)
        total = float(numpy.maximum(0.0, count).sum())
        amounts = numpy.maximum(0.0, numpy.bincount(self._of_lora, count[self._of_image], max(1, len(self.keys))))
        mine: Numbers = numpy.bincount(loras, amounts[in_log], len(hints.strength)).astype(float)
        used: Numbers = numpy.bincount(loras, self._images[in_log], len(hints.strength)).astype(float)
        odds = mine * (1.0 + _HINT * hints.strength) + _NO_IMAGES * _SHARE_BY_HINT * hints.strength
        odds /= total - mine + _NO_IMAGES * (1.0 - _SHARE_BY_HINT * hints.strength)
        shares = odds / (1.0 + odds)
        known = total + _KNOWN_BY_HINT * hints.strength
        return LoraUse(shares, known / (known + _HALF_KNOWN), used)

    def strength(self, places: Collection[int]) -> float | None:
        """The strength that images used most; None where none did."""
        key = tuple(places)
        if key not in self._strengths_used:
            self._strengths_used[key] = self._most_used_strength(key)
        return self._strengths_used[key]

    def _most_used_strength(self, places: Iterable[int]) -> float | None:
        sums: dict[float, float] = {}
        for place in places:
            for image in self._by_lora[self._starts[place] : self._starts[place + 1]].tolist():
                strength, amount = float(self._strengths[image]), float(self._amounts[image])
                sums[strength] = sums.get(strength, 0.0) + amount
        best = max(sums, key=lambda each: sums[each], default=None)
        return best if best is not None and sums[best] > 0.0 else None

    def _likeness(self, words: Iterable[Keyword], generations_with: GenerationsWith) -> Numbers:
        """How much each image counts for a prompt, in 0..1: by the part of what is rare in it that theirs has."""
        if not len(self._generations):
            return numpy.zeros(0)
        first = int(self._generations[0])
        shared, all_weights = numpy.zeros(int(self._generations[-1]) - first + 1), 0.0
        for text in dict.fromkeys(word.text for word in words):
            numbers = generations_with(text)
            rarity = max(0.0, math.log((self._count + _FEW_GENERATIONS) / (len(numbers) + 1.0)))
            all_weights += rarity
            if len(numbers):
                shared[numpy.asarray(numbers, dtype=numpy.intp) - first] += rarity
        if not all_weights:
            return numpy.ones(len(self._generations))
        likeness: Numbers = (shared[self._generations - first] / all_weights) ** _PROMPT_POWER
        return likeness


@lru_cache(maxsize=10_000)
def _loras(settings: ImageSettings) -> tuple[tuple[str, float], ...]:
    """The keys and strengths of an image's LoRAs."""
    return tuple((lora_key(name), strength) for name, strength, _ in settings.loras or ())
