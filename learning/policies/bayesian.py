"""The default: what this prompt's telling words say of each checkpoint, shrunk towards what all prompts say.

Three steps, each a closed form over the sums that `statistics` keeps:

1. *Overall.* A checkpoint's utility over all prompts has a normal posterior with prior N(0, 0.5^2).
2. *Similar rounds.* The sums of the prompt's keywords are pooled, each with the share that the word has in
   what the prompt tells (`telling_words`): rounds that share its rare words count most.
3. *Shrinkage.* The pooled sums update a prior around the overall utility. How far prompts may deviate from it
   is not known, so several widths are tried and averaged by how well each predicts the sums (Bayesian model
   averaging: Hoeting et al., Statistical Science 14, 1999). Without a telling word the overall utility
   remains: ignoring the prompt is the worst this policy can do.

Alternatives to the best are drawn by Thompson sampling (Thompson, Biometrika 25, 1933): one draw from each
checkpoint's posterior, in the order of the draws, so that one is shown about as often as it may be the best.

Confidence is clarity (the probability that the best is the best) times evidence (how many rounds shared the
telling words). Both come from similar rounds only: what is liked in general is shown, but not trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..confidence import Numbers, clarity
from ..values import Evidence, Keyword, Ranking, Reason
from . import telling_words
from .evidence_arrays import NOTHING, EvidenceArrays, as_arrays

_OVERALL_VARIANCE = 0.5**2
_PROMPT_VARIANCES = numpy.array([0.8, 1.3, 2.0]) ** 2
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
        information = held.pairs.field("information")
        score = held.pairs.field("score")
        residuals = score - information * overall
        words = telling_words.weigh(held, keywords, score, information)
        share = telling_words.shares(words)
        posterior = _posterior(overall, share @ residuals, share @ information)

        deviations = numpy.sqrt(posterior.variances)
        order = numpy.argsort(-posterior.means, kind="stable")
        leader = int(order[0])
        draws = posterior.means + deviations * rng.standard_normal(len(candidates))
        draws[leader] = numpy.inf
        compared = [evidence.pairs.get((keyword.text, candidates[leader]), NOTHING) for keyword in keywords]
        amount = telling_words.evidence(words, share, numpy.array([pair.rounds for pair in compared]))
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
                _Effects(overall, share[:, None] * residuals * posterior.gains),
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
