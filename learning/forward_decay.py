"""What was learned before something changed counts less than what is learned after, and all stay sums.

A verdict that comes while earlier ones are doubted (`policies.doubt`) makes those count less. To shrink sums
would forget which round added what; so instead the rounds that follow count more, and whoever reads divides
by what a round counts by now (forward decay: Cormode et al., ICDE 2009). Each round's weight is fixed once it
is judged, so rounds can be added, replaced and taken out in any order. Weights are kept per keyword, as their
natural logarithm, the *growth*.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

Numbers = NDArray[numpy.float64]

MOST = 11.0
"""The greatest growth, some four changes of one taste; beyond it nothing fades any more. Sums of a million
rounds of so great a weight are still exact."""

_FADING = 2.0
_MOST_DOUBT = 0.5  # nats
"""A round under so great a doubt lets what was told before count two thirds, one under a fifth of it 0.98."""
_OVERALL_FADING = 0.25  # of that, for what all rounds say, of which there are more


def grown(growths: Numbers, doubted: float) -> Numbers:
    """The growths `[1 + K]`, overall and then keywords, at which a round counts that comes under a doubt."""
    pace = numpy.full(len(growths), _FADING)
    pace[:1] *= _OVERALL_FADING
    known: Numbers = numpy.minimum(MOST, growths + numpy.log1p(pace * min(doubted, _MOST_DOUBT) ** 2))
    return known


def faded(sums: Numbers, growths: Numbers) -> Numbers:
    """Sums `[..., K, C]` as they count by now, with growths `[K]`."""
    if not growths.any():
        return sums
    now: Numbers = sums * numpy.exp(-growths)[:, None]
    return now
