"""Which checkpoints a person works with: what images say that nobody rated.

Separate from the models of verdicts, because use is not taste. Which checkpoint somebody uses next follows above all
from what they used last, and from the prompt hardly (docs/arena.md has the figures). So here it is told apart what is
habit and what may be taste:

1. *Habit* is the share that each checkpoint has in what was made, where a day with images counts half as much as the
   next one, mixed with an even share for all. It says which checkpoints to compare, not which is better.
2. *Taste* may be where the prompt makes a difference beyond that: the choice less the habit just before it, summed for
   each keyword like the gradient of a verdict. How far that predicts the person's own later choices is measured on
   them; where it does not, it counts nothing. Where it does, a use counts as a small part of a verdict.

It refuses to know what was rated: those images are verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

from .confidence import Numbers

RECENT = 0.85
"""The weight of the recent share against an even one; fitted on galleries of eighty people (docs/arena.md)."""
_DAY_DECAY = 0.5  # fitted there too: what a day with images counts less for each later one
_WEIGHTS = numpy.array([0.0, 0.25, 0.5, 0.75, 1.0])
_PRIOR = numpy.array([0.6, 0.1, 0.1, 0.1, 0.1])
"""How much the prompt may change the odds of a use, and how probable that is before anything is known of the person:
for most it changes nothing."""
_PRECISION = 0.5  # prior precision of a keyword's effect
_HALF_KNOWN = 4.0
PRIOR_OF_MOST_USED = 0.001
"""Prior mean of the overall utility of what is used most: it decides between equals, and nothing else. A tenth already
keeps what is used by habit in front for too long (docs/arena.md)."""
_EXPECTED_OTHERS = 0.2  # of all that are not used, however many are
_HALF_DECIDED = 4.0  # who works with so many has passed over half of the others
_DECIDED_POWER = 8.0
MOST_VERDICTS = 40.0
"""A keyword's uses count as so many verdicts at most, however many there are."""


@dataclass(frozen=True, slots=True)
class Use:
    """Images of one prompt and time: on which day, the prompt's keywords, and each checkpoint's share in them.

    `judged` counts the images with a verdict, by checkpoint: of these the prompt's part is in the verdict already.
    """

    day: int
    keywords: tuple[str, ...]
    shares: Mapping[str, float]
    judged: Mapping[str, int] = field(default_factory=dict)


def use_of(day: int, keywords: Sequence[str], checkpoints: Sequence[str], marks: str) -> Use:
    """The use that some images are: the checkpoint of each, and a letter per image that is `.` where it has no verdict
    (none: no image has one)."""
    judged = Counter(name for name, mark in zip(checkpoints, marks, strict=False) if mark != ".")
    shares = {name: count / len(checkpoints) for name, count in Counter(checkpoints).items()}
    return Use(day, tuple(dict.fromkeys(keywords)), shares, judged)


@dataclass(frozen=True, slots=True)
class Leaning:
    """What the uses say of one question.

    Attributes
    ----------
    share
        Of each candidate in what the person makes now, `[C]`; 0 where it was never used.
    score, information
        By which a keyword's uses deviate from habit, as parts of verdicts, `[K, C]`.
    rounds, total
        How many verdicts the uses with each keyword count as `[K]`, and all of them.
    """

    share: Numbers
    score: Numbers
    information: Numbers
    rounds: Numbers
    total: float


def prior_means(shares: Numbers) -> Numbers:
    """The prior mean of each candidate's overall utility, `[C]`: what is used most is a little better."""
    most = float(shares.max(initial=0.0))
    means: Numbers = PRIOR_OF_MOST_USED * shares / most if most > 0.0 else numpy.zeros(len(shares))
    return means


def in_play(shares: Numbers, selected: Numbers) -> Numbers:
    """The probability that each candidate is one that the person would work with, `[C]`.

    Those that were used or kept are. Who works with one or two has not decided against the others; who works with many
    has passed the others over, so that one is tried only now and then.
    """
    used = shares > 0.0
    known = used | (selected > 0.0)
    passed_over = 1.0 / (1.0 + (float(used.sum()) / _HALF_DECIDED) ** _DECIDED_POWER)
    expected = _EXPECTED_OTHERS / max(1, int((~known).sum()))
    return numpy.where(known, 1.0, max(passed_over, expected))


