"""What other people's verdicts say, as a prior: sums that are added to a person's own when a question is answered.

Separate from `evidence`, which adds up the person's own verdicts, because these are somebody else's: they are never
added to what is stored, weigh as a few rounds whatever they come from, and are gone as soon as their source is removed.

How far a person is like those others is not known beforehand. With `m` the utility that a source expects of a keyword
and a checkpoint, and `r`, `i` the person's own `score` and `information` there, expecting `η m` instead of nothing
changes the log likelihood of the person's verdicts by `η r m - η² i m² / 2`. A verdict is counted once however many
keywords it has. The posterior mean of `η` in 0..1 is the source's *agreement*, which multiplies its sums: a person with
another taste is soon left alone.

Checkpoints are known by the fingerprint of their file where there is one, else by the file's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy

from .confidence import Numbers

MOST_ROUNDS = 4.0
"""What all sources together say of a keyword counts as so many rounds at most: an evidence of one half, so that no
checkpoint is shown alone before the person's own first verdict."""
MOST_OF_ONE = 1.0
"""The most information that one person has on one pair: some five comparisons of it."""
MOST_UTILITY = 4.0
FEWEST_PEOPLE = 3
_ROUND = 0.6  # the information in one comparison of three checkpoints, about
_VARIANCE = 2.0  # of utilities for one kind of prompts
_KNOWN = 3.0  # standard deviations of the noise: with less information nothing is known of a pair
_MENTIONED = 0.2
_STEPS = numpy.array([0.0, 0.25, 0.5, 0.75, 1.0])
_PRIOR = numpy.array([0.1, 0.1, 0.2, 0.3, 0.3])
"""How far others' verdicts predict a person's, and how probable that is before the person's first."""

Pair = tuple[str, str]
"""A keyword, and a checkpoint as `identity` knows it."""
Sums = tuple[float, float]
"""`score` and `information`, as in `evidence.PairStatistics`."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one source says.

    Attributes
    ----------
    noise
        The standard deviation of the noise in each number.
    weight
        How much it counts; 1: as it is.
    """

    name: str
    pairs: Mapping[Pair, Sums]
    noise: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Own:
    """A person's own sums of some pairs, and of all keywords with all checkpoints, each verdict once."""

    pairs: Mapping[Pair, Sums]
    information: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the sources say of one question, as parts of rounds: `score`, `information` and `rounds` of each keyword and
    candidate `[K, C]`, `keyword_rounds` `[K]`, and `total` of all prompts: a word that all have is no rare one."""

    score: Numbers
    information: Numbers
    rounds: Numbers
    keyword_rounds: Numbers
    total: float


def file_name(checkpoint: str) -> str:
    """A checkpoint's name without folders, which differ between people."""
    return checkpoint.replace("\\", "/").rpartition("/")[2].casefold()


class Identities:
    """Which checkpoints of a person are which of the sources.

    Parameters
    ----------
    theirs
        Name and fingerprint ("": unknown) of each checkpoint of the sources.
    fingerprints
        Of the person's own checkpoints, by name; as far as they are known.
    """

    def __init__(self, theirs: Iterable[tuple[str, str]], fingerprints: Mapping[str, str]) -> None:
        self._fingerprints = fingerprints
        self._by_name: dict[str, set[str]] = {}
        for name, fingerprint in theirs:
            self._by_name.setdefault(file_name(name), set()).add(fingerprint)
        self._theirs = {fingerprint for some in self._by_name.values() for fingerprint in some if fingerprint}

    @staticmethod
    def identity(name: str, fingerprint: str) -> str:
        """What a checkpoint of a source is known by."""
        return fingerprint or f"name:{file_name(name)}"

    def own(self, name: str) -> list[str]:
        """The identities that are one of the person's checkpoints: its fingerprint's, or where one side does not know
        it, its name's."""
        fingerprint = self._fingerprints.get(name, "")
        if fingerprint in self._theirs:
            return [fingerprint]
        same_name = self._by_name.get(file_name(name), set())
        return [self.identity(name, other) for other in sorted(same_name) if not (other and fingerprint)]


