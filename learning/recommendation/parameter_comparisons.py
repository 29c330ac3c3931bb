"""Which images are a comparison of a parameter's values, and what its verdicts add up to.

A comparison teaches that in which its images differ. Images of one generation that are alike in checkpoint, LoRAs and
all other settings, and have two values or more of a parameter, are a choice among these values: a comparison as
between checkpoints, with the values as arms. The sums and models are those of checkpoints (`model.accumulator`). To the
prompt's keywords comes one for the checkpoint and one for its family: what is known of values with other checkpoints is
what is known of them overall.

Pure. Separate from `parameter_habit`, which reads the images that were not compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..model.accumulator import Accumulator
from ..model.evidence import Comparison, Evidence
from ..parameters import MadeImage, ParameterName, shown_value, value_of
from ..values import ImageSettings, Keyword, Shown, Stage

MOST_COMPARISONS = 300
BLOCK = 256
"""Where there are more, those from a generation on count whose number is a multiple of it: so the oldest one stays the
same for a while, and a new verdict is added to the sums instead of summing up all again."""
_NOT_JUDGED = "."
_ADDED = "\n"


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """Images of one generation that differ in the value of one parameter alone."""

    generation: int
    checkpoint: str
    shown: tuple[Shown, ...]
    stage: Stage


def compared(images: Sequence[MadeImage], name: ParameterName) -> tuple[list[ComparedValues], set[int]]:
    """All comparisons of a parameter, oldest first, and the places in `images` of what was compared."""
    groups: defaultdict[tuple[int, str, ImageSettings], list[int]] = defaultdict(list)
    for start, end in _mixed(images):
        for place in range(start, end):
            image = images[place]
            groups[image.generation, image.checkpoint, _apart_from(image.settings, name)].append(place)
    found, places = [], set[int]()
    for (generation, checkpoint, _), group in groups.items():
        parts: dict[str, Shown] = {}
        for place in group:
            value = value_of(images[place].settings, name)
            if value is not None:
                arm, mark = shown_value(value), images[place].mark
                part = parts.get(arm, Shown(arm, 0))
                parts[arm] = Shown(arm, part.images + 1, part.selected + (mark == "+"), part.rejected + (mark == "-"))
        if len(parts) > 1 and any(part.judged for part in parts.values()):
            found.append(ComparedValues(generation, checkpoint, tuple(parts.values()), images[group[0]].stage))
            places.update(group)
    return _newest(found), places


def _mixed(images: Sequence[MadeImage]) -> Iterable[tuple[int, int]]:
    """Where the images of each judged generation begin and end that has several settings."""
    start = 0
    for place in range(1, len(images) + 1):
        if place == len(images) or images[place].generation != images[start].generation:
            of_it = images[start:place]
            if any(image.settings != of_it[0].settings for image in of_it[1:]) and any(
                image.mark != _NOT_JUDGED for image in of_it
            ):
                yield start, place
            start = place


@lru_cache(maxsize=4096)
def _apart_from(settings: ImageSettings, name: ParameterName) -> ImageSettings:
    if name == "size":
        return replace(settings, width=None, height=None)
    return replace(settings, **{name: None})


def _newest(found: list[ComparedValues]) -> list[ComparedValues]:
    if len(found) <= MOST_COMPARISONS:
        return found
    first = found[-MOST_COMPARISONS].generation // BLOCK * BLOCK
    return [each for each in found if each.generation >= first]


def context(words: Iterable[Keyword], checkpoint: str | None, family: str) -> tuple[Keyword, ...]:
    """A prompt's keywords, and one for the checkpoint and its family. No prompt has such keywords."""
    added = [
        Keyword(f"{_ADDED}{kind} {name}") for kind, name in (("checkpoint", checkpoint), ("family", family)) if name
    ]
    return (*words, *added)


def is_added(keyword: str) -> bool:
    """Whether `context` added it to a prompt's keywords."""
    return keyword.startswith(_ADDED)


class ValueSums:
    """What the comparisons of one parameter add up to. New ones are added; where others changed, all are summed."""

    def __init__(self) -> None:
        self._summed: list[Comparison] = []
        self._sums = Accumulator()

    def bring_up_to_date(
        self,
        comparisons: Sequence[ComparedValues],
        words: Mapping[int, Collection[Keyword]],
        families: Mapping[str, str],
    ) -> ValueSums:
        """Have the sums of exactly these comparisons, in their order.

        Parameters
        ----------
        words
            The keywords of each comparison's generation.
        families
            Of checkpoints, as far as they are known.
        """
        wanted = [
            Comparison(
                context(words[each.generation], each.checkpoint, families.get(each.checkpoint, "")),
                each.shown,
                each.stage,
            )
            for each in comparisons
        ]
        known = len(self._summed)
        if wanted[:known] != self._summed:
            known, self._sums = 0, Accumulator()
        for comparison in wanted[known:]:
            self._sums.add(comparison)
        self._summed = wanted
        return self

    @property
    def judged(self) -> dict[str, float]:
        """How many images with each value were judged, by its text."""
        return {arm: sums.total for (word, arm), sums in self._sums.pairs.items() if not word}

    def evidence(self, words: Sequence[Keyword], arms: Sequence[str]) -> Evidence:
        """What is known of these values for these keywords (`context`)."""
        return self._sums.evidence(words, arms)
