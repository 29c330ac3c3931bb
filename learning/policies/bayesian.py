"""The default: what this prompt's telling words say of each checkpoint, shrunk towards what all prompts say.

Three steps, each a closed form over the sums that `statistics` keeps:

1. *Overall.* A checkpoint's utility over all prompts has a normal posterior with prior N(0, 0.5^2).
2. *Similar rounds.* Each keyword's sums are pooled with a share of how much the word tells: inverse
   document frequency (Sparck Jones, J. Documentation 28, 1972) over the person's own judged rounds,
   squared, so that rounds sharing the prompt's rare words count most and a word that stands in every prompt
   counts nothing.
3. *Shrinkage.* The pooled sums update a prior around the overall utility. How far prompts may deviate from
   it is not known, so several widths are tried and averaged by how well each predicts the sums (Bayesian
   model averaging: Hoeting et al., Statistical Science 14, 1999). Without a telling word the overall
   utility remains: ignoring the prompt is the worst this policy can do.

Alternatives to the best are drawn by Thompson sampling (Thompson, Biometrika 25, 1933): one draw from each
checkpoint's posterior, in the order of the draws, so that a checkpoint is shown about as often as it may be
best.

Confidence is `clarity * evidence` (see `learning/confidence.py`), on similar rounds only, with three
discounts that keep it honest: words that stand in all rounds support a confidence only if all rounds chose
alike; words never seen take a little away; and a checkpoint that was hardly ever compared with another is
not known to be better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..confidence import Numbers, clarity
from ..confidence import evidence as evidence_of
from ..prompt_words import QUALITY_WORDS
from ..values import Evidence, Keyword, Ranking, Reason
from .evidence_arrays import NOTHING, EvidenceArrays, as_arrays

_OVERALL_VARIANCE = 0.5**2
_PROMPT_VARIANCES = numpy.array([0.5, 1.0, 1.5]) ** 2
_SEEN_ROUNDS = 0.5  # a word heard in so many rounds has half its say
_QUALITY_ROUNDS = 20.0  # rounds a person must judge before a quality word's own frequency is believed
_UNSEEN_WORD = 0.02  # what a word never seen takes away, against one that was
_UNCOMPARED_ROUNDS = 1.0
_ROUNDS_PER_COMPARISON = 4.0
_EXPLAINED = 5  # candidates whose reasons are told


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Per candidate: utility, its variance, and how far one unit of pooled residual moves it."""

    means: Numbers
    variances: Numbers
    gains: Numbers


@dataclass(frozen=True, slots=True)
class _Effects:
    """What a score is made of: the overall utilities `[C]` and each keyword's deviation `[K, C]`."""

    overall: Numbers
    keywords: Numbers


class Bayesian:
    """Choice model with shrinkage, Thompson sampling, and a confidence that means what it says."""

    name = "bayesian"

    def rank(
        self,
        keywords: Sequence[Keyword],
        candidates: Sequence[str],
        evidence: Evidence,
        *,
        rng: numpy.random.Generator,
    ) -> Ranking:
        if not candidates:
            return Ranking((), (), {}, {}, 0.0, 0.0, 0.0)
        held = as_arrays(keywords, candidates, evidence)
        overall = _overall(held)
        share = _shares(held, keywords)
        information = held.pairs.field("information")
        residuals = share[:, None] * (held.pairs.field("score") - information * overall)
        posterior = _posterior(overall, residuals.sum(axis=0), share @ information)

        deviations = numpy.sqrt(posterior.variances)
        order = numpy.argsort(-posterior.means, kind="stable")
        leader = int(order[0])
        draws = posterior.means + deviations * rng.standard_normal(len(candidates))
        draws[leader] = numpy.inf
        compared = [evidence.pairs.get((keyword.text, candidates[leader]), NOTHING) for keyword in keywords]
        amount = _evidence(held, keywords, share, numpy.array([pair.rounds for pair in compared]))
        clear = clarity(posterior.means, deviations, leader)
        scores = dict(zip(candidates, posterior.means.tolist(), strict=True))
        return Ranking(
            order=tuple(candidates[place] for place in order),
            shown_order=tuple(candidates[place] for place in numpy.argsort(-draws)),
            scores=scores,
            utilities=scores,
            confidence=amount * clear,
            evidence=amount,
            clarity=clear,
            reasons=_reasons(
                keywords,
                candidates,
                evidence,
                _Effects(overall, residuals * posterior.gains),
                order[:_EXPLAINED].tolist(),
            ),
        )


def _overall(held: EvidenceArrays) -> Numbers:
    return held.overall.field("score") / (held.overall.field("information") + 1.0 / _OVERALL_VARIANCE)


