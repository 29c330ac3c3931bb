"""Upper confidence bounds: the branches behind the best go to whatever could still be the best.

Optimism instead of chance (Lai and Robbins, Advances in Applied Mathematics 6, 1985; with normal posteriors
Kaufmann et al., AISTATS 2012): the same verdicts always lead to the same branches, whatever the seed. It
thinks of the checkpoints what the default thinks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ..values import Evidence, Keyword, Ranking
from .bayesian import ranked
from .experts import predict

_DEVIATIONS = 1.0


class UpperBound:
    """The default's models, with branches behind the best by mean plus one standard deviation."""

    name = "ucb"

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
        found = predict(keywords, candidates, evidence)
        return ranked(
            keywords, candidates, evidence, found, found.means + _DEVIATIONS * numpy.sqrt(found.variances)
        )
