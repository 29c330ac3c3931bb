"""The default: models of the person averaged, their best shown, and confidence that means what it says.

What is thought of each checkpoint comes from `experts`. Branches behind the best are filled by Thompson
sampling (Thompson, Biometrika 25, 1933): one draw from each checkpoint's posterior, the greatest is shown.
Each branch draws for itself, so that one lucky draw does not bring both of the same mind.

Confidence is clarity (the probability that the best is the best) times evidence (how many rounds shared the
telling words). Both come from similar rounds: what is liked in general is shown, but not trusted.
"""

from __future__ import annotations

import numpy

from ..confidence import Numbers
from .model_policy import ModelPolicy


class Bayesian(ModelPolicy):
    """Averaged choice models, Thompson sampling, and confidence as evidence times clarity."""

    name = "bayesian"

    def appeal(self, means: Numbers, deviations: Numbers, rng: numpy.random.Generator) -> Numbers:
        backup = means + deviations * rng.standard_normal(len(means))
        appeal = means + deviations * rng.standard_normal(len(means))
        backup[int(numpy.argmax(means))] = -numpy.inf
        appeal[int(numpy.argmax(backup))] = numpy.inf
        return appeal
