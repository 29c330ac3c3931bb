"""The design document's literal rule: selection rates per keyword, shrunk towards one half.

Separate from the model's policies because it stays exact, with its weaknesses: a word in every prompt, like
"masterpiece", saturates its confidence whatever the evidence says. That is why it is not the default.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ..model.evidence import Evidence
from ..model.evidence_arrays import NOTHING, as_arrays
from ..values import Keyword, Ranking, Reason

NEUTRAL = 0.5
PRIOR_IMAGES = 10.0

_FULL_CONFIDENCE = 100.0
_EXPLAINED = 5  # candidates with reasons


def shrunk_rate(selected: float, total: float) -> float:
    """The document's `(1 - w) * 0.5 + w * rate` with `w = total / (total + 10)`.

    >>> round(shrunk_rate(18, 20), 4)
    0.7667
    """
    if total <= 0.0:
        return NEUTRAL
    weight = total / (total + PRIOR_IMAGES)
    return (1.0 - weight) * NEUTRAL + weight * (selected / total)


class Counts:
    """The document's greedy rule on counts of images.

    A candidate's score is the mean, over the keywords of the prompt, of its shrunk selection rate
    (`shrunk_rate`). All keywords and all images count alike. Branches are filled in the order of the scores.
    Confidence is `min(images / 100, 1)`, over all pairs of keyword and candidate.

    Parameters
    ----------
    Fixed by the document: a prior of ten images, and one hundred images for full confidence.

    Examples
    --------
    Of 20 pictures for "cat", 18 of "a" and 6 of "b" were kept:

    >>> import numpy
    >>> from context_checkpoint.learning.model.evidence import Evidence, PairStatistics
    >>> from context_checkpoint.learning.values import Keyword
    >>> evidence = Evidence(pairs={("cat", "a"): PairStatistics(18, 20), ("cat", "b"): PairStatistics(6, 20)})
    >>> ranking = Counts().rank([Keyword("cat")], ["a", "b"], evidence, rng=numpy.random.default_rng(1))
    >>> {name: round(score, 3) for name, score in ranking.scores.items()}, ranking.confidence
    ({'a': 0.767, 'b': 0.367}, 0.4)

    References
    ----------
    The design document, sections on scores and confidence; docs/learning.md has the formulas. The shrunk rate
    is the mean of a Beta(5, 5) prior and a binomial likelihood: Gelman et al., Bayesian Data Analysis, chapter 2.
    """

    name = "counts"

    def rank(
        self,
        keywords: Sequence[Keyword],
        candidates: Sequence[str],
        evidence: Evidence,
        *,
        rng: numpy.random.Generator,
        draft: bool = False,
    ) -> Ranking:
        pairs = as_arrays(keywords, candidates, evidence).pairs
        selected, total = pairs.field("selected"), pairs.field("total")
        # (1 - w) / 2 + w * selected / total, with w = total / (total + 10), in one fraction.
        rates = (PRIOR_IMAGES * NEUTRAL + selected) / (PRIOR_IMAGES + total)
        means = rates.mean(axis=0) if keywords else numpy.full(len(candidates), NEUTRAL)
        scores = dict(zip(candidates, means.tolist(), strict=True))
        order = tuple(candidates[place] for place in numpy.argsort(-means, kind="stable"))
        confidence = min(float(total.sum()) / _FULL_CONFIDENCE, 1.0)
        return Ranking(
            order=order,
            shown_order=order,
            scores=scores,
            utilities={},
            confidence=confidence,
            evidence=confidence,
            clarity=1.0 if order else 0.0,  # the document's rule does not ask how clear the winner is
            reasons=_reasons(keywords, order[:_EXPLAINED], evidence),
        )


def _reasons(keywords: Sequence[Keyword], names: Sequence[str], evidence: Evidence) -> tuple[Reason, ...]:
    reasons = []
    for name in names:
        for keyword in keywords:
            pair = evidence.pairs.get((keyword.text, name), NOTHING)
            if pair.total:
                effect = (shrunk_rate(pair.selected, pair.total) - NEUTRAL) / len(keywords)
                reasons.append(Reason(keyword.text, name, effect, pair.selected, pair.total))
    return tuple(reasons)
