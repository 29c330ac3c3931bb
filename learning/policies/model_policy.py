"""What the policies that believe the same models share: their ranking, their confidence and their reasons.

`bayesian`, `thompson` and `ucb` think of the checkpoints what `experts` thinks, and are as sure of it; each
only says which ones are tried beside the best.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from ..model import word_weights as word_weights
from ..model.averaging import Prediction, predict
from ..model.confidence import Numbers, clarity
from ..model.evidence import Evidence
from ..model.evidence_arrays import Field
from ..values import Keyword, Ranking, Reason

_COUNTED: tuple[Field, Field] = ("selected", "total")
_MUCH_EVIDENCE = 0.8  # sixteen similar rounds, of many checkpoints 32
_EXPLAINED = 5  # candidates whose reasons are told


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What decides which branches are tried.

    Attributes
    ----------
    means, deviations
        Utility and its standard deviation, `[C]`.
    explored
        Much is known of such prompts, and nothing of it doubted.
    draft
        What is asked for is a draft, which is there to see many.
    """

    means: Numbers
    deviations: Numbers
    explored: bool = False
    draft: bool = False


class ModelPolicy(ABC):
    """Ranks by the averaged models; a policy adds `name` and `appeal`."""

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
        settled = _settled(keywords, candidates, predict(keywords, candidates, evidence))
        return replace(settled, shown_order=self.drawn(settled, rng, draft=draft))

    def drawn(self, ranking: Ranking, rng: numpy.random.Generator, *, draft: bool = False) -> tuple[str, ...]:
        if not ranking.order:
            return ()
        names, leader = tuple(ranking.scores), ranking.order[0]
        beliefs = Beliefs(
            numpy.fromiter(ranking.scores.values(), float, len(names)),
            numpy.array(ranking.deviations),
            explored=ranking.evidence >= _MUCH_EVIDENCE and ranking.drift <= 0.0,
            draft=draft,
        )
        appeal = self.appeal(beliefs, rng)
        behind = (names[place] for place in numpy.argsort(-appeal, kind="stable").tolist())
        return (leader, *(name for name in behind if name != leader))

    @abstractmethod
    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        """The order in which branches behind the best are filled, greatest first, `[C]`."""


def _settled(keywords: Sequence[Keyword], candidates: Sequence[str], found: Prediction) -> Ranking:
    """The candidates by what is thought of them, before chance has a say."""
    order = numpy.argsort(-found.means, kind="stable")
    leader = int(order[0])
    pooled, deviations = found.pooled, numpy.sqrt(found.variances)
    leader_rounds = found.held.pairs.field("rounds")[:, leader]
    amount = found.staleness_discount * word_weights.evidence(
        pooled.words, pooled.shares, leader_rounds, len(candidates)
    )
    clear = clarity(found.means, deviations, leader)
    scores = dict(zip(candidates, found.means.tolist(), strict=True))
    names = tuple(candidates[place] for place in order)
    return Ranking(
        order=names,
        shown_order=names,
        scores=scores,
        utilities=scores,
        confidence=amount * clear,
        evidence=amount,
        clarity=clear,
        reasons=_reasons(keywords, candidates, found, order[:_EXPLAINED].tolist()),
        drift=found.drift,
        deviations=tuple(deviations.tolist()),
    )


def _reasons(
    keywords: Sequence[Keyword],
    candidates: Sequence[str],
    found: Prediction,
    explained: Sequence[int],
) -> tuple[Reason, ...]:
    """What makes up the score of the first few candidates: the effects of each add up to its score."""
    reasons = []
    pairs, overall = found.held.pairs, found.held.overall
    for place in explained:
        name, effects = candidates[place], found.effects[:, place].tolist()
        selected, total = (pairs.field(field)[:, place].tolist() for field in _COUNTED)
        of_all = (float(overall.field(field)[place]) for field in _COUNTED)
        reasons.append(Reason("", name, float(found.overall[place]), *of_all))
        sizes = numpy.abs(found.effects[:, place])
        rows = numpy.argsort(-sizes, kind="stable").tolist()
        reasons += [
            Reason(keywords[row].text, name, effects[row], selected[row], total[row]) for row in rows if total[row]
        ]
    return tuple(reasons)
