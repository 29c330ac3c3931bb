"""The default: models of the person averaged, their best shown, and confidence that means what it says.

What is thought of each checkpoint comes from `experts`. The branches behind the best go to whatever could
still be the best: the first to the greatest mean plus two standard deviations of the posterior, those behind
it to the greatest mean plus three (Bayes-UCB: Kaufmann, Cappe and Garivier, AISTATS 2012). The wider bound
tries what is hardly known, also where the narrower one is content with the runners-up. Where much is known
and nothing is doubted, one deviation does for all: what is left is to show those that are liked.

Chance decides where variety is the point, so that a queue of prompts tries many: before the first verdict,
when nothing tells the checkpoints apart, and for a draft's third branch, by Thompson sampling (Thompson,
Biometrika 25, 1933).

Confidence is clarity (the probability that the best is the best) times evidence (how many rounds shared the
telling words). Both come from similar rounds: what is liked in general is shown, but not trusted.
"""

from __future__ import annotations

import numpy

from ..model.confidence import Numbers
from .model_policy import Beliefs, ModelPolicy

_SECOND, _OTHERS, _EXPLORED = 2.0, 3.0, 1.0  # standard deviations


class Bayesian(ModelPolicy):
    """Averaged choice models, branches by upper bounds of two widths, confidence that is honest."""

    name = "bayesian"

    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        means, deviations = beliefs.means, beliefs.deviations
        if numpy.ptp(means) == 0.0 and numpy.ptp(deviations) == 0.0:
            return rng.random(len(means))
        narrow, wide = (_EXPLORED, _EXPLORED) if beliefs.explored else (_SECOND, _OTHERS)
        second = means + narrow * deviations
        second[int(numpy.argmax(means))] = -numpy.inf
        others: Numbers = means + (rng.standard_normal(len(means)) if beliefs.draft else wide) * deviations
        others[int(numpy.argmax(second))] = numpy.inf
        return others
