"""What one verdict teaches, as sums.

`increments`, `keyword_rounds`, `keyword_trends` and `log_likelihoods` are the only places where a verdict becomes
numbers; the store adds them up in SQL and `Accumulator` in memory, to the same bits. They are sums over
comparisons and never running means, so a verdict can be replaced (subtract the old, add the new), withdrawn,
merged with another person's or recomputed from the log. This module refuses to know how the sums are used: the
models do.

The likelihood of the whole history is not recomputed for each verdict. Each comparison leaves its second-order
expansion around the utilities u0 that the policy had when it recommended (one Newton step, as in online Laplace
approximation: Spiegelhalter and Lauritzen, Networks 20, 1990). With gradient g and curvature h (the diagonal of
the negative Hessian) its sums are `score += g + h * u0` and `information += h`, so `score / information` is where
these comparisons alone would put the utility.

Comparisons with a snapshot also teach the effects of single keywords (`keyword_regression`) and how expected the
verdicts on a keyword's prompts have been recently (`keyword_trends`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy

from ..values import MOST_BRANCHES, Keyword, Shown, Stage
from .arms import Arms, arms_of
from .evidence import Comparison, Increment, KeywordTrend, PairStatistics
from .keyword_regression import Step, step
from .plackett_luce import derivatives, merged, surprise
from .snapshot import PriorSnapshot

FORMULA = 3
"""Raised whenever the same comparisons give other numbers: a database summed by an older formula is then
recomputed."""

_GRAIN = 2.0**20
_SURPRISE_PACE = 0.25  # the weight of each verdict in the exponentially weighted mean
_OVERALL_PACE = 0.25  # of that, for all prompts together, since there are more of them
_STAGE_WEIGHTS: Mapping[Stage, float] = {"draft": 0.5}  # a glance at a draft says less about a final


def quantised(number: float) -> float:
    """Round to a multiple of 2**-20.

    Sums of such numbers are exact in double precision up to 2**33, in any order: adding and subtracting a
    verdict gives back the same bits, and a rebuild from the log equals what was summed on the way.
    """
    return round(number * _GRAIN) / _GRAIN


def increments(comparison: Comparison) -> tuple[Increment, ...]:
    """All that a verdict teaches about (keyword, checkpoint) pairs; keyword `""` is the overall effect.

    Empty if no image was comparison. Counts of images are not weighted by the keyword's emphasis in the prompt or by
    the stage, since the design document's rates count images; the models' sums and the rounds are.
    """
    shown = merged(comparison.shown)
    if not any(part.judged for part in shown):
        return ()
    arms = arms_of(comparison, shown)
    gradients = derivatives(shown, arms.utilities_of_alternatives(arms.utilities), arms.having, arms.bar)
    learned = _step(comparison, shown, arms)
    counts = [1.0] * (1 + len(comparison.keywords))
    if learned is not None and comparison.snapshot is not None:
        counts = numpy.exp(comparison.snapshot.log_decay_weights).tolist()
    compared = float(len(shown) > 1)
    stage = _STAGE_WEIGHTS.get(comparison.stage, 1.0)
    verdicts = list(zip(arms.names, arms.utilities, arms.selected_and_judged(shown), gradients, strict=True))
    added = []
    for row, keyword in enumerate((Keyword(""), *comparison.keywords)):
        weight = stage * max(0.0, keyword.weight)
        for column, (name, utility, (selected, judged), (gradient, curvature)) in enumerate(verdicts):
            if not judged:
                continue
            change = PairStatistics(
                float(selected),
                float(judged),
                quantised(weight * compared),
                quantised(counts[row] * weight * (gradient + curvature * utility)),
                quantised(counts[row] * weight * curvature),
                *(() if learned is None else _learned(learned, row, column, stage)),
            )
            added.append(Increment(keyword.text, name, change))
    return tuple(added)


def _step(comparison: Comparison, shown: Sequence[Shown], arms: Arms) -> Step | None:
    if comparison.snapshot is None or not comparison.snapshot.fits(len(comparison.keywords), len(arms.names)):
        return None
    return _cached_step(tuple(shown), arms, comparison.snapshot)


@lru_cache(maxsize=4)
def _cached_step(shown: tuple[Shown, ...], arms: Arms, snapshot: PriorSnapshot) -> Step:
    """The step that `increments` and `log_likelihoods` both need, computed once."""
    return step(shown, arms, snapshot)


def _learned(learned: Step, row: int, column: int, weight: float) -> list[float]:
    """The additive models' part of a change, in the order of its fields."""
    numbers = [*learned.effects[row, column].tolist(), float(learned.precisions[row, column])]
    return [quantised(weight * number) for number in numbers]


def log_likelihoods(comparison: Comparison) -> tuple[float, ...]:
    """The log likelihood of the verdict under each model before it learned; empty without a snapshot."""
    shown = merged(comparison.shown)
    learned = _step(comparison, shown, arms_of(comparison, shown)) if any(part.judged for part in shown) else None
    return () if learned is None else tuple(quantised(number) for number in learned.log_likelihoods.tolist())


def keyword_rounds(comparison: Comparison) -> dict[str, float]:
    """How much of a full comparison a judged one was, for `""` and each of its keywords; empty if not judged.

    Three checkpoints count one, two count two thirds, and a picture shown alone one third: exploiting gathers
    evidence too, but slowly.
    """
    shown = merged(comparison.shown)
    if not any(part.judged for part in shown):
        return {}
    share = round_share(len(shown))
    return {"": share, **{keyword.text: share for keyword in comparison.keywords}}


def keyword_trends(comparison: Comparison) -> dict[str, KeywordTrend]:
    """What a verdict adds to the `KeywordTrend` of `""` and of its keywords; empty without a snapshot.

    The trends are replaced rather than added to. That is a sum all the same, because the snapshot has what they
    were before.
    """
    shown = merged(comparison.shown)
    snapshot, arms = comparison.snapshot, arms_of(comparison, shown)
    if snapshot is None or not snapshot.fits(len(comparison.keywords), len(arms.names)):
        return {}
    if not any(part.judged for part in shown):
        return {}
    means = snapshot.means @ snapshot.model_weights
    variances = (snapshot.variances + (snapshot.means - means[:, None]) ** 2) @ snapshot.model_weights
    surprised = surprise(
        shown, arms.utilities_of_alternatives(means.tolist()), arms.of_alternatives(variances.tolist()), arms.bar
    )
    pace = _SURPRISE_PACE * _STAGE_WEIGHTS.get(comparison.stage, 1.0)
    log_decay_steps = snapshot.log_decay_steps.tolist()
    before = snapshot.surprises.tolist()
    added = {
        "": KeywordTrend(
            quantised(_OVERALL_PACE * pace * (surprised - before[0])),
            log_decay_weight=quantised(log_decay_steps[0]),
        )
    }
    trends = zip(comparison.keywords, before[1:], snapshot.exploit_streak.tolist(), log_decay_steps[1:], strict=True)
    for keyword, was, exploit_streak, log_decay_weight in trends:
        more = 1.0 if len(shown) == 1 else -exploit_streak
        added[keyword.text] = KeywordTrend(
            quantised(pace * (surprised - was)), quantised(more), quantised(log_decay_weight)
        )
    return added


def round_share(checkpoints: int) -> float:
    """How much of a full comparison it is to show so many checkpoints."""
    return quantised(min(1.0, checkpoints / MOST_BRANCHES))
