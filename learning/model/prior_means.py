"""Utilities that are expected before any verdict, as sums: a prior mean for each arm.

Separate from `evidence`, which adds up what verdicts say, because this is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .evidence import Evidence, PairStatistics

_PRIOR_PRECISION = 1.0 / 0.25**2  # of the overall utility in `pooled`
_NOTHING = PairStatistics()


def with_prior_means(evidence: Evidence, means: Mapping[str, float]) -> Evidence:
    """The evidence with a prior mean of each arm's overall utility.

    In the model of similar rounds it is the mean of the normal prior of the overall utility: a mean m adds m / 0.25^2
    to `score`, so that it fades as `information` grows. The regressions start from it.
    """
    overall = dict(evidence.overall)
    for name, mean in means.items():
        sums = overall.get(name, _NOTHING)
        overall[name] = replace(
            sums,
            score=sums.score + mean * _PRIOR_PRECISION,
            narrow=sums.narrow + mean,
            middle=sums.middle + mean,
            wide=sums.wide + mean,
        )
    return replace(evidence, overall=overall)
