"""How sure a recommendation may be: how much evidence, and how clear a winner, as two separate numbers.

Confidence is their product, so that *little data* and *no clear winner* stay different answers that the
explanation can tell apart. Separate from the policies because most of them share it, and because what a number
in 0..1 means must not depend on the policy. The design document's own confidence, a count of images, is not
here but in `policies/counts.py`.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

HALF_EVIDENCE_ROUNDS = 4.0
"""Comparable rounds that make evidence one half, among few checkpoints. All examples of the design document fit
this number: 0.2 after one shared prompt, 0.42 after fifteen pictures (five rounds) at 70 %, over 0.7 after
fifty at 90 %."""

_ROUNDS_PER_CHECKPOINT = 0.6
_MOST_HALF_EVIDENCE_ROUNDS = 8.0

Numbers = NDArray[numpy.float64]

_STEPS = numpy.linspace(-4.0, 4.0, 33)
_MASS = numpy.exp(-0.5 * _STEPS**2) / numpy.exp(-0.5 * _STEPS**2).sum()


def evidence(rounds: float, checkpoints: float = 1) -> float:
    """How much data: `n / (n + 4)` for n comparable rounds among up to six checkpoints.

    Among more, the same rounds have shown each of them less often. There it is `n / (n + h)` with h = 0.6 rounds
    (not quite two pictures) for each checkpoint, and at most 8: of many, most are soon ruled out.

    >>> evidence(1.0), evidence(4.0)
    (0.2, 0.5)
    >>> evidence(4.0, checkpoints=200)
    0.3333333333333333
    """
    rounds = max(0.0, rounds)
    return rounds / (rounds + half_evidence_rounds(checkpoints))


def half_evidence_rounds(checkpoints: float) -> float:
    """Comparable rounds that make evidence one half, among so many checkpoints."""
    return min(_MOST_HALF_EVIDENCE_ROUNDS, max(HALF_EVIDENCE_ROUNDS, _ROUNDS_PER_CHECKPOINT * checkpoints))


def clarity(means: Numbers, deviations: Numbers, leader: int, in_play: Numbers | None = None) -> float:
    """How clear a winner: the probability that the leader's value is the greatest of all.

    Values are taken as independent and normal with the given means and standard deviations (all above 0). The
    integral over the leader's value, of the product of the others' distribution functions, is summed on 33
    points. `in_play` is the probability that each of them is to be compared with at all (None: 1).

    >>> import numpy
    >>> round(clarity(numpy.zeros(4), numpy.ones(4), 0), 3)
    0.25
    """
    at = means[leader] + deviations[leader] * _STEPS
    below = normal_distribution((at[:, None] - means[None, :]) / deviations[None, :])
    if in_play is not None and float(in_play.min()) < 1.0:
        below = 1.0 - in_play * (1.0 - below)
    below[:, leader] = 1.0
    return float(min(1.0, max(0.0, _MASS @ below.prod(axis=1))))


def normal_distribution(x: Numbers) -> Numbers:
    """The standard normal's distribution function, to 1.4e-4, without SciPy.

    Logistic approximation of Bowling et al., J. Industrial Engineering and Management 2(1), 2009, equation
    10.
    """
    x = numpy.clip(x, -6.0, 6.0)
    return 1.0 / (1.0 + numpy.exp(-x * (1.5976 + 0.07056 * x * x)))
