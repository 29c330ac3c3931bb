"""What the policies over the averaged models share: scores, confidence and reasons.

`bayesian`, `thompson` and `ucb` have the same posterior (`model.averaging`). Each only adds in which order the
branches behind the best are filled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from ..model import word_weights
from ..model.averaging import Prediction, predict
from ..model.confidence import Numbers, clarity
from ..model.evidence import Evidence
from ..model.evidence_arrays import Field
from ..values import MOST_BRANCHES, Keyword, Posterior, Ranking, Reason

_COUNTED: tuple[Field, Field] = ("selected", "total")
_MUCH_EVIDENCE = 0.8  # sixteen similar rounds, among many checkpoints 32
_EXPLAINED = 5  # candidates with reasons


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What decides how branches are filled.

    Attributes
    ----------
    means, deviations
        Posterior mean and standard deviation of each candidate's utility, `[C]`.
    explored
        Whether much is known of such prompts, without a sign of drift.
    draft
        Whether the branches are for a draft, which is there to show many.
    shares
        How the candidates share in what the person makes, `[C]`; None once one was judged, or where no habit is known.
    """

    means: Numbers
    deviations: Numbers
    explored: bool = False
    draft: bool = False
    shares: Numbers | None = None


class ModelPolicy(ABC):
    """Ranks by posterior mean; a policy adds `name` and `appeal`."""

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
        prediction = predict(keywords, candidates, evidence)
        deviations = numpy.sqrt(prediction.variances)
        ranking = _ranking(keywords, candidates, prediction, deviations)
        explored = ranking.evidence >= _MUCH_EVIDENCE and ranking.drift <= 0.0
        prior, judged = prediction.arrays.prior, prediction.arrays.overall.field("total").any()
        shares = prior / prior.sum() if prior.any() and not judged else None
        appeal = self.appeal(Beliefs(prediction.means, deviations, explored, draft, shares), rng)
        leader = ranking.order[0]
        behind = [place for place in numpy.argsort(-appeal, kind="stable").tolist() if candidates[place] != leader]
        behind = _worked_with_first(behind, prediction.arrays.in_play, rng, cold=shares is not None)
        return replace(ranking, shown_order=(leader, *(candidates[place] for place in behind)))

    @abstractmethod
    def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
        """The order in which branches behind the best are filled, greatest first, `[C]`."""


def _worked_with_first(places: list[int], in_play: Numbers, rng: numpy.random.Generator, *, cold: bool) -> list[int]:
    """Put last what the person does not work with, but for those that chance admits, by the probability that the
    person would. Before the first verdict nothing else speaks for one of them, so that the first takes the third
    branch."""
    if float(in_play.min()) >= 1.0:
        return places
    admitted = rng.random(len(in_play)) < in_play
    places = sorted(places, key=lambda place: not admitted[place])
    tried = [place for place in places if admitted[place] and in_play[place] < 1.0]
    if cold and tried and tried[0] not in places[: MOST_BRANCHES - 1]:
        places.remove(tried[0])
        places.insert(MOST_BRANCHES - 2, tried[0])
    return places


def _ranking(
    keywords: Sequence[Keyword], candidates: Sequence[str], prediction: Prediction, deviations: Numbers
) -> Ranking:
    """All but `shown_order`, which is that of the scores."""
    means, pooled = prediction.means, prediction.pooled
    order = numpy.argsort(-means, kind="stable")
    leader = int(order[0])
    leader_rounds = prediction.arrays.pairs.field("rounds")[:, leader]
    amount = prediction.staleness_discount * word_weights.evidence(
        pooled.words, pooled.shares, leader_rounds, float(prediction.arrays.in_play.sum())
    )
    clear = clarity(means, deviations, leader, prediction.arrays.in_play)
    scores = dict(zip(candidates, means.tolist(), strict=True))
    names = tuple(candidates[place] for place in order)
    return Ranking(
        order=names,
        shown_order=names,
        scores=scores,
        utilities=scores,
        confidence=amount * clear,
        evidence=amount,
        clarity=clear,
        reasons=_reasons(keywords, candidates, prediction, order[:_EXPLAINED].tolist()),
        drift=prediction.drift,
        posterior=Posterior(
            tuple(deviations[order].tolist()),
            tuple(prediction.arrays.in_play[order].tolist()),
            word_weights.judged_rounds(pooled.words, pooled.shares),
        ),
    )


def _reasons(
    keywords: Sequence[Keyword],
    candidates: Sequence[str],
    prediction: Prediction,
    explained: Sequence[int],
) -> tuple[Reason, ...]:
    """What makes up the score of the first few candidates: the effects of each add up to its score."""
    reasons = []
    pairs, overall = prediction.arrays.pairs, prediction.arrays.overall
    for place in explained:
        name, effects = candidates[place], prediction.effects[:, place].tolist()
        selected, total = (pairs.field(field)[:, place].tolist() for field in _COUNTED)
        of_all = (float(overall.field(field)[place]) for field in _COUNTED)
        reasons.append(Reason("", name, float(prediction.overall[place]), *of_all))
        sizes = numpy.abs(prediction.effects[:, place])
        rows = numpy.argsort(-sizes, kind="stable").tolist()
        reasons += [
            Reason(keywords[row].text, name, effects[row], selected[row], total[row]) for row in rows if total[row]
        ]
    return tuple(reasons)
