"""An upper confidence bound of one width, for people who want no chance at all."""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy

_DEVIATIONS = 1.0


class UpperBound(ModelPolicy):
    """An upper confidence bound over the default's posterior.

    Scores and confidence are the default's, and so is the first branch. The others go to the greatest mean
    plus one standard deviation, whatever the seed: the same verdicts always lead to the same branches. It is
    less bold than the default, and finds late what nothing hints at.

    Parameters
    ----------
    Fixed: one standard deviation.

    Examples
    --------
    "b" and "c" lost to "a"; "d" was never shown, so it may still be better than they:

    >>> import numpy
    >>> from context_checkpoint.learning.model.accumulator import Accumulator
    >>> from context_checkpoint.learning.model.evidence import Comparison
    >>> from context_checkpoint.learning.values import Keyword, Shown
    >>> cat, candidates, sums = [Keyword("cat")], ["a", "b", "c", "d"], Accumulator()
    >>> for _ in range(6):
    ...     pictures = [Shown(name, 1, selected=int(name == "a"), rejected=int(name != "a")) for name in "abc"]
    ...     sums.add(Comparison(tuple(cat), tuple(pictures)))
    >>> evidence = sums.evidence(cat, candidates)
    >>> UpperBound().rank(cat, candidates, evidence, rng=numpy.random.default_rng(1)).shown_order
    ('a', 'd', 'b', 'c')

    References
    ----------
    Lai and Robbins, Asymptotically Efficient Adaptive Allocation Rules, Advances in Applied Mathematics 6, 1985.
    Kaufmann, Cappe and Garivier, On Bayesian Upper Confidence Bounds for Bandit Problems, AISTATS 2012.
    """

    name = "ucb"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        bounds: Numbers = beliefs.means + _DEVIATIONS * beliefs.deviations
        return bounds
