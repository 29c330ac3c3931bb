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

_FADING = 1.0  # under great doubt, what was told before counts half from then on
_LITTLE_DOUBT, _GREAT_DOUBT = 0.1, 0.7  # nats; chance alone brings the little about, and nothing fades for it
_OVERALL_FADING = 0.25  # of that, for what all rounds say, of which there are more


def decayed_to(log_decay_weights: Numbers, doubted: float) -> Numbers:
    """The growths `[1 + K]`, overall and then keywords, at which a round counts that comes under a doubt."""
    beyond = min(1.0, max(0.0, doubted - _LITTLE_DOUBT) / (_GREAT_DOUBT - _LITTLE_DOUBT))
    pace = numpy.full(len(log_decay_weights), _FADING * beyond**2)
    pace[:1] *= _OVERALL_FADING
    known: Numbers = numpy.minimum(MOST, log_decay_weights + numpy.log1p(pace))
    return known


def spread(log_decay_weights: Numbers, shares: Numbers, company: Numbers) -> Numbers:
    """The growths `[1 + K]` of a prompt's words once each has heard of what the others went through.

    A taste is told in many words, and each prompt has only some of them. So what turned for those that keep
    company with a word turned for it: it grows at least as far as the prompt has grown on the whole, times
    its company.

    Parameters
    ----------
    shares
        How much each keyword has to say of the prompt, `[K]`, which sum to 1.
    company
        How far it keeps company with the others, `[K]` in 0..1.
    """
    of_words = log_decay_weights[1:]
    if not of_words.any():
        return log_decay_weights
    heard = numpy.maximum(of_words, company * (shares @ of_words))
    known: Numbers = numpy.concatenate([log_decay_weights[:1], heard])
    return known


def faded(sums: Numbers, log_decay_weights: Numbers) -> Numbers:
    """Sums `[..., K, C]` as they count by now, with growths `[K]`."""
    if not log_decay_weights.any():
        return sums
    now: Numbers = sums * numpy.exp(-log_decay_weights)[:, None]
    return now
