"""What one judged round teaches, as sums.

`increments`, `keyword_rounds`, `keyword_trends` and `fits` are the only places where a verdict becomes numbers; the
store adds them up in SQL and `Accumulator` in memory, to the same bits. They are sums over rounds and never running
means, so that a verdict can be replaced (subtract the old, add the new), withdrawn, merged with another
person's or recomputed from the log. This module refuses to know how the sums are used: that is a policy's
affair.

Nobody recomputes the likelihood of the whole history for each verdict; each round leaves its second-order
expansion around the utilities u0 that the policy had when it recommended (one Newton step, as in online
Laplace approximation: Spiegelhalter and Lauritzen, Networks 20, 1990). With gradient g and curvature h (the
diagonal of the negative Hessian) its sums are `score += g + h * u0`, `information += h`, so that `score /
information` is where the rounds alone would put the utility.

The effects of single keywords are learned beside that (`basis`), from rounds that have their basis, and so is
how expected the verdicts on a keyword's prompts have been of late (`keyword_trends`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy

from ..values import MOST_BRANCHES, Keyword, Shown, Stage
from .evidence import Comparison, Increment, KeywordTrend, PairStatistics
from .keyword_regression import Step, step
from .plackett_luce import bounded, derivatives, merged, surprise
from .snapshot import PriorSnapshot

FORMULA = 3
"""Raised whenever the same rounds give other numbers: a database summed by an older formula is then
recomputed."""

_GRAIN = 2.0**20
_SURPRISE_PACE = 0.25  # each verdict is a quarter of what is thought of the last few
_OVERALL_PACE = 0.25  # of that, for all prompts together, of which there are more
_STAGE_WEIGHTS: Mapping[Stage, float] = {"draft": 0.5}  # a glance at a draft says less of what a final needs


def quantised(number: float) -> float:
    """Round to a multiple of 2**-20.

    Sums of such numbers are exact in double precision up to 2**33, in any order: adding and subtracting a
    verdict gives back the same bits, and a rebuild from the log equals what was summed on the way.
    """
    return round(number * _GRAIN) / _GRAIN


def increments(judged: Comparison) -> tuple[Increment, ...]:
    """All that a round's verdict teaches about (keyword, checkpoint) pairs; keyword `""` is the overall
    effect.

    Empty when no image was judged. Counts of images are not weighted by the keyword's emphasis in the prompt
    or by the stage, since the document's rates count images; the models' sums and the rounds are.
    """
    shown = merged(judged.shown)
    if not any(part.judged for part in shown):
        return ()
    held = derivatives(shown, [bounded(part.utility) for part in shown])
    learned = _step(judged, shown)
    counts = [1.0] * (1 + len(judged.keywords))
    if learned is not None and judged.basis is not None:
        counts = numpy.exp(judged.basis.log_decay_weights).tolist()
    compared = float(len(shown) > 1)
    stage = _STAGE_WEIGHTS.get(judged.stage, 1.0)
    found = []
    for row, keyword in enumerate((Keyword(""), *judged.keywords)):
        weight = stage * max(0.0, keyword.weight)
        for column, (part, (gradient, curvature)) in enumerate(zip(shown, held, strict=True)):
            if not part.judged:
                continue
            change = PairStatistics(
                float(part.selected),
                float(part.judged),
                quantised(weight * compared),
                quantised(counts[row] * weight * (gradient + curvature * bounded(part.utility))),
                quantised(counts[row] * weight * curvature),
                *(() if learned is None else _learned(learned, row, column, stage)),
            )
            found.append(Increment(keyword.text, part.checkpoint, change))
    return tuple(found)


def _step(judged: Comparison, shown: Sequence[Shown]) -> Step | None:
    if judged.basis is None or not judged.basis.fits(len(judged.keywords), len(shown)):
        return None
    return _stepped(tuple(shown), judged.basis)


@lru_cache(maxsize=4)
def _stepped(shown: tuple[Shown, ...], basis: PriorSnapshot) -> Step:
    """The step that `increments` and `fits` both tell of, taken once."""
    return step(shown, basis)


def _learned(learned: Step, row: int, column: int, weight: float) -> list[float]:
    """The additive models' part of a change, in the order of its fields."""
    numbers = [*learned.effects[row, column].tolist(), float(learned.precisions[row, column])]
    return [quantised(weight * number) for number in numbers]


def fits(judged: Comparison) -> tuple[float, ...]:
    """The log likelihood of the verdict under each model before it learned; empty without a basis."""
    shown = merged(judged.shown)
    learned = _step(judged, shown) if any(part.judged for part in shown) else None
    return () if learned is None else tuple(quantised(fit) for fit in learned.fits.tolist())


def keyword_rounds(judged: Comparison) -> dict[str, float]:
    """How much of a full comparison a judged round was, for `""` and each of its keywords; empty if not
    judged.

    A round of three checkpoints counts one, of two two thirds, and a picture shown alone one third: a round
    is worth its pictures, so exploiting gathers evidence, but slowly.
    """
    shown = merged(judged.shown)
    if not any(part.judged for part in shown):
        return {}
    share = round_share(len(shown))
    return {"": share, **{keyword.text: share for keyword in judged.keywords}}


def keyword_trends(judged: Comparison) -> dict[str, KeywordTrend]:
    """What a round's verdict adds to the `KeywordTrend` of `""` and of its keywords; empty without a basis.

    All numbers are replaced rather than added to, which is a sum all the same, because the basis tells what
    they were.
    """
    shown = merged(judged.shown)
    basis = judged.basis
    if basis is None or not basis.fits(len(judged.keywords), len(shown)):
        return {}
    if not any(part.judged for part in shown):
        return {}
    means = basis.means @ basis.trust
    variances = (basis.variances + (basis.means - means[:, None]) ** 2) @ basis.trust
    said = surprise(shown, means.tolist(), variances.tolist())
    pace = _SURPRISE_PACE * _STAGE_WEIGHTS.get(judged.stage, 1.0)
    log_decay_steps = basis.log_decay_steps.tolist()
    before = basis.surprises.tolist()
    found = {
        "": KeywordTrend(
            quantised(_OVERALL_PACE * pace * (said - before[0])),
            log_decay_weight=quantised(log_decay_steps[0]),
        )
    }
    heard = zip(judged.keywords, before[1:], basis.exploit_streak.tolist(), log_decay_steps[1:], strict=True)
    for keyword, was, exploit_streak, log_decay_weight in heard:
        more = 1.0 if len(shown) == 1 else -exploit_streak
        found[keyword.text] = KeywordTrend(quantised(pace * (said - was)), quantised(more), quantised(log_decay_weight))
    return found


def round_share(checkpoints: int) -> float:
    """How much of a full comparison it is to show so many checkpoints."""
    return quantised(min(1.0, checkpoints / MOST_BRANCHES))
