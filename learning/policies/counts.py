"""The document's literal rule: selection rates per keyword, shrunk towards one half, averaged over keywords.

It is exact and stays exact: each keyword counts alike, images count alike, and confidence is a count of
data. Its weaknesses (words like "masterpiece" saturate the confidence, whatever they say) are why it is not
the default.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from ..values import Evidence, Keyword, PairStatistics, Ranking, Reason

NEUTRAL = 0.5
_FULL_CONFIDENCE = 100.0
PRIOR_IMAGES = 10.0
_NOTHING = PairStatistics()


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
    ) -> Ranking:
        scores: dict[str, float] = {}
        reasons = []
        total = 0.0
        for name in candidates:
            effects = []
            for keyword in keywords:
                pair = evidence.pairs.get((keyword.text, name), _NOTHING)
                rate = shrunk_rate(pair.selected, pair.total)
                effects.append(rate)
                total += pair.total
                if pair.total:
                    reasons.append(Reason(keyword.text, name, rate - NEUTRAL, pair.selected, pair.total))
            scores[name] = sum(effects) / len(effects) if effects else NEUTRAL
        order = tuple(sorted(scores, key=lambda name: -scores[name]))
        confidence = min(total / _FULL_CONFIDENCE, 1.0)
        return Ranking(
            order=order,
            shown_order=order,
            scores=scores,
            utilities={},
            confidence=confidence,
            evidence=confidence,
            clarity=1.0 if order else 0.0,
            reasons=tuple(reasons),
        )
