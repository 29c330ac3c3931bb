"""The design document's rollback: selection rates over all prompts, whatever the words of this one.

Separate from `counts` because its confidence is not the document's, which gave this rule none: a count of
images would repeat the fault of `counts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ..model.confidence import clarity
from ..model.confidence import evidence as evidence_of
from ..model.evidence import Evidence
from ..model.evidence_arrays import NOTHING
from ..values import Keyword, Ranking, Reason
from .counts import NEUTRAL, PRIOR_IMAGES, shrunk_rate


class GlobalRates:
    """A greedy rule that ignores the context.

    A candidate's score is its shrunk selection rate over all prompts. Branches are filled in the order of the
    scores. Confidence is evidence (all comparable rounds) times clarity (the probability that the first has
    the highest rate, from the Beta posteriors).

    Parameters
    ----------
    Fixed: a prior of ten images, as in `counts`.

    Examples
    --------
    Of 20 pictures each, 18 of "a" and 6 of "b" were kept, in 20 comparisons of two:

    >>> import numpy
    >>> from context_checkpoint.learning.model.evidence import Evidence, PairStatistics
    >>> evidence = Evidence(overall={"a": PairStatistics(18, 20), "b": PairStatistics(6, 20)}, rounds=20 * 2 / 3)
    >>> ranking = GlobalRates().rank([], ["a", "b"], evidence, rng=numpy.random.default_rng(1))
    >>> ranking.order, round(ranking.confidence, 2)
    (('a', 'b'), 0.77)

    References
    ----------
    The design document, section on rollback. The posterior is that of a Beta prior and a binomial likelihood:
    Gelman et al., Bayesian Data Analysis, chapter 2.
    """

    name = "global"

    def rank(
        self,
        keywords: Sequence[Keyword],
        candidates: Sequence[str],
        evidence: Evidence,
        *,
        rng: numpy.random.Generator,
        draft: bool = False,
    ) -> Ranking:
        if not candidates:
            return Ranking((), (), {}, {}, 0.0, 0.0, 0.0)
        overall = {name: evidence.overall.get(name, NOTHING) for name in candidates}
        scores = {name: shrunk_rate(pair.selected, pair.total) for name, pair in overall.items()}
        order = tuple(sorted(scores, key=lambda name: -scores[name]))
        rates = numpy.array([scores[name] for name in candidates])
        # The variance of the Beta posterior whose mean the shrunk rate is: its prior is worth PRIOR_IMAGES.
        images = numpy.array([PRIOR_IMAGES + overall[name].total for name in candidates])
        deviations = numpy.sqrt(rates * (1.0 - rates) / (images + 1.0))
        clear = clarity(rates, deviations, candidates.index(order[0]))
        amount = evidence_of(evidence.rounds if overall[order[0]].total else 0.0)
        return Ranking(
            order=order,
            shown_order=order,
            scores=scores,
            utilities={},
            confidence=amount * clear,
            evidence=amount,
            clarity=clear,
            reasons=tuple(
                Reason("", name, scores[name] - NEUTRAL, overall[name].selected, overall[name].total)
                for name in order
                if overall[name].total
            ),
        )
