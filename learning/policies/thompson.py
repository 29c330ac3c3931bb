"""Thompson sampling at full width: each branch is filled as often as its checkpoint may be the best.

For people who want to explore more than the default does, and as the plain form of the method (Thompson,
Biometrika 25, 1933). It thinks of the checkpoints what the default thinks; only what is tried beside the
best differs.
"""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy


class Thompson(ModelPolicy):
    """The default's models with whole posterior draws for the branches behind the best."""

    name = "thompson"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        draws: Numbers = beliefs.means + beliefs.deviations * rng.standard_normal(len(beliefs.means))
        return draws
