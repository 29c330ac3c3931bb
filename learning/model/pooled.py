"""The model of similar rounds: what rounds with the same informative words say, shrunk towards what all say.

Separate from `keyword_regression` because it learns whole rounds and not single words; `averaging` joins the
two. Three steps, each in closed form over the sums of `sufficient_statistics`:

1. *Overall.* A checkpoint's utility over all prompts has a normal posterior with prior N(0, 0.25^2). A person
   has a few kinds of prompts, which differ. So however many rounds there were, their mean is known only so well.
2. *Similar rounds.* The sums of the prompt's keywords are pooled, each with the word's share in what the prompt
   says (`word_weights`): rounds that share its rare words count most.
3. *Shrinkage.* The pooled sums update a prior around the overall utility. How far a checkpoint may deviate from
   it is not known, so several widths are averaged by how well each predicts the sums (Bayesian model averaging:
   Hoeting et al., Statistical Science 14, 1999). Each checkpoint has its own average, since many are made for
   one thing. A mixture of widths is a prior with heavy tails (a scale mixture of normals: Andrews and Mallows,
   J. Royal Statistical Society B 36, 1974): a checkpoint far better than the others is believed, and one not
   tried yet may be far better. Without an informative word the overall utility remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from . import word_weights
from .confidence import Numbers
from .evidence_arrays import EvidenceArrays

_OVERALL_VARIANCE = 0.25**2
"""Of the overall utility, which differs far less between checkpoints than the utility for one kind of prompts. With
twice that deviation, what is good elsewhere takes the place of what has not been tried here."""
_KINDS_VARIANCE = 0.2
"""Of the mean over a person's kinds of prompts, as a prediction of a new kind: kinds that differ by a deviation of
1.4, and a person who has ten of them."""
_PROMPT_VARIANCES = numpy.array([0.7, 1.4, 2.6]) ** 2
_ALIKE = 0.3
"""How much the other checkpoints' sums say about how far one deviates: 0 if each were separate, 1 if all deviated
alike."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """The posterior of each candidate's utility in this model.

    Attributes
    ----------
    means, variances
        `[C]`; `means` is `overall` `[C]` plus the sum of `effects` `[K, C]`.
    words, shares
        What is known of the keywords, and each one's share in what the prompt says, `[K]`.
    """

    means: Numbers
    variances: Numbers
    overall: Numbers
    effects: Numbers
    words: word_weights.Words
    shares: Numbers


def predict(arrays: EvidenceArrays, words: word_weights.Words) -> Pooled:
    """What similar rounds say of each candidate."""
    overall = _overall(arrays.overall.field("score"), arrays.overall.field("information"), arrays.prior)
    information = arrays.pairs.field("information")
    score = arrays.pairs.field("score")
    residuals = score - information * overall
    shares = word_weights.shares(words)
    gains, variances = _shrunk(shares @ residuals, shares @ information)
    effects = shares[:, None] * residuals * gains
    return Pooled(overall + effects.sum(axis=0), variances, overall, effects, words, shares)


def _overall(score: Numbers, information: Numbers, prior: Numbers) -> Numbers:
    """The expected utility of each candidate for a new kind of prompt, `[C]`.

    The rounds' own estimate is `score / information`. Its variance is `1 / information` of the rounds and
    `_KINDS_VARIANCE` of the kinds (a random effect, as in one-way analysis of variance); its prior is
    N(prior, 0.25^2).
    """
    kinds = _KINDS_VARIANCE / _OVERALL_VARIANCE
    expected: Numbers = (score + prior / _OVERALL_VARIANCE) / (information * (1.0 + kinds) + 1.0 / _OVERALL_VARIANCE)
    return expected


def _shrunk(residual: Numbers, information: Numbers) -> tuple[Numbers, Numbers]:
    """How far one unit of residual moves each utility, and the posterior variance, averaged over all widths,
    `[C]` each.

    With a prior N(overall, v) the log Bayes factor against v = 0 of sums (residual r, information i) is
    `r^2 v / (2 (1 + i v)) - log(1 + i v) / 2`.
    """
    spread = 1.0 + information[:, None] * _PROMPT_VARIANCES
    factors = 0.5 * residual[:, None] ** 2 * _PROMPT_VARIANCES / spread - 0.5 * numpy.log(spread)
    logs = (1.0 - _ALIKE) * factors + _ALIKE * factors.sum(axis=0)
    weights = numpy.exp(logs - logs.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    variances = _PROMPT_VARIANCES / spread
    gains = (variances * weights).sum(axis=1)
    between = residual[:, None] * variances - (residual * gains)[:, None]
    return gains, ((variances + between**2) * weights).sum(axis=1)
