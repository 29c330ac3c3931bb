"""The document's rollback: selection rates over all prompts, ignoring the words of this one.

Its score is the document's shrunk rate, of the overall sums. The document gave this rule no confidence; a
count would repeat the fault of `counts`, so it says how likely the first one's rate is the highest, and on
how much data.
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
    """Score: the checkpoint's shrunk selection rate over all prompts. Confidence: clarity times evidence."""

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
        held = {name: evidence.overall.get(name, NOTHING) for name in candidates}
        scores = {name: shrunk_rate(pair.selected, pair.total) for name, pair in held.items()}
        order = tuple(sorted(scores, key=lambda name: -scores[name]))
        rates = numpy.array([scores[name] for name in candidates])
        # The variance of the Beta posterior whose mean the shrunk rate is: its prior is worth PRIOR_IMAGES.
        images = numpy.array([PRIOR_IMAGES + held[name].total for name in candidates])
        deviations = numpy.sqrt(rates * (1.0 - rates) / (images + 1.0))
        clear = clarity(rates, deviations, candidates.index(order[0]))
        amount = evidence_of(evidence.rounds if held[order[0]].total else 0.0)
        return Ranking(
            order=order,
            shown_order=order,
            scores=scores,
            utilities={},
            confidence=amount * clear,
            evidence=amount,
            clarity=clear,
            reasons=tuple(
                Reason("", name, scores[name] - NEUTRAL, held[name].selected, held[name].total)
                for name in order
                if held[name].total
            ),
        )

    def drawn(self, ranking: Ranking, rng: numpy.random.Generator, *, draft: bool = False) -> tuple[str, ...]:
        return ranking.shown_order  # nothing is left to chance