class SharedPrior:
    """What some sources say to one person."""

    def __init__(self, sources: Sequence[Source], own: Own, identities: Identities) -> None:
        self.agreements = {source.name: agreement(source, own) for source in sources}
        """How far each source has predicted the person's verdicts, in 0..1."""
        self._counted = {source.name: source.weight * self.agreements[source.name] for source in sources}
        self._identities = identities
        pairs = list(dict.fromkeys(pair for source in sources for pair in source.pairs))
        self._rows = {text: row for row, text in enumerate(dict.fromkeys(text for text, _ in pairs))}
        self._columns = {name: column for column, name in enumerate(dict.fromkeys(name for _, name in pairs))}
        sums = numpy.zeros((3, len(self._rows) + 1, len(self._columns) + 1))  # the last row and column: nothing
        for source in sources:
            if not source.pairs:
                continue
            rows = [self._rows[text] for text, _ in source.pairs]
            columns = [self._columns[name] for _, name in source.pairs]
            counted = self._counted[source.name]
            sums[:2, rows, columns] += counted * numpy.array(list(source.pairs.values()), dtype=float).T
            sums[2, rows, columns] += (counted * source.noise) ** 2
        self._score, self._information = _without_noise(sums[0], sums[1], sums[2])

    def about(self, keywords: Sequence[str], candidates: Sequence[str]) -> Told:
        """What is said of a prompt's keywords and of candidates."""
        rows = numpy.array([self._rows.get(text, -1) for text in keywords], dtype=numpy.intp)
        columns = numpy.array([self._column(name) for name in candidates], dtype=numpy.intp)
        at = rows[:, None], columns[None, :]
        score, information = self._score[at], self._information[at]
        rounds = information.sum(axis=1) / _ROUND
        part = (MOST_ROUNDS / (MOST_ROUNDS + rounds))[:, None]
        return Told(
            part * score,
            part * information,
            part * information * (3.0 / _ROUND),
            part[:, 0] * rounds,
            MOST_ROUNDS if rounds.any() else 0.0,
        )

    def speaking(self, keywords: Mapping[str, float], candidates: Sequence[str]) -> tuple[str, ...]:
        """The sources whose sums matter to a question; none where the person's own verdicts are far more.

        Parameters
        ----------
        keywords
            The person's own rounds with each keyword of the prompt.
        """
        told = float(self.about(list(keywords), candidates).keyword_rounds.sum())
        if told <= _MENTIONED * sum(keywords.values()):
            return ()
        return tuple(name for name, counted in self._counted.items() if counted >= _MENTIONED)

    def _column(self, name: str) -> int:
        return next((self._columns[own] for own in self._identities.own(name) if own in self._columns), -1)


def agreement(source: Source, own: Own) -> float:
    """How far a source predicts a person's own sums, in 0..1; without any, what is believed of everybody."""
    both = [pair for pair in source.pairs if pair in own.pairs]
    theirs = numpy.array([source.pairs[pair] for pair in both], dtype=float).reshape(-1, 2).T
    score, information = numpy.array([own.pairs[pair] for pair in both], dtype=float).reshape(-1, 2).T
    noise = numpy.full(len(both), source.noise**2)
    their_score, their_information = _without_noise(theirs[0], theirs[1], noise)
    expected = their_score / (their_information + 1.0 / _VARIANCE)
    of_keywords = float(information.sum())
    once = min(1.0, own.information / of_keywords) if of_keywords > 0.0 else 0.0
    gain = _STEPS * float(score @ expected) - 0.5 * _STEPS**2 * float(information @ expected**2)
    logs = numpy.log(_PRIOR) + once * gain
    odds = numpy.exp(logs - logs.max())
    return float(_STEPS @ odds / odds.sum())


def _without_noise(score: Numbers, information: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """Sums as far as they are more than noise of a variance.

    A score of information i is about `N(i u, i)` and its noise; with `u ~ N(0, v)` its expectation is the part
    `(i² v + i) / (i² v + i + variance)` of it.
    """
    known = (information > 0.0) & (information >= _KNOWN * numpy.sqrt(variance))
    information = numpy.where(known, information, 0.0)
    signal = information**2 * _VARIANCE + information
    part = numpy.divide(signal, signal + variance, out=numpy.zeros_like(signal), where=known)
    return score * part, information


def of_people(people: Sequence[Mapping[Pair, Sums]]) -> dict[Pair, Sums]:
    """The sums of several people, of the pairs on which at least `FEWEST_PEOPLE` speak; each has a bounded weight."""
    speakers = Counter(pair for person in people for pair in person)
    sums: dict[Pair, list[float]] = {pair: [0.0, 0.0] for pair, count in speakers.items() if count >= FEWEST_PEOPLE}
    for person in people:
        for pair in person.keys() & sums.keys():
            for place, number in enumerate(_clipped(*person[pair])):
                sums[pair][place] += number
    return {pair: (score, information) for pair, (score, information) in sums.items()}


def _clipped(score: float, information: float) -> Sums:
    """One person's sums of one pair with a bounded weight and a bounded utility."""
    if information <= 0.0:
        return 0.0, 0.0
    weight = min(information, MOST_OF_ONE)
    return weight * max(-MOST_UTILITY, min(MOST_UTILITY, score / information)), weight
