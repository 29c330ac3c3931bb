"""Bayesian online regression: what one verdict adds to each keyword effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..values import Shown
from .plackett_luce import derivatives, log_likelihood
from .snapshot import MODELS, WIDTHS, Numbers, PriorSnapshot

OVERALL_VARIANCE = 0.5
"""Prior variance of a checkpoint's overall effect in the additive models."""

_TYPICAL_CURVATURE = 0.2  # of a choice between two or three images that are about equally good
_OVERALL_HALF_LIFE = 8.0  # times as long: a checkpoint's general quality changes more slowly than a fashion
_TOGETHER = 1.5


def keyword_variances(precisions: Numbers, half_life: float) -> Numbers:
    """What is not known of each keyword's effect in each additive model, `[..., len(WIDTHS)]`.

    It never falls below what a half-life leaves open: with a gain of `floor h` per verdict, older ones have
    lost half of their weight after `half_life` verdicts if `floor h = 1 - 2^(-1 / half_life)`.
    """
    widths = numpy.array(WIDTHS)
    known = 1.0 / (1.0 / widths + precisions[..., None])
    floored: Numbers = numpy.maximum(known, _floor(half_life) * widths / widths.max())
    return floored


def overall_variances(precisions: Numbers, half_life: float) -> Numbers:
    """The same for the checkpoints' overall effects, which all models share."""
    floor = min(OVERALL_VARIANCE, _floor(_OVERALL_HALF_LIFE * half_life))
    return numpy.maximum(1.0 / (1.0 / OVERALL_VARIANCE + precisions), floor)


def _floor(half_life: float) -> float:
    if half_life <= 0.0:
        return 0.0
    return min(WIDTHS[-1], float(1.0 - 2.0 ** (-1.0 / half_life)) / _TYPICAL_CURVATURE)


@dataclass(frozen=True, slots=True)
class Step:
    """What one verdict adds: effects `[1 + K, S, len(WIDTHS)]`, precisions `[1 + K, S]`, fits `[MODELS]`."""

    effects: Numbers
    precisions: Numbers
    fits: Numbers


def step(shown: Sequence[Shown], basis: PriorSnapshot) -> Step:
    """What the verdict on these checkpoints, one part each, teaches the additive models."""
    features = numpy.concatenate([[1.0], basis.features])
    variances = numpy.concatenate(
        [
            numpy.repeat(overall_variances(basis.precisions[0], basis.half_life)[None, :, None], len(WIDTHS), axis=2),
            keyword_variances(basis.precisions[1:], basis.half_life),
        ]
    )
    effects, precisions = numpy.zeros(variances.shape), numpy.zeros(basis.precisions.shape)
    for model in range(len(WIDTHS)):
        held = derivatives(shown, basis.means[:, model].tolist())
        for place, (part, (gradient, curvature)) in enumerate(zip(shown, held, strict=True)):
            if not part.judged:
                continue
            damped = 1.0 + curvature * basis.variances[place, model]
            effects[:, place, model] = variances[:, place, model] * features * gradient / damped
            if model == len(WIDTHS) - 1:
                precisions[:, place] = features**_TOGETHER * curvature / damped
    fits = [
        log_likelihood(shown, basis.means[:, model].tolist(), basis.variances[:, model].tolist())
        for model in range(MODELS)
    ]
    return Step(effects, precisions, numpy.array(fits))
