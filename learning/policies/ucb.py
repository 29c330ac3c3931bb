"""Upper confidence bounds: the branches behind the best go to whatever could still be the best.

Optimism instead of chance (Lai and Robbins, Advances in Applied Mathematics 6, 1985; with normal posteriors
Kaufmann et al., AISTATS 2012): the same verdicts always lead to the same branches, whatever the seed. It
thinks of the checkpoints what the default thinks.
"""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy

_DEVIATIONS = 1.0


class UpperBound(ModelPolicy):
    """The default's models, with branches behind the best by mean plus one standard deviation."""

    name = "ucb"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        bounds: Numbers = beliefs.means + _DEVIATIONS * beliefs.deviations
        return bounds