def _posterior(overall: Numbers, residual: Numbers, information: Numbers) -> _Posterior:
    """Average the posteriors of all prior widths, each weighted by its marginal likelihood.

    With a prior N(overall, v) the log Bayes factor against v = 0 of sums (residual r, information i) is
    `r^2 v / (2 (1 + i v)) - log(1 + i v) / 2`.
    """
    spread = 1.0 + information[:, None] * _PROMPT_VARIANCES
    factors = 0.5 * residual[:, None] ** 2 * _PROMPT_VARIANCES / spread - 0.5 * numpy.log(spread)
    logs = factors.sum(axis=0)
    weights = numpy.exp(logs - logs.max())
    weights /= weights.sum()
    variances = _PROMPT_VARIANCES / spread
    gains = variances @ weights
    means = overall + residual * gains
    apart = residual[:, None] * variances - (residual * gains)[:, None]
    return _Posterior(means, (variances + apart**2) @ weights, gains)


def _quality(keywords: Sequence[Keyword]) -> Numbers:
    return numpy.array([float(keyword.text in QUALITY_WORDS) for keyword in keywords])


def _frequencies(held: EvidenceArrays, keywords: Sequence[Keyword]) -> Numbers:
    """In which part of all prompts each word stands; quality words start from "in all of them"."""
    prior = _QUALITY_ROUNDS * _quality(keywords)
    return (held.keyword_rounds + prior + 1.0) / (held.rounds + prior + 2.0)


def _shares(held: EvidenceArrays, keywords: Sequence[Keyword]) -> Numbers:
    """How much each keyword has to say of this prompt, summing to 1, or all 0 where none has been seen."""
    heard = held.keyword_rounds / (held.keyword_rounds + _SEEN_ROUNDS)
    telling = -numpy.log(_frequencies(held, keywords)) * heard * numpy.sqrt(held.weights)
    force = numpy.maximum(0.0, telling) ** 2
    total = force.sum()
    return force / total if total > 0.0 else force


def _evidence(
    held: EvidenceArrays, keywords: Sequence[Keyword], share: Numbers, leader_rounds: Numbers
) -> float:
    """`n / (n + 4)` of the rounds that shared each word, averaged by share, with the module's discounts.

    `leader_rounds` is, per keyword, how many rounds compared the leader with another.
    """
    seen = int((held.keyword_rounds > 0.0).sum())
    if not seen:
        return 0.0
    unseen = len(keywords) - seen
    support = 1.0 - bool(unseen) * _ubiquity(held, keywords)
    compared = _UNCOMPARED_ROUNDS + _ROUNDS_PER_COMPARISON * leader_rounds
    rounds = numpy.minimum(held.keyword_rounds, compared)
    amounts = numpy.array([evidence_of(n) for n in rounds.tolist()])
    return float(share @ (support * amounts)) * seen / (seen + _UNSEEN_WORD * unseen)


def _ubiquity(held: EvidenceArrays, keywords: Sequence[Keyword]) -> Numbers:
    """How far each word's rounds are simply all rounds, and so say nothing of a prompt that is new otherwise."""
    return _frequencies(held, keywords) ** 2 * (1.0 - _unanimity(held) * (1.0 - _quality(keywords)))


def _unanimity(held: EvidenceArrays) -> float:
    """How far one checkpoint takes all picks, whatever the prompt: the most selected one's odds, squared.

    It tells a history that has only one subject (each of its words stands everywhere, and yet says whom to
    choose) from one with many, in which the words that stand everywhere say nothing.
    """
    selected = held.overall.field("selected")
    picks = selected.sum()
    if picks <= 0.0:
        return 0.0
    top = float(selected.max() / picks)
    return top**2 / (top**2 + (1.0 - top) ** 2)


def _reasons(
    keywords: Sequence[Keyword],
    candidates: Sequence[str],
    evidence: Evidence,
    effects: _Effects,
    explained: Sequence[int],
) -> tuple[Reason, ...]:
    """What makes up the score of the first few candidates: the effects of each add up to its score."""
    found = []
    for place in explained:
        name = candidates[place]
        pair = evidence.overall.get(name, NOTHING)
        found.append(Reason("", name, float(effects.overall[place]), pair.selected, pair.total))
        for row in numpy.argsort(-numpy.abs(effects.keywords[:, place]), kind="stable").tolist():
            pair = evidence.pairs.get((keywords[row].text, name), NOTHING)
            if pair.total:
                effect = float(effects.keywords[row, place])
                found.append(Reason(keywords[row].text, name, effect, pair.selected, pair.total))
    return tuple(found)
