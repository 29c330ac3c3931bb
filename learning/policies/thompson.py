"""Thompson sampling at full width: each branch is filled as often as its checkpoint may be the best.

For people who want to explore more than the default does, and as the plain form of the method (Thompson,
Biometrika 25, 1933). It thinks of the checkpoints what the default thinks; only what is tried beside the
best differs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ..values import Evidence, Keyword, Ranking
from .bayesian import ranked
from .experts import predict


class Thompson:
    """The default's models with whole posterior draws for the branches behind the best."""

    name = "thompson"

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
        draws = found.means + numpy.sqrt(found.variances) * rng.standard_normal(len(candidates))
        return ranked(keywords, candidates, evidence, found, draws)
