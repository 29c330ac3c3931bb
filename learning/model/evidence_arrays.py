"""Evidence as arrays, keywords by candidates, so that 200 checkpoints cost little more than three.

Separate because all models and `counts` compute with it, and because no other module should know how
`Evidence` is keyed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy

from ..values import Keyword
from . import forward_decay, habit, shared_prior
from .confidence import Numbers
from .evidence import Evidence, KeywordTrend, PairStatistics
from .pair_table import FIELDS, PairTable

Field = Literal["selected", "total", "rounds", "score", "information", "narrow", "middle", "wide", "precision"]

NOTHING = PairStatistics()
_NO_TREND = KeywordTrend()

_PLACES: Mapping[str, int] = {name: place for place, name in enumerate(FIELDS)}
_DECAYING = slice(_PLACES["score"], _PLACES["information"] + 1)


@dataclass(frozen=True, slots=True)
class Table:
    """All fields of some `PairStatistics`, zero where there are none; the fields come first."""

    numbers: Numbers

    def field(self, name: Field) -> Numbers:
        """One field of all of them."""
        values: Numbers = self.numbers[_PLACES[name]]
        return values


@dataclass(frozen=True, slots=True)
class EvidenceArrays:
    """The evidence on K keywords and C candidates.

    Attributes
    ----------
    pairs, overall
        `[K, C]` and `[C]`; scores and information are decayed to now (`forward_decay`).
    keyword_rounds, weights, exploit_streak
        `[K]`.
    rounds
        Of all prompts.
    surprises, log_decay_weights
        `[1 + K]`, with that of all prompts first.
    prior
        Prior mean of each candidate's overall utility, `[C]`.
    in_play
        The probability that each candidate is one that the person would work with at all, `[C]`.
    """

    pairs: Table
    overall: Table
    keyword_rounds: Numbers
    weights: Numbers
    rounds: float
    surprises: Numbers
    exploit_streak: Numbers
    log_decay_weights: Numbers
    prior: Numbers
    in_play: Numbers

    def decayed_to(self, log_decay_weights: Numbers) -> EvidenceArrays:
        """The same for log decay weights `[1 + K]` that are at least as great."""
        if log_decay_weights is self.log_decay_weights:
            return self
        numbers = self.pairs.numbers.copy()
        numbers[_DECAYING] = forward_decay.decayed(
            numbers[_DECAYING], log_decay_weights[1:] - self.log_decay_weights[1:]
        )
        return replace(self, pairs=Table(numbers), log_decay_weights=log_decay_weights)


def as_arrays(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> EvidenceArrays:
    """Lay out the evidence in the order of keywords and candidates, leaving out what is of neither."""
    overall = PairTable.of({("", name): sums for name, sums in evidence.overall.items()})
    rounds = [evidence.keyword_rounds.get(keyword.text, 0.0) for keyword in keywords]
    texts = [keyword.text for keyword in keywords]
    trends = [evidence.keyword_trends.get(text, _NO_TREND) for text in ("", *texts)]
    log_decay_weights = numpy.clip([trend.log_decay_weight for trend in trends], 0.0, forward_decay.MOST)
    pairs = PairTable.of(evidence.pairs).to_array(texts, candidates)
    general = overall.to_array([""], candidates)
    pairs[_DECAYING] = forward_decay.decayed(pairs[_DECAYING], log_decay_weights[1:])
    general[_DECAYING] = forward_decay.decayed(general[_DECAYING], log_decay_weights[:1])
    overall_table, keyword_rounds = Table(general[:, 0]), numpy.array(rounds, dtype=float)
    prior, in_play, more = numpy.zeros(len(candidates)), numpy.ones(len(candidates)), 0.0
    if evidence.shared is not None:
        told = evidence.shared.about(texts, candidates)
        _add_told(pairs, told)
        keyword_rounds, more = keyword_rounds + told.keyword_rounds, told.total
    if evidence.habit is not None:
        leaning = evidence.habit.about(texts, candidates)
        _add_uses(pairs, leaning)
        keyword_rounds, more = keyword_rounds + leaning.rounds, more + leaning.total
        prior = habit.prior_means(leaning.share)
        in_play = habit.in_play(leaning.share, overall_table.field("selected"))
    return EvidenceArrays(
        pairs=Table(pairs),
        overall=overall_table,
        keyword_rounds=keyword_rounds,
        weights=numpy.array([keyword.weight for keyword in keywords], dtype=float),
        rounds=float(evidence.rounds) + more,
        surprises=numpy.array([trend.surprise for trend in trends], dtype=float),
        exploit_streak=numpy.maximum(0.0, numpy.array([trend.exploit_streak for trend in trends[1:]], dtype=float)),
        log_decay_weights=log_decay_weights,
        prior=prior,
        in_play=in_play,
    )


def _add_uses(pairs: Numbers, leaning: habit.Leaning) -> None:
    """Add what uses say to the sums `[fields, K, C]` of verdicts."""
    pairs[_PLACES["score"]] += leaning.score
    pairs[_PLACES["information"]] += leaning.information
    pairs[_PLACES["rounds"]] += leaning.rounds[:, None] * (leaning.share > 0.0)


def _add_told(pairs: Numbers, told: shared_prior.Told) -> None:
    """Add what others say to the sums `[fields, K, C]` of verdicts."""
    pairs[_PLACES["score"]] += told.score
    pairs[_PLACES["information"]] += told.information
    pairs[_PLACES["rounds"]] += told.rounds
