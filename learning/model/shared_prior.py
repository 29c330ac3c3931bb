"""What other people's verdicts say, as a prior: sums that are added to a person's own when a question is answered.

Separate from `evidence`, which adds up the person's own verdicts, because these are somebody else's: they are never
added to what is stored, weigh as a few rounds whatever they come from, and are gone as soon as their source is removed.

How far a person is like those others is not known beforehand. With `m` the utility that a source expects of a keyword
and a checkpoint, and `r`, `i` the person's own `score` and `information` there, expecting `η m` instead of nothing
changes the log likelihood of the person's verdicts by `η r m - η² i m² / 2`. A verdict is counted once however many
keywords it has. The posterior mean of `η` in 0..1 is the source's *agreement*, which multiplies its sums: a person with
another taste is soon left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy

from .confidence import Numbers

ROUND = 0.6
"""The information in one comparison of three checkpoints, about: 0.2 each."""
MOST_ROUNDS = 6.0
"""What all sources together say of a keyword counts as so many rounds at most."""
MOST_OF_ONE = 1.0
"""The most information that one person has on one pair: five comparisons of it."""
MOST_UTILITY = 4.0
FEWEST_PEOPLE = 3
_STEPS = numpy.array([0.0, 0.25, 0.5, 0.75, 1.0])
_PRIOR = numpy.array([0.1, 0.1, 0.2, 0.3, 0.3])
_LITTLE_INFORMATION = 0.5  # of a utility with a deviation of 1.4, as checkpoints have for one kind of prompts

Pair = tuple[str, str]
"""Keyword and checkpoint; keyword `""` is the checkpoint's overall effect."""
Sums = tuple[float, float]
"""`score` and `information`, as in `evidence.PairStatistics`."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one source says: sums by pair, and how much it counts (1: as it is)."""

    name: str
    pairs: Mapping[Pair, Sums]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the sources say of one question, as parts of rounds.

    Attributes
    ----------
    score, information, rounds
        Of each keyword and candidate, `[K, C]`.
    overall_score, overall_information
        Of each candidate over all prompts, `[C]`.
    keyword_rounds, total
        `[K]`, and of all prompts.
    """

    score: Numbers
    information: Numbers
    rounds: Numbers
    overall_score: Numbers
    overall_information: Numbers
    keyword_rounds: Numbers
    total: float


class SharedPrior:
    """What some sources say to one person.

    Parameters
    ----------
    own
        The person's own sums of the pairs that the sources have, and of all pairs with the keyword `""`.
    """

    def __init__(self, sources: Sequence[Source], own: Mapping[Pair, Sums]) -> None:
        self.agreements = {source.name: agreement(source.pairs, own) for source in sources}
        """How far each source has predicted the person's verdicts, in 0..1."""
        pairs = list(dict.fromkeys(pair for source in sources for pair in source.pairs))
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(text for text, _ in pairs))}
        self.names = {name: column for column, name in enumerate(dict.fromkeys(name for _, name in pairs))}
        """The checkpoints that something is said of."""
        self._sums = numpy.zeros((2, len(self._rows) + 1, len(self.names) + 1))
        for source in sources:
            if not source.pairs:
                continue
            rows = [self._rows[text] for text, _ in source.pairs]
            columns = [self.names[name] for _, name in source.pairs]
            counted = source.weight * self.agreements[source.name]
            self._sums[:, rows, columns] += counted * numpy.array(list(source.pairs.values()), dtype=float).T

    def about(self, keywords: Sequence[str], candidates: Sequence[str]) -> Told:
        """What is said of a prompt's keywords and of candidates."""
        rows = numpy.array([self._rows.get(text, -1) for text in ("", *keywords)], dtype=numpy.intp)
        columns = numpy.array([self.names.get(name, -1) for name in candidates], dtype=numpy.intp)
        score, information = self._sums[:, rows[:, None], columns[None, :]]  # the last of each is nothing
        rounds = information.sum(axis=1) / ROUND
        part = (MOST_ROUNDS / (MOST_ROUNDS + rounds))[:, None]
        score, information, rounds = part * score, part * information, part[:, 0] * rounds
        return Told(
            score=score[1:],
            information=information[1:],
            rounds=3.0 * information[1:] / ROUND,
            overall_score=score[0],
            overall_information=information[0],
            keyword_rounds=rounds[1:],
            total=float(rounds[0]),
        )


def of_people(people: Sequence[Mapping[Pair, Sums]]) -> dict[Pair, Sums]:
    """The sums of several people, of the pairs on which at least `FEWEST_PEOPLE` speak; each has a bounded weight."""
    speakers: Counter[Pair] = Counter(pair for person in people for pair in person)
    sums: dict[Pair, list[float]] = {pair: [0.0, 0.0] for pair, count in speakers.items() if count >= FEWEST_PEOPLE}
    for person in people:
        for pair in person.keys() & sums.keys():
            for place, number in enumerate(clipped(person[pair])):
                sums[pair][place] += number
    return {pair: (score, information) for pair, (score, information) in sums.items()}


def clipped(sums: Sums) -> Sums:
    """One person's sums of one pair, with a bounded weight and a bounded utility."""
    score, information = sums
    if information <= 0.0:
        return 0.0, 0.0
    weight = min(information, MOST_OF_ONE)
    utility = max(-MOST_UTILITY, min(MOST_UTILITY, score / information))
    return weight * utility, weight


def agreement(pairs: Mapping[Pair, Sums], own: Mapping[Pair, Sums]) -> float:
    """How far sums predict a person's own, in 0..1; without own ones, what is believed of everybody."""
    both = [pair for pair in pairs if pair in own and pair[0]]
    theirs = numpy.array([pairs[pair] for pair in both], dtype=float).reshape(-1, 2).T
    score, information = numpy.array([own[pair] for pair in both], dtype=float).reshape(-1, 2).T
    expected = theirs[0] / (theirs[1] + _LITTLE_INFORMATION)
    of_keywords = float(information.sum())
    of_verdicts = sum(sums[1] for (text, _), sums in own.items() if not text)
    once = min(1.0, of_verdicts / of_keywords) if of_keywords > 0.0 else 0.0
    logs = numpy.log(_PRIOR) + once * (
        _STEPS * float(score @ expected) - 0.5 * _STEPS**2 * float(information @ expected**2)
    )
    odds = numpy.exp(logs - logs.max())
    return float(_STEPS @ odds / odds.sum())
