"""How many more rounds until confidence is above a threshold, if verdicts go on as they do.

Separate from `confidence`, which says what is known now: this is a forecast of it. Both factors are continued. Evidence
grows with the rounds. For clarity, every candidate falls behind the leader at the pace of a person who has a favourite,
and the deviations shrink as those of a mean do; where each candidate is now is what the verdicts have shown so far.

The two constants were fitted on simulated people with two to twenty-five checkpoints (docs/learning.md).
"""

from __future__ import annotations

import numpy

from .confidence import Numbers, clarity, evidence, half_evidence_rounds

MOST_ROUNDS = 48.0
"""A forecast further ahead says nothing."""

_FAVOURITE_LEAD = 5.0  # by so much a favourite's utility leads in the end
_PRIOR_ROUNDS = 3.0  # what is believed before the first verdict counts so many times the rounds of half evidence
_HALVINGS = 9


def rounds_until(
    confidence: float,
    evidence_now: float,
    means: Numbers,
    deviations: Numbers,
    in_play: Numbers,
) -> float | None:
    """Forecast how many more comparable rounds it takes; None: more than `MOST_ROUNDS`.

    >>> import numpy
    >>> round(rounds_until(0.5, 0.0, numpy.zeros(3), numpy.full(3, 1.4), numpy.ones(3)), 1)
    6.8

    Parameters
    ----------
    confidence
        The threshold.
    evidence_now
        The evidence of the ranking, in 0..1.
    means, deviations, in_play
        Of the candidates' utilities, the leader's first (`confidence.clarity`), `[C]`.
    """
    checkpoints = float(in_play.sum())
    half = half_evidence_rounds(checkpoints)
    now = half * evidence_now / max(1.0 - evidence_now, 1e-9)
    prior = _PRIOR_ROUNDS * half

    def forecast(more: float) -> float:
        rounds = now + more
        behind = _FAVOURITE_LEAD * (rounds / (rounds + prior) - now / (now + prior))
        then = means - behind
        then[0] = means[0]
        spread = deviations * numpy.sqrt((now + prior) / (rounds + prior))
        return evidence(rounds, checkpoints) * clarity(then, spread, 0, in_play)

    if forecast(MOST_ROUNDS) <= confidence:
        return None
    least, most = 0.0, MOST_ROUNDS
    for _ in range(_HALVINGS):
        middle = (least + most) / 2.0
        least, most = (least, middle) if forecast(middle) > confidence else (middle, most)
    return most
