"""Which words a negative prompt lacks: what the person's kept images of such prompts had in theirs.

All images of one generation have one negative prompt, so no comparison within a generation says anything of its words.
What does is the difference between generations of like prompts:

1. the share of the word in what was kept for such prompts: habit, as for settings (`parameter_habit`);
2. by how much more of such images were kept with it than without it. Both rates are shrunk to the rate of all.

A word is worth adding where the share and twice the difference exceed one half together: the person more probably
wants it than not. Twice, because habit goes on by itself, also with words that do harm. A word that stands everywhere
is suggested only where it has been left out.

A word is suggested as the person writes it most, where the log knows that, and is counted too where it stands only in
their own graph.

An image counts the more, the more keywords its prompt and negative prompt share with the question; `docs/learning.md`
has how well this predicts the negative prompts of real people. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy
from numpy.typing import NDArray

from ..message import Message, message
from ..model.confidence import Numbers
from ..negative_words import SuggestedWord
from ..parameters import MadeImage
from ..prompts.keywords import NEGATIVE, whole_tags
from ..prompts.written_negative import spellings
from ..values import IMPORTED, Keyword

MOST_WORDS = 12
WORTH_ADDING = 0.5
_GAIN_COUNTS = 2.0
HALF_LIFE_DAYS = 2.0
"""Of days on which images were made."""
_UNLIKE = 0.05
_SAME_CHECKPOINT = 2.0
_NOT_USED = 0.5
"""Images without the word that are assumed before any is known."""
_SHRUNK = 4.0
"""Images with the rate of all that are added to those with a word, and to those without it."""
_EMBEDDING = f"{NEGATIVE}embedding:"
"""A keyword has lost its file's upper-case letters, by which ComfyUI finds it on most systems: none is suggested."""

Flags = NDArray[numpy.bool_]
_Read = tuple[Sequence[Keyword], tuple[str, ...]]
"""A generation's keywords, and the tags of its negative prompt."""


