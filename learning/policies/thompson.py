"""Thompson sampling, for people who want to explore more than the default does."""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy


class Thompson(ModelPolicy):
    """Thompson sampling over the default's posterior.

    Scores and confidence are the default's, and so is the first branch. The others are filled in the order of
    one draw from each posterior, so each candidate is shown as often as it may be the best. The same seed
    draws the same branches.

    Parameters
    ----------
    None: a draw has the posterior's own width.

    Examples
    --------
    Before the first verdict any checkpoint may be shown behind the first of the pool:

    >>> import numpy
    >>> from context_checkpoint.learning.model.evidence import Evidence
    >>> policy, candidates = Thompson(), ["a", "b", "c", "d"]
    >>> policy.rank([], candidates, Evidence(), rng=numpy.random.default_rng(1)).shown_order
    ('a', 'b', 'c', 'd')
    >>> policy.rank([], candidates, Evidence(), rng=numpy.random.default_rng(2)).shown_order
    ('a', 'c', 'b', 'd')

    References
    ----------
    Thompson, On the Likelihood that One Unknown Probability Exceeds Another, Biometrika 25, 1933.
    Russo, Van Roy, Kazerouni, Osband and Wen, A Tutorial on Thompson Sampling, Foundations and Trends in
    Machine Learning 11, 2018.
    """

    name = "thompson"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        draws: Numbers = beliefs.means + beliefs.deviations * rng.standard_normal(len(beliefs.means))
        return draws
