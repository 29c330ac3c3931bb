"""The document's literal rule: selection rates per keyword, shrunk towards one half, averaged over keywords.

It is exact and stays exact: each keyword counts alike, images count alike, and confidence is a count of
data. Its weaknesses (words like "masterpiece" saturate the confidence, whatever they say) are why it is not
the default.
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
_EXPLAINED = 5  # candidates whose reasons are told


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
    """Score: mean over keywords of the shrunk rate. Confidence: min(total / 100, 1) over all pairs."""

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
        held = as_arrays(keywords, candidates, evidence).pairs
        selected, total = held.field("selected"), held.field("total")
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

    def drawn(self, ranking: Ranking, rng: numpy.random.Generator, *, draft: bool = False) -> tuple[str, ...]:
        return ranking.shown_order  # nothing is left to chance


def _reasons(keywords: Sequence[Keyword], names: Sequence[str], evidence: Evidence) -> tuple[Reason, ...]:
    found = []
    for name in names:
        for keyword in keywords:
            pair = evidence.pairs.get((keyword.text, name), NOTHING)
            if pair.total:
                effect = (shrunk_rate(pair.selected, pair.total) - NEUTRAL) / len(keywords)
                found.append(Reason(keyword.text, name, effect, pair.selected, pair.total))
    return tuple(found)
