"""How far it is to one checkpoint alone, in pictures: what the node shows while it learns.

Separate from `model.until_alone`, which forecasts in rounds: here it is decided when there is such a number at all, and
how it is rounded, so that it does not say more than is known.
"""

from __future__ import annotations

import math

import numpy

from ..model.until_alone import rounds_until
from ..values import Progress, Ranking, Thresholds

PICTURES_PER_ROUND = 3
"""Three checkpoints compared are a round, two are two thirds of one."""


def progress(ranking: Ranking, thresholds: Thresholds) -> Progress | None:
    """The progress for a question that verdicts decide; None for a policy that has no posterior."""
    posterior = ranking.posterior
    if posterior is None or len(ranking.order) < 2:
        return None
    pictures = round(PICTURES_PER_ROUND * posterior.rounds)
    if ranking.confidence > thresholds.exploit:
        return Progress(pictures, alone=True)
    rounds = rounds_until(
        thresholds.exploit,
        ranking.evidence,
        numpy.array([ranking.utilities[name] for name in ranking.order]),
        numpy.array(posterior.deviations),
        numpy.array(posterior.in_play),
    )
    return Progress(pictures, None if rounds is None else about(pictures, rounds))


def about(pictures: int, rounds: float) -> int:
    """How many pictures in all, rounded up: to five, beyond twenty to ten; more than there are already.

    >>> about(12, 2.1), about(0, 5.2), about(14, 3.0)
    (20, 20, 30)
    """
    total = pictures + max(1.0, PICTURES_PER_ROUND * rounds)
    step = 5 if total <= 20 else 10
    return step * math.ceil(total / step)