class Habit:
    """What one person's uses say.

    Parameters
    ----------
    uses
        Oldest first.
    """

    def __init__(self, uses: Sequence[Use]) -> None:
        self.names = {name: place for place, name in enumerate(dict.fromkeys(n for use in uses for n in use.shares))}
        self._words = {text: row for row, text in enumerate(dict.fromkeys(t for use in uses for t in use.keywords))}
        shape = len(self._words), len(self.names)
        self._score, self._information = numpy.zeros(shape), numpy.zeros(shape)
        self._uses = numpy.zeros(shape[0])
        self._count = 0
        self._recent = numpy.zeros(shape[1])
        self._all_score, self._all_information = numpy.zeros(shape[1]), numpy.zeros(shape[1])
        self._log_odds = numpy.log(_PRIOR)
        days: dict[int, list[Use]] = {}
        for use in uses:
            days.setdefault(use.day, []).append(use)
        for day in sorted(days):
            self._add(days[day])
        odds = numpy.exp(self._log_odds - self._log_odds.max())
        self.judged: Counter[str] = Counter()
        """How many images of each checkpoint have a verdict."""
        for use in uses:
            self.judged.update(use.judged)
        self.prompt_weight = float(_WEIGHTS @ odds / odds.sum())
        """How far the prompt changes what is used, in 0..1."""
        before = float(_WEIGHTS @ _PRIOR)
        self.verdicts_per_use = max(0.0, self.prompt_weight - before) / (1.0 - before)
        """What a use counts as: nothing, unless the prompt tells more than is believed of everybody."""

    def shares(self) -> Numbers:
        """The share of each checkpoint of `names` in what is made now."""
        count = len(self.names)
        even = numpy.full(count, 1.0 / max(1, count))
        total = float(self._recent.sum())
        return RECENT * self._recent / total + (1.0 - RECENT) * even if total > 0.0 else even

    def predict(self, keywords: Sequence[str]) -> dict[str, float]:
        """The probability that each checkpoint is the next one used, for a prompt."""
        logits = numpy.log(self.shares()) + self.prompt_weight * self._effects(self._rows(keywords))
        odds = numpy.exp(logits - logits.max())
        return dict(zip(self.names, (odds / odds.sum()).tolist(), strict=True))

    def about(self, keywords: Sequence[str], candidates: Sequence[str]) -> Leaning:
        """What is known of a prompt's keywords and of candidates."""
        places = numpy.array([self.names.get(name, -1) for name in candidates], dtype=numpy.intp)
        rows = numpy.array([self._words.get(text, -1) for text in keywords], dtype=numpy.intp)
        known = (rows >= 0)[:, None] & (places >= 0)[None, :]
        uses = numpy.where(rows >= 0, self._uses[rows] if len(self._uses) else 0.0, 0.0)
        per_use = self.verdicts_per_use
        part = per_use * MOST_VERDICTS / (MOST_VERDICTS + per_use * uses)
        at = rows[:, None], places[None, :]

        def of(sums: Numbers) -> Numbers:
            return part[:, None] * numpy.where(known, sums[at], 0.0) if sums.size else numpy.zeros(known.shape)

        return Leaning(
            share=numpy.where(places >= 0, self.shares()[places], 0.0) if self.names else numpy.zeros(len(places)),
            score=of(self._score),
            information=of(self._information),
            rounds=part * uses,
            total=per_use * self._count,
        )

    def _add(self, uses: Sequence[Use]) -> None:
        """Learn from one day, after it was predicted from those before."""
        self._recent *= _DAY_DECAY
        read = [self._rows(use.keywords) for use in uses]
        effects = [self._effects(rows) for rows in read]
        for use, rows, effect in zip(uses, read, effects, strict=True):
            chosen = numpy.zeros(len(self.names))
            for name, share in use.shares.items():
                chosen[self.names[name]] = share
            shares, logits = self.shares(), self._logits()
            expected = numpy.exp(logits - logits.max())
            expected /= expected.sum()
            self._recent += chosen
            if use.judged:
                continue
            if effect.any():
                weighed = logits[:, None] + effect[:, None] * _WEIGHTS
                weighed -= weighed.max(axis=0)
                self._log_odds += chosen @ (weighed - numpy.log(numpy.exp(weighed).sum(axis=0)))
            self._all_score += chosen - shares
            self._all_information += shares * (1.0 - shares)
            self._score[rows] += chosen - expected
            self._information[rows] += expected * (1.0 - expected)
            self._uses[rows] += 1.0
            self._count += 1

    def _logits(self) -> Numbers:
        """The log odds of the next use whatever the prompt: the shares, and how far all uses deviate from them."""
        logits: Numbers = numpy.log(self.shares()) + self._all_score / (self._all_information + _PRECISION)
        return logits

    def _rows(self, keywords: Sequence[str]) -> NDArray[numpy.intp]:
        rows = [self._words[text] for text in dict.fromkeys(keywords) if text in self._words]
        return numpy.array(rows, dtype=numpy.intp)

    def _effects(self, rows: NDArray[numpy.intp]) -> Numbers:
        """What the keywords add to the log odds of each checkpoint, weighted by rarity and by how well known they
        are."""
        uses = self._uses[rows]
        rarity = numpy.maximum(0.0, numpy.log((self._count + 1.0) / (uses + 0.5)))
        force = rarity**2 * (uses / (uses + _HALF_KNOWN)) ** 3
        total = float(force.sum())
        if total <= 0.0:
            return numpy.zeros(len(self.names))
        weights = force / total
        effects: Numbers = (weights @ self._score[rows]) / (weights @ self._information[rows] + _PRECISION)
        return effects
