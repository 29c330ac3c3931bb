"""The default: averaged models of the person, the best shown first, and a confidence that is calibrated."""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy

_SECOND, _OTHERS, _EXPLORED = 2.0, 3.0, 1.0  # standard deviations
_UNUSED = 1e-6


class Bayesian(ModelPolicy):
    """Upper confidence bounds over a Bayesian average of choice models.

    The candidate with the greatest posterior mean is first. The second branch goes to the greatest mean plus
    two standard deviations among the others, the third to the greatest mean plus three. The narrow bound soon
    leaves what it finds worse; the wide one goes on to what is hardly known. Where the evidence is at least
    0.8 and no drift is seen, one standard deviation is used for all: what remains is to show what is liked.

    Chance decides only where variety is the point: before the first verdict, when all candidates look alike,
    for the third branch of a draft, which is one posterior draw (Thompson sampling), and where a habit is known
    (`model.habit`), whether a candidate is tried that the person does not work with.

    Confidence is evidence (how many comparisons shared the informative words of the prompt) times clarity (the
    probability that the first is the best).

    Parameters
    ----------
    Fixed: two, three and (explored) one standard deviations; evidence of 0.8 counts as explored. The constants
    of the models are in `learning/model`, each with its reason.

    Examples
    --------
    Twelve prompts about cats, of which checkpoint "b" made the picture that was kept:

    >>> import numpy
    >>> from context_checkpoint.learning.model.accumulator import Accumulator
    >>> from context_checkpoint.learning.model.evidence import Comparison
    >>> from context_checkpoint.learning.values import Keyword, Shown
    >>> cat, candidates, sums = [Keyword("cat")], ["a", "b", "c"], Accumulator()
    >>> for _ in range(12):
    ...     pictures = [Shown(name, 1, selected=int(name == "b"), rejected=int(name != "b")) for name in candidates]
    ...     sums.add(Comparison(tuple(cat), tuple(pictures)))
    >>> ranking = Bayesian().rank(cat, candidates, sums.evidence(cat, candidates), rng=numpy.random.default_rng(7))
    >>> ranking.order[0], round(ranking.confidence, 2)
    ('b', 0.75)

    References
    ----------
    Kaufmann, Cappe and Garivier, On Bayesian Upper Confidence Bounds for Bandit Problems, AISTATS 2012.
    Hoeting, Madigan, Raftery and Volinsky, Bayesian Model Averaging, Statistical Science 14, 1999.
    """

    name = "bayesian"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        means, deviations = beliefs.means, beliefs.deviations
        if beliefs.shares is not None:  # a draw without replacement by these odds (Gumbel, 1954)
            return means + numpy.log(beliefs.shares + _UNUSED) + rng.gumbel(size=len(means))
        if numpy.ptp(means) == 0.0 and numpy.ptp(deviations) == 0.0:
            return rng.random(len(means))
        narrow, wide = (_EXPLORED, _EXPLORED) if beliefs.explored else (_SECOND, _OTHERS)
        second = means + narrow * deviations
        second[int(numpy.argmax(means))] = -numpy.inf
        others: Numbers = means + (rng.standard_normal(len(means)) if beliefs.draft else wide) * deviations
        others[int(numpy.argmax(second))] = numpy.inf
        return others
