"""How much each word of a prompt tells, and how much is known of what the words tell.

Separate from the model that uses it, because this is about language and habit: which words a person puts into
every prompt, which are new, and which of them have anything to do with what the person picks. It says nothing
of which checkpoint is good.

A word's share in what a prompt tells is its inverse document frequency (Sparck Jones, J. Documentation 28,
1972) over the person's own judged rounds, squared, times how well the word is known and how far it matters:
whether its rounds prefer otherwise than all rounds do, and whether it keeps company (`company`) with other
words of the prompt. A word that stands in every prompt has no share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..prompts.vocabulary import QUALITY_WORDS
from ..values import Keyword
from .co_occurrence import company
from .confidence import Numbers
from .confidence import evidence as evidence_of
from .evidence_arrays import EvidenceArrays

_HEARD_ROUNDS = 4.0  # a word heard in so many rounds is half known
_QUALITY_ROUNDS = 20.0  # rounds a person must judge before a quality word's own frequency is believed
_WORD_VARIANCE = 2.0  # how far a word's rounds may deviate from all rounds, when asking whether they do
_WORD_ODDS = 0.5  # that they do, before anything is known
_IDLE, _LONELY = 0.1, 0.2  # what a word matters that does not tell, and one without company
_LITTLE_INFORMATION = 0.25  # keeps an overall utility finite, and unlike a prior hardly shrinks it
_UNCOMPARED_ROUNDS = 1.0
_ROUNDS_PER_COMPARISON = 3.0


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of each keyword of the prompt `[K]`, and of the history as a whole.

    Attributes
    ----------
    rounds, weights
        Comparable rounds that the word stood in, and its emphasis in this prompt.
    frequency
        The part of all rounds that it stood in. Quality words start from "in all of them".
    telling
        The probability that its rounds prefer otherwise than all rounds do; not believed of quality words.
    company
        How far it keeps company with other words of the prompt, in 0..1.
    quality
        1 for words like "masterpiece", else 0.
    unanimity
        How far one checkpoint takes all picks, whatever the prompt. It tells a history of one subject (whose
        words stand everywhere, and yet say whom to choose) from one of many, in which a word that stands
        everywhere says nothing.
    """

    rounds: Numbers
    weights: Numbers
    frequency: Numbers
    telling: Numbers
    company: Numbers
    quality: Numbers
    unanimity: float

    @property
    def mattering(self) -> Numbers:
        """How far each word is one of those that a prompt of this kind is about, `[K]`, above 0."""
        found: Numbers = (_IDLE + self.telling) * (_LONELY + self.company)
        return found


def weigh(held: EvidenceArrays, keywords: Sequence[Keyword]) -> Words:
    """Measure the words of a prompt.

    Whether a word's rounds deviate from all rounds is asked by a Bayes factor: with sums (residual r around
    the overall utility, information i) of each checkpoint, deviations of variance v against none have the
    log factor `r^2 v / (2 (1 + i v)) - log(1 + i v) / 2`.
    """
    score, information = held.pairs.field("score"), held.pairs.field("information")
    quality = numpy.array([float(keyword.text in QUALITY_WORDS) for keyword in keywords])
    prior = _QUALITY_ROUNDS * quality
    overall = held.overall.field("score") / (held.overall.field("information") + _LITTLE_INFORMATION)
    residuals = score - information * overall
    spread = 1.0 + information * _WORD_VARIANCE
    factors = 0.5 * residuals**2 * _WORD_VARIANCE / spread - 0.5 * numpy.log(spread)
    odds = _WORD_ODDS * numpy.exp(numpy.clip(factors.sum(axis=1), -30.0, 30.0))
    frequency = (held.keyword_rounds + prior + 1.0) / (held.rounds + prior + 2.0)
    return Words(
        rounds=held.keyword_rounds,
        weights=held.weights,
        frequency=frequency,
        telling=odds / (1.0 + odds) * (1.0 - quality),
        company=company(held, residuals, -numpy.log(frequency)),
        quality=quality,
        unanimity=_unanimity(held.overall.field("selected")),
    )


def _unanimity(selected: Numbers) -> float:
    """The part of all picks that the most selected has, its odds cubed: 0.9 gives 0.999, 0.3 gives 0.07."""
    picks = float(selected.sum())
    top = float(selected.max()) / picks if picks > 0.0 else 0.0
    return top**3 / (top**3 + (1.0 - top) ** 3)


def shares(words: Words) -> Numbers:
    """How much each keyword has to say of this prompt, summing to 1, or all 0 where none has been heard."""
    rarity = numpy.maximum(0.0, -numpy.log(words.frequency)) + words.unanimity * (1.0 - words.quality)
    heard = words.rounds / (words.rounds + _HEARD_ROUNDS)
    force = rarity**2 * heard**3 * words.weights * words.mattering
    total = float(force.sum())
    return force / total if total > 0.0 else force


def evidence(words: Words, share: Numbers, leader_rounds: Numbers, checkpoints: int) -> float:
    """How much the rounds that shared the prompt's words are (`confidence.evidence`); 0 where none was heard.

    The words' amounts are averaged by share times amount: a word heard once adds what it knows and does not
    drag down one that was heard often, so that a prompt repeated is about as certain as a new one of its
    kind. Two discounts keep it honest: a checkpoint hardly ever compared with another is not known to be
    better; and in a prompt with words never heard, a word whose rounds are like all rounds supports nothing.

    Parameters
    ----------
    leader_rounds
        Per keyword, how many rounds compared the leader with another checkpoint.
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


def _ubiquity(words: Words) -> Numbers:
    """How far each word's rounds are like all rounds, and so say nothing of a prompt otherwise new."""
    agreed = words.unanimity * (1.0 - words.quality)
    return words.frequency * (1.0 - words.telling) * (1.0 - agreed)
