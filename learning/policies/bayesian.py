"""The default: models of the person averaged, their best shown, and confidence that means what it says.

What is thought of each checkpoint comes from `experts`. Branches behind the best are filled by Thompson
sampling (Thompson, Biometrika 25, 1933): one draw from each checkpoint's posterior, the greatest is shown.
The second branch draws narrowly, for it is the backup where the best is not quite sure; the third draws
from the whole posterior, so that what is hardly known gets its chance.

Confidence is clarity (the probability that the best is the best) times evidence (how many rounds shared the
telling words). Both come from similar rounds: what is liked in general is shown, but not trusted.
"""

from __future__ import annotations

import numpy

from ..confidence import Numbers
from .experts import Prediction
from .model_policy import ModelPolicy

_BACKUP = 0.5  # the second branch's draw, in posterior deviations; the third's is whole


class Bayesian(ModelPolicy):
    """Averaged choice models, Thompson sampling, and confidence as evidence times clarity."""

    name = "bayesian"

    def appeal(self, found: Prediction, rng: numpy.random.Generator) -> Numbers:
        deviations = numpy.sqrt(found.variances)
        backup = found.means + _BACKUP * deviations * rng.standard_normal(len(found.means))
        appeal = found.means + deviations * rng.standard_normal(len(found.means))
        backup[int(numpy.argmax(found.means))] = -numpy.inf
        appeal[int(numpy.argmax(backup))] = numpy.inf
        return appeal
