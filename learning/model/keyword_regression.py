"""Bayesian online regression: what single keywords add to a checkpoint's utility.

A checkpoint's utility for a prompt is its overall effect plus, for each keyword, the keyword's effect times
the keyword's feature. So of two words that always stand together neither is credited twice, and a word next to
many favourites ends up without an effect. Weights are independent and normal (Graepel et al., Web-Scale
Bayesian Click-Through Rate Prediction, ICML 2010): each verdict moves every weight by its variance times the
gradient of the choice, `effect += v x g / (1 + h s^2)`, and its precision grows, `precision += |x|^1.5 h /
(1 + h s^2)`, with s^2 the variance of the predicted utility. The power would be 2 for words that come and go
independently, and 1 for words that always stand together and share what is known of their sum; prompts have
both.

How far weights deviate from zero is not known, so three models with the prior variances `snapshot.WIDTHS`
learn from the same verdicts. Separate from `snapshot`, which only keeps what a step starts from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..values import Shown
from .arms import Arms
from .plackett_luce import derivatives, log_likelihood
from .snapshot import MODELS, WIDTHS, Numbers, PriorSnapshot

OVERALL_VARIANCE = 0.5
"""Prior variance of a checkpoint's overall effect in the additive models."""

_TYPICAL_CURVATURE = 0.2  # of a choice between two or three images that are about equally good
_OVERALL_HALF_LIFE = 8.0  # times as long: a checkpoint's general quality changes more slowly than a fashion
_TOGETHER = 1.5


def keyword_variances(precisions: Numbers, half_life: float) -> Numbers:
    """The variance of each keyword's effect in each additive model, `[..., len(WIDTHS)]`.

    It never falls below a floor that the half life sets: with a gain of `floor h` per verdict, older ones have
    lost half of their weight after `half_life` verdicts if `floor h = 1 - 2^(-1 / half_life)`.
    """
    widths = numpy.array(WIDTHS)
    known = 1.0 / (1.0 / widths + precisions[..., None])
    floored: Numbers = numpy.maximum(known, _floor(half_life) * widths / widths.max())
    return floored


def overall_variances(precisions: Numbers, half_life: float) -> Numbers:
    """The same for the checkpoints' overall effects, `[...]`, which all models share."""
    floor = min(OVERALL_VARIANCE, _floor(_OVERALL_HALF_LIFE * half_life))
    return numpy.maximum(1.0 / (1.0 / OVERALL_VARIANCE + precisions), floor)


def _floor(half_life: float) -> float:
    if half_life <= 0.0:
        return 0.0
    return min(WIDTHS[-1], float(1.0 - 2.0 ** (-1.0 / half_life)) / _TYPICAL_CURVATURE)


@dataclass(frozen=True, slots=True)
class Step:
    """What one verdict adds: effects `[1 + K, S, len(WIDTHS)]`, precisions `[1 + K, S]` and the log likelihoods
    `[MODELS]` of the verdict before it was learned."""

    effects: Numbers
    precisions: Numbers
    log_likelihoods: Numbers


def step(shown: Sequence[Shown], arms: Arms, snapshot: PriorSnapshot) -> Step:
    """What the verdict on these images teaches the additive models of their arms."""
    features = numpy.concatenate([[1.0], snapshot.features])
    variances = numpy.concatenate(
        [
            numpy.repeat(
                overall_variances(snapshot.precisions[0], snapshot.half_life)[None, :, None], len(WIDTHS), axis=2
            ),
            keyword_variances(snapshot.precisions[1:], snapshot.half_life),
        ]
    )
    effects, precisions = numpy.zeros(variances.shape), numpy.zeros(snapshot.precisions.shape)
    judged = [total for _, total in arms.selected_and_judged(shown)]
    means = [arms.utilities_of_alternatives(snapshot.means[:, model].tolist()) for model in range(MODELS)]
    for model in range(len(WIDTHS)):
        gradients = derivatives(shown, means[model], arms.having, arms.bar)
        uncertain = arms.greatest(snapshot.variances[:, model].tolist())
        for place, (gradient, curvature) in enumerate(gradients):
            if not judged[place]:
                continue
            damped = 1.0 + curvature * uncertain[place]
            effects[:, place, model] = variances[:, place, model] * features * gradient / damped
            if model == len(WIDTHS) - 1:
                precisions[:, place] = features**_TOGETHER * curvature / damped
    likelihoods = [
        log_likelihood(shown, means[model], arms.of_alternatives(snapshot.variances[:, model].tolist()), arms.bar)
        for model in range(MODELS)
    ]
    return Step(effects, precisions, numpy.array(likelihoods))
