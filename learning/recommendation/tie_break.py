"""Which of equally good checkpoints goes first: the one that is loaded already, else the quicker one.

Pure, and separate from policies and strategy: those say what a person likes, this is about the time that the images
take. It changes the order of what is shown, or a single choice among equals; never what is learned, nor how many are
shown. Where nothing is known of the cost, nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy

from ..model.confidence import normal_distribution
from ..values import Cost, Precedence, Ranking

_EQUAL = 0.6
"""Two are equally good while the chance that the first is the better one is at most this; 0.5 is a coin."""

_QUICKER = 0.8
"""Times differ by chance, too: a quicker one takes at most this part of the other's."""

_CLEAR = 0.5
"""Above this confidence the first is called the clear winner."""


def precedence(ranking: Ranking, shown: Sequence[str], costs: Mapping[str, Cost]) -> Precedence | None:
    """Which checkpoint goes first instead of the best one, and why; None: the best one goes first.

    Parameters
    ----------
    shown
        Those that are to be shown. If it is one alone, any equally good candidate may take its place.
    costs
        Of the candidates, as far as known.
    """
    if not costs or ranking.evidence <= 0.0 or ranking.confidence > _CLEAR or ranking.posterior is None:
        return None
    best = ranking.order[0]
    among = ranking.order if len(shown) == 1 else shown
    deviations = dict(zip(ranking.order, ranking.posterior.deviations, strict=True))
    equals = [best, *(name for name in among if name != best and _equally_good(ranking, deviations, name))]
    first = _cheapest(equals, costs)
    if first == best:
        return None
    is_loaded = _cost(costs, first).loaded and not _cost(costs, best).loaded
    return Precedence(first, best, "loaded" if is_loaded else "quicker")


def _equally_good(ranking: Ranking, deviations: Mapping[str, float], other: str) -> bool:
    """Whether what is known leaves open if it is the better one: utilities are taken as independent and normal."""
    best = ranking.order[0]
    ahead = ranking.utilities[best] - ranking.utilities[other]
    noise = sqrt(deviations[best] ** 2 + deviations[other] ** 2)
    return float(normal_distribution(numpy.array([ahead / noise]))[0]) <= _EQUAL


def _cheapest(names: Sequence[str], costs: Mapping[str, Cost]) -> str:
    """The one to begin with, of names with the best first: among loaded ones if there are some, the quickest."""
    loaded = [name for name in names if _cost(costs, name).loaded] or names
    first, timed = loaded[0], {name: s for name in loaded if (s := _cost(costs, name).seconds) is not None}
    if first not in timed:
        return first
    quickest = min(timed, key=lambda name: timed[name])
    return quickest if timed[quickest] <= _QUICKER * timed[first] else first


def _cost(costs: Mapping[str, Cost], name: str) -> Cost:
    return costs.get(name, Cost())
