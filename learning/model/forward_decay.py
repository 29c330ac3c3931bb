"""What was learned before a drift counts less than what is learned after it, and everything stays a sum.

A verdict under a drift (`drift`) makes earlier ones count less. Shrinking the sums would forget which round
added what. So later rounds count more instead, and a reader divides by what a round counts now (forward decay:
Cormode et al., ICDE 2009). Each round's weight is fixed once it is judged, so rounds can be added, replaced
and removed in any order. Weights are kept per keyword, as their natural logarithm: the log decay weight.
Separate from `drift`, which measures the change, because this is only the arithmetic of weights.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

Numbers = NDArray[numpy.float64]

MOST = 11.0
"""The greatest log decay weight, after some four changes of one taste; beyond it nothing decays any more. Sums of
a million rounds of this weight are still exact."""

_DECAY = 1.0  # under a great drift, what was learned before counts half from then on
_LITTLE_DRIFT, _GREAT_DRIFT = 0.1, 0.7  # nats; chance alone produces the little one, and nothing decays for it
_OVERALL_DECAY = 0.25  # of that, for what all rounds say, since there are more of them


def decayed_to(log_decay_weights: Numbers, drift_nats: float) -> Numbers:
    """The log decay weights `[1 + K]`, overall and then keywords, of a round that is judged under a drift."""
    beyond = min(1.0, max(0.0, drift_nats - _LITTLE_DRIFT) / (_GREAT_DRIFT - _LITTLE_DRIFT))
    pace = numpy.full(len(log_decay_weights), _DECAY * beyond**2)
    pace[:1] *= _OVERALL_DECAY
    after: Numbers = numpy.minimum(MOST, log_decay_weights + numpy.log1p(pace))
    return after


def spread(log_decay_weights: Numbers, shares: Numbers, co_occurrence: Numbers) -> Numbers:
    """The log decay weights `[1 + K]` of a prompt's words, with those of the words that they co-occur with.

    One taste shows in many words, and each prompt has only some of them. So what changed for a word's companions
    changed for it too: its log decay weight is at least the prompt's mean, times its co-occurrence.

    Parameters
    ----------
    shares
        Each keyword's share in what the prompt says, `[K]`, summing to 1.
    co_occurrence
        How much it co-occurs with the others, `[K]` in 0..1.
    """
    of_words = log_decay_weights[1:]
    if not of_words.any():
        return log_decay_weights
    spread_words = numpy.maximum(of_words, co_occurrence * (shares @ of_words))
    all_weights: Numbers = numpy.concatenate([log_decay_weights[:1], spread_words])
    return all_weights


def decayed(sums: Numbers, log_decay_weights: Numbers) -> Numbers:
    """Sums `[..., K, C]` as they count now, by log decay weights `[K]`."""
    if not log_decay_weights.any():
        return sums
    now: Numbers = sums * numpy.exp(-log_decay_weights)[:, None]
    return now
