"""Which images are a comparison of a parameter's values, and what its verdicts add up to.

A comparison teaches that in which its images differ. Images of one generation that are alike in checkpoint, LoRAs and
all other settings, and have two values or more of a parameter, are a choice among these values: a comparison as
between checkpoints, with the values as arms. The sums and models are those of checkpoints (`model.accumulator`). To the
prompt's keywords comes one for the checkpoint and one for its family: what is known of values with other checkpoints is
what is known of them overall.

Pure. Separate from `parameter_habit`, which reads the images that were not compared.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Literal, Protocol, TypeVar

from ..model.accumulator import Accumulator
from ..model.evidence import Comparison, Evidence
from ..parameters import PARAMETERS, MadeImage, ParameterName, shown_value, value_of
from ..values import ImageSettings, Keyword, Shown, Stage

MOST_COMPARISONS = 300
BLOCK = 256
"""Where there are more, those from a generation on count whose number is a multiple of it: so the oldest one stays the
same for a while, and a new verdict is added to the sums instead of summing up all again."""
_NOT_JUDGED = "."
ADDED = "\n"
"""What no keyword of a prompt and no name begins with."""


class OfGeneration(Protocol):
    """What was compared in one generation."""

    @property
    def generation(self) -> int: ...


C = TypeVar("C", bound=OfGeneration)


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """Images of one generation that differ in the value of one parameter alone; `places` has theirs in the log."""

    generation: int
    checkpoint: str
    shown: tuple[Shown, ...]
    stage: Stage
    places: tuple[int, ...]


def compared(images: Sequence[MadeImage], start: int = 0) -> dict[ParameterName, list[ComparedValues]]:
    """All comparisons of each parameter, oldest first, in the images from `start` on."""
    found: dict[ParameterName, list[ComparedValues]] = {name: [] for name in PARAMETERS}
    for begin, end in mixed(images, start):
        for name in PARAMETERS:
            found[name] += _compared_in(images, begin, end, name)
    return found


def _compared_in(images: Sequence[MadeImage], begin: int, end: int, name: ParameterName) -> Iterable[ComparedValues]:
    groups: defaultdict[tuple[str, ImageSettings], list[int]] = defaultdict(list)
    for place in range(begin, end):
        groups[images[place].checkpoint, apart_from(images[place].settings, name)].append(place)
    for (checkpoint, _), places in groups.items():
        parts: dict[str, Shown] = {}
        for place in places:
            value = value_of(images[place].settings, name)
            if value is not None:
                arm, mark = shown_value(value), images[place].mark
                part = parts.get(arm, Shown(arm, 0))
                parts[arm] = Shown(arm, part.images + 1, part.selected + (mark == "+"), part.rejected + (mark == "-"))
        if len(parts) > 1 and any(part.judged for part in parts.values()):
            first = images[begin]
            yield ComparedValues(first.generation, checkpoint, tuple(parts.values()), first.stage, tuple(places))


def mixed(images: Sequence[MadeImage], start: int) -> Iterable[tuple[int, int]]:
    """Where the images of each judged generation begin and end that has several settings."""
    for place in range(start + 1, len(images) + 1):
        if place == len(images) or images[place].generation != images[start].generation:
            of_it = images[start:place]
            if any(image.settings != of_it[0].settings for image in of_it[1:]) and any(
                image.mark != _NOT_JUDGED for image in of_it
            ):
                yield start, place
            start = place


@lru_cache(maxsize=4096)
def apart_from(settings: ImageSettings, name: ParameterName | Literal["loras"]) -> ImageSettings:
    """All settings but one."""
    if name == "size":
        return replace(settings, width=None, height=None)
    return replace(settings, **{name: None})


def newest(found: list[C]) -> list[C]:
    """The newest `MOST_COMPARISONS`, and some more."""
    if len(found) <= MOST_COMPARISONS:
        return found
    first = found[-MOST_COMPARISONS].generation // BLOCK * BLOCK
    return [each for each in found if each.generation >= first]


def same_objects(former: Sequence[object], now: Sequence[object]) -> int:
    """How many are the first ones of both."""
    return sum(takewhile(bool, map(operator.is_, former, now)))


def context(words: Iterable[Keyword], checkpoint: str | None, family: str) -> tuple[Keyword, ...]:
    """A prompt's keywords, and one for the checkpoint and its family. No prompt has such keywords."""
    added = [
        Keyword(f"{ADDED}{kind} {name}") for kind, name in (("checkpoint", checkpoint), ("family", family)) if name
    ]
    return (*words, *added)


def is_added(keyword: str) -> bool:
    """Whether `context` added it to a prompt's keywords."""
    return keyword.startswith(ADDED)


class ValueSums:
    """What the comparisons of one parameter add up to. New ones are added; where others changed, all are summed.

    Attributes
    ----------
    judged
        How many images with each value were judged, by its text.
    """

    def __init__(self) -> None:
        self.judged: Mapping[str, float] = {}
        self._of: tuple[Sequence[ComparedValues], Mapping[str, str]] = (), {}
        self._summed: list[Comparison] = []
        self._sums = Accumulator()

    def bring_up_to_date(
        self,
        comparisons: Sequence[ComparedValues],
        words: Mapping[int, Collection[Keyword]],
        families: Mapping[str, str],
    ) -> None:
        """Have the sums of exactly these comparisons, in their order.

        Parameters
        ----------
        words
            The keywords of each comparison's generation.
        families
            Of checkpoints, as far as they are known.
        """
        families = {each.checkpoint: families.get(each.checkpoint, "") for each in comparisons}
        of = comparisons, families
        if of == self._of:
            return
        before, known_families = self._of
        same = same_objects(before, comparisons)
        if any(families[each.checkpoint] != known_families[each.checkpoint] for each in comparisons[:same]):
            same = 0
        wanted = self._summed[:same] + [
            Comparison(
                context(words[each.generation], each.checkpoint, families[each.checkpoint]), each.shown, each.stage
            )
            for each in comparisons[same:]
        ]
        self.sum_up(wanted)
        self._of = of

    def sum_up(self, wanted: list[Comparison]) -> None:
        """Have the sums of exactly these comparisons, in their order."""
        known = len(self._summed)
        if wanted[:known] != self._summed:
            known, self._sums = 0, Accumulator()
        for comparison in wanted[known:]:
            self._sums.add(comparison)
        self._summed = wanted
        self.judged = self._sums.judged

    def evidence(self, words: Sequence[Keyword], arms: Sequence[str]) -> Evidence:
        """What is known of these values for these keywords (`context`)."""
        if not self._summed:
            return Evidence()
        return self._sums.evidence(words, arms)
