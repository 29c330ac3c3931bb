"""How informative each word of a prompt is, and how much evidence the words carry.

Separate from the models that use it, because this is about language and habit: which words a person puts into
every prompt, which are new, and which have anything to do with what the person picks. It says nothing about
which checkpoint is good.

A word's share in what a prompt says is its inverse document frequency (Sparck Jones, J. Documentation 28, 1972)
over the person's own judged rounds, squared, times how well the word is known, times its relevance: whether its
rounds have other preferences than all rounds, and whether it co-occurs with other words of the prompt
(`co_occurrence`). A word that stands in every prompt has no share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..prompts.vocabulary import QUALITY_WORDS
from ..values import Keyword
from .co_occurrence import co_occurrence
from .confidence import Numbers
from .confidence import evidence as evidence_of
from .evidence_arrays import EvidenceArrays

_HALF_KNOWN_ROUNDS = 4.0  # a word seen in so many rounds is half known
_QUALITY_ROUNDS = 20.0  # rounds a person must judge before a quality word's own frequency is believed
_WORD_VARIANCE = 2.0  # how far a word's rounds may deviate from all rounds, when asking whether they do
_WORD_ODDS = 0.5  # that they do, before anything is known
_UNINFORMATIVE, _ISOLATED = 0.1, 0.2  # relevance of a word that is not informative, and of one that is alone
_LITTLE_INFORMATION = 0.25  # keeps an overall utility finite, and unlike a prior hardly shrinks it
_UNCOMPARED_ROUNDS = 1.0
_ROUNDS_PER_COMPARISON = 3.0


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of each keyword of the prompt `[K]`, and of the history as a whole.

    Attributes
    ----------
    rounds, weights
        Comparable rounds with the word, and its emphasis in this prompt.
    frequency
        The part of all rounds that had the word. Quality words start from "all of them".
    informative
        The probability that its rounds have other preferences than all rounds; 0 for quality words.
    co_occurrence
        How much it co-occurs with the other words of the prompt, in 0..1.
    quality
        1 for words like "masterpiece", else 0.
    unanimity
        How far one checkpoint takes all picks, whatever the prompt. It separates a history of one subject, whose
        words stand everywhere and still say what to choose, from one of many subjects, in which a word that
        stands everywhere says nothing.
    """

    rounds: Numbers
    weights: Numbers
    frequency: Numbers
    informative: Numbers
    co_occurrence: Numbers
    quality: Numbers
    unanimity: float

    @property
    def relevance(self) -> Numbers:
        """How far each word is one of those that the person's choice depends on, `[K]`, above 0."""
        product: Numbers = (_UNINFORMATIVE + self.informative) * (_ISOLATED + self.co_occurrence)
        return product


def weigh(arrays: EvidenceArrays, keywords: Sequence[Keyword]) -> Words:
    """Measure the words of a prompt.

    Whether a word's rounds deviate from all rounds is tested by a Bayes factor: with each checkpoint's sums
    (residual r around the overall utility, information i), deviations of variance v against none have the log
    factor `r^2 v / (2 (1 + i v)) - log(1 + i v) / 2`.
    """
    score, information = arrays.pairs.field("score"), arrays.pairs.field("information")
    quality = numpy.array([float(keyword.text in QUALITY_WORDS) for keyword in keywords])
    prior = _QUALITY_ROUNDS * quality
    overall = arrays.overall.field("score") / (arrays.overall.field("information") + _LITTLE_INFORMATION)
    residuals = score - information * overall
    spread = 1.0 + information * _WORD_VARIANCE
    factors = 0.5 * residuals**2 * _WORD_VARIANCE / spread - 0.5 * numpy.log(spread)
    odds = _WORD_ODDS * numpy.exp(numpy.clip(factors.sum(axis=1), -30.0, 30.0))
    frequency = (arrays.keyword_rounds + prior + 1.0) / (arrays.rounds + prior + 2.0)
    return Words(
        rounds=arrays.keyword_rounds,
        weights=arrays.weights,
        frequency=frequency,
        informative=odds / (1.0 + odds) * (1.0 - quality),
        co_occurrence=co_occurrence(arrays, residuals, -numpy.log(frequency)),
        quality=quality,
        unanimity=_unanimity(arrays.overall.field("selected")),
    )


def _unanimity(selected: Numbers) -> float:
    """The part of all picks that the most selected has, its odds cubed: 0.9 gives 0.999, 0.3 gives 0.07."""
    picks = float(selected.sum())
    top = float(selected.max()) / picks if picks > 0.0 else 0.0
    return top**3 / (top**3 + (1.0 - top) ** 3)


def shares(words: Words) -> Numbers:
    """Each keyword's share in what the prompt says, `[K]`, summing to 1; all 0 where no word is known."""
    rarity = numpy.maximum(0.0, -numpy.log(words.frequency)) + words.unanimity * (1.0 - words.quality)
    known = words.rounds / (words.rounds + _HALF_KNOWN_ROUNDS)
    force = rarity**2 * known**3 * words.weights * words.relevance
    total = float(force.sum())
    return force / total if total > 0.0 else force


def evidence(words: Words, share: Numbers, leader_rounds: Numbers, checkpoints: float) -> float:
    """How much evidence the rounds with the prompt's words are (`confidence.evidence`); 0 where no word is known.

    The words' amounts are averaged by share times amount: a word seen once adds what it knows and does not pull
    down one that was seen often, so a repeated prompt is about as certain as a new one of its kind. Two discounts
    keep it calibrated. A checkpoint hardly ever compared with another is not known to be better. And in a prompt
    with new words, a known word whose rounds are like all rounds supports nothing.

    Parameters
    ----------
    leader_rounds
        Per keyword `[K]`, how many rounds compared the leader with another checkpoint.
    checkpoints
        Among how many checkpoints the leader is the best.
    """
    rounds = numpy.minimum(words.rounds, _UNCOMPARED_ROUNDS + _ROUNDS_PER_COMPARISON * leader_rounds)
    amounts = numpy.array([evidence_of(n, checkpoints) for n in rounds.tolist()])
    if (words.rounds <= 0.0).any():
        amounts *= 1.0 - _ubiquity(words)
    weights = share * amounts
    total = float(weights.sum())
    return float(weights @ amounts) / total if total > 0.0 else 0.0


def judged_rounds(words: Words, share: Numbers) -> float:
    """How many rounds were judged with the words that the evidence comes from: their mean, weighted as there."""
    weights = share * words.rounds / (words.rounds + _HALF_KNOWN_ROUNDS)
    total = float(weights.sum())
    return float(weights @ words.rounds) / total if total > 0.0 else 0.0


def _ubiquity(words: Words) -> Numbers:
    """How far each word's rounds are like all rounds, and so say nothing about a prompt that is otherwise new."""
    agreed = words.unanimity * (1.0 - words.quality)
    return words.frequency * (1.0 - words.informative) * (1.0 - agreed)
