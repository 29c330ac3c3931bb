"""The default: models of the person averaged, their best shown, and confidence that means what it says.

What is thought of each checkpoint comes from `experts`. The first branch behind the best goes to whatever
could still be the best, the greatest mean plus two standard deviations of the posterior (Bayes-UCB: Kaufmann,
Cappe and Garivier, AISTATS 2012). Those behind it are filled by Thompson sampling (Thompson, Biometrika 25,
1933): models are wrong at times, and a bound never tries what they are wrongly sure of.

Confidence is clarity (the probability that the best is the best) times evidence (how many rounds shared the
telling words). Both come from similar rounds: what is liked in general is shown, but not trusted.
"""

from __future__ import annotations

import numpy

from ..confidence import Numbers
from .model_policy import ModelPolicy

_DEVIATIONS = 2.0


class Bayesian(ModelPolicy):
    """Averaged choice models, a branch by upper bound and others by chance, confidence that is honest."""

    name = "bayesian"

    def appeal(self, means: Numbers, deviations: Numbers, rng: numpy.random.Generator) -> Numbers:
        bounds = means + _DEVIATIONS * deviations
        bounds[int(numpy.argmax(means))] = -numpy.inf
        draws = means + deviations * rng.standard_normal(len(means))
        draws[int(numpy.argmax(bounds))] = numpy.inf
        return draws