class NegativeLog:
    """What the images of a log say of negative words, for any question.

    Parameters
    ----------
    images
        Oldest first.
    words
        The keywords of their generations, by their numbers.
    former
        What an earlier state of the log said.
    notes
        The negative prompts of generations as they were written, where that is known (`prompts.written_negative`).
    """

    def __init__(
        self,
        images: Sequence[MadeImage],
        words: Mapping[int, Sequence[Keyword]],
        former: NegativeLog | None = None,
        notes: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        read: Mapping[int, _Read] = former._read if former else {}
        numbers = {number: row for row, number in enumerate(dict.fromkeys(image.generation for image in images))}
        self._read: dict[int, _Read] = {
            number: read[number]
            if number in read and read[number][0] is words[number]
            else _tags(words[number], notes.get(number, ""))
            for number in numbers
        }
        self._numbers = list(numbers)
        self._written: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for number in numbers:
            for tag, written in spellings(notes[number]).items() if number in notes else ():
                self._written[tag][written] += 1
        self._tags: dict[str, int] = {}
        pairs = [
            (row, self._tags.setdefault(tag, len(self._tags)))
            for number, row in numbers.items()
            for tag in self._read[number][1]
        ]
        self._rows, self._columns = numpy.array(pairs, numpy.intp).reshape(-1, 2).T
        self._of_image = numpy.array([numbers[image.generation] for image in images], numpy.intp)
        self._checkpoints = [image.checkpoint for image in images]
        marks = numpy.array([image.mark for image in images], dtype="U1")
        imported = numpy.array([image.policy == IMPORTED for image in images], dtype=bool)
        self._kept, self._judged = (marks == "+").astype(float), (marks != ".").astype(float)
        self._used = numpy.maximum(self._kept, (imported & (marks == ".")).astype(float))
        days = numpy.array([image.made_at.toordinal() for image in images], dtype=numpy.int64)
        self._habit = self._used * _recency(days, self._used)

    def suggest(
        self,
        checkpoint: str | None,
        words: int,
        shared: Mapping[int, int],
        without: Collection[str],
        *,
        worth: float = WORTH_ADDING,
        most: int = MOST_WORDS,
    ) -> tuple[SuggestedWord, ...]:
        """The words worth adding, best first.

        Parameters
        ----------
        words
            How many keywords the prompt and the negative prompt have.
        shared
            How many of them each generation has.
        without
            Words that are no suggestion: those of the prompt, and those that are there already.
        worth, most
            The score above which a word is suggested, and how many are.
        """
        parts = numpy.array([shared.get(number, 0) for number in self._numbers], dtype=float) / max(1, words)
        nearest = float(parts.max(initial=0.0))
        likeness = ((_UNLIKE + parts) / (_UNLIKE + nearest)) ** 2
        ours = numpy.array([_SAME_CHECKPOINT if name == checkpoint else 1.0 for name in self._checkpoints])
        habit, kept, judged = (
            likeness * self._of_generation(counts * ours) for counts in (self._habit, self._kept, self._judged)
        )
        shares = self._with(habit) / (float(habit.sum()) + _NOT_USED)
        gains = self._gains(kept, judged)
        scores = shares + _GAIN_COUNTS * gains
        such = 2.0 * parts >= nearest
        order = sorted(self._tags.items(), key=lambda item: -scores[item[1]])
        chosen = [
            (tag, number)
            for tag, number in order
            if scores[number] > worth and shares[number] > 0.0 and tag not in without
        ][:most]
        return tuple(
            SuggestedWord(
                self._spelled(tag),
                float(scores[number]),
                float(shares[number]),
                float(gains[number]),
                self._reason(number, such, some=nearest > 0.0),
            )
            for tag, number in chosen
        )

    def _spelled(self, tag: str) -> str:
        """A tag as the person writes it most; the first of the alphabet, where two are as frequent."""
        written = self._written.get(tag) or {tag: 1}
        return min(written, key=lambda spelling: (-written[spelling], spelling))

    def _of_generation(self, counts: Numbers) -> Numbers:
        """The sum of each generation's images."""
        return numpy.bincount(self._of_image, counts, len(self._numbers)).astype(float)

    def _with(self, counts: Numbers) -> Numbers:
        """The sum of the generations with each tag."""
        return numpy.bincount(self._columns, counts[self._rows], len(self._tags)).astype(float)

    def _gains(self, kept: Numbers, judged: Numbers) -> Numbers:
        all_kept, all_judged = float(kept.sum()), float(judged.sum())
        if not all_judged:
            return numpy.zeros(len(self._tags))
        kept_with, judged_with = self._with(kept), self._with(judged)
        added = _SHRUNK * all_kept / all_judged
        rate_with: Numbers = (kept_with + added) / (judged_with + _SHRUNK)
        rate_without: Numbers = (all_kept - kept_with + added) / (all_judged - judged_with + _SHRUNK)
        return rate_with - rate_without

    def _reason(self, number: int, such: Flags, *, some: bool) -> Message:
        """Why a tag is suggested, in counts of the images of such prompts; of all, if no prompt is like this one."""
        having = numpy.zeros(len(self._numbers), dtype=bool)
        having[self._rows[self._columns == number]] = True
        used, kept, judged = (self._of_generation(counts) for counts in (self._used, self._kept, self._judged))
        selected, total = int(kept[such & having].sum()), int(judged[such & having].sum())
        others_selected, others = int(kept[such & ~having].sum()), int(judged[such & ~having].sum())
        if total and others and selected * others > others_selected * total:
            counts = {"selected": selected, "total": total, "others_selected": others_selected, "others": others}
            if some:
                return message(
                    "negative_kept",
                    "You kept {selected} of {total} images of such prompts with it, {others_selected} of {others} "
                    "without.",
                    **counts,
                )
            return message(
                "negative_kept_ever",
                "You kept {selected} of {total} images with it, {others_selected} of {others} without.",
                **counts,
            )
        of_such = int(used[such & having].sum())
        if some and of_such:
            return message(
                "negative_used",
                "{used} of {total} images that you kept of such prompts have it.",
                used=of_such,
                total=int(used[such].sum()),
            )
        return message(
            "negative_used_ever",
            "{used} of {total} images that you kept have it.",
            used=int(used[having].sum()),
            total=int(used.sum()),
        )


def _tags(words: Sequence[Keyword], note: str) -> _Read:
    negative = (
        word.text.removeprefix(NEGATIVE)
        for word in words
        if word.text.startswith(NEGATIVE) and not word.text.startswith(_EMBEDDING)
    )
    return words, tuple(whole_tags((*negative, *(spellings(note) if note else ()))))


def _recency(days: NDArray[numpy.int64], used: Numbers) -> Numbers:
    """How much an image counts by its day: half after `HALF_LIFE_DAYS` later days with images, a day as the square
    root of its images."""
    if not used.any():
        return numpy.ones(len(days))
    of_use = days[used > 0.0]
    order, of_day = numpy.unique(of_use, return_inverse=True)
    counts = numpy.bincount(of_day, used[used > 0.0], len(order))
    place = numpy.clip(numpy.searchsorted(order, days, side="right") - 1, 0, len(order) - 1)
    recency: Numbers = counts[place] ** -0.5 * 0.5 ** ((len(order) - 1 - place) / HALF_LIFE_DAYS)
    return recency
