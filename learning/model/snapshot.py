"""What was known before a verdict: the value, and the bytes in which it is logged.

A step of an online regression depends on what was known before it. That is kept once, when a comparison is first
judged, and logged with it (column `basis`). Comparison and snapshot alone determine the step, so steps can be
added, replaced and rebuilt in any order. Snapshots are stored in half precision and rounded before they are
used, so that one read back from the log teaches the same bits.

Separate from `averaging`, which takes them, because the store and the exchange read and write them and need no
model for that.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from ..values import HALF_LIFE
from . import forward_decay

Numbers = NDArray[numpy.float64]

WIDTHS = (0.02, 0.4, 1.5)
"""Prior variances of a keyword's effect in the additive models: nearly blind to the prompt, cautious, free."""

MODELS = len(WIDTHS) + 1
"""The additive models and, last, the model of similar rounds."""
_HEAD = struct.Struct("<BHHf")
_WITHOUT_DECAY, _WITH_DRIFT, _VERSION = 2, 3, 4
_MOST = float(numpy.finfo(numpy.float16).max)


@dataclass(frozen=True, slots=True, eq=False)
class PriorSnapshot:
    """What was known of a comparison when it was first judged, for K keywords and S checkpoints shown.

    Attributes
    ----------
    features
        How strongly each keyword enters the regression, `[K]`, of unit length.
    precisions
        Of the effects before, `[1 + K, S]`; the first row is the overall effect.
    means, variances
        The utilities as each model predicted them, `[S, MODELS]`.
    model_weights
        The posterior probability of each model, `[MODELS]`.
    surprises, exploit_streak
        The keywords' `KeywordTrend` before: `[1 + K]` with that of all prompts first, and `[K]`.
    log_decay_weights, log_decay_steps
        The weight at which the comparison counts (`forward_decay`), and how much of it is new, `[1 + K]` each.
    half_life
        As it was set (`values.HALF_LIFE`); 0 for no fading.
    """

    features: Numbers
    precisions: Numbers
    means: Numbers
    variances: Numbers
    model_weights: Numbers
    surprises: Numbers
    exploit_streak: Numbers
    log_decay_weights: Numbers
    log_decay_steps: Numbers
    half_life: float = HALF_LIFE

    def fits(self, keywords: int, shown: int) -> bool:
        """Whether it is of a comparison with so many keywords and checkpoints."""
        return self.precisions.shape == (keywords + 1, shown)

    def reordered(self, places: Sequence[int]) -> PriorSnapshot:
        """The snapshot of the same comparison with its keywords in another order, or with fewer of them."""
        rows = [0, *(place + 1 for place in places)]
        return replace(
            self,
            features=self.features[list(places)],
            precisions=self.precisions[rows],
            surprises=self.surprises[rows],
            exploit_streak=self.exploit_streak[list(places)],
            log_decay_weights=self.log_decay_weights[rows],
            log_decay_steps=self.log_decay_steps[rows],
        )

    def packed(self) -> bytes:
        """As it is logged: 2 bytes per keyword and checkpoint, 10 per keyword, and 32 per checkpoint."""
        keywords, shown = len(self.features), len(self.means)
        numbers = numpy.zeros((), _layout(_VERSION, keywords, shown))
        for name in numbers.dtype.names or ():
            numbers[name] = getattr(self, name)
        return _HEAD.pack(_VERSION, keywords, shown, self.half_life) + numbers.tobytes()


def _layout(version: int, keywords: int, shown: int) -> numpy.dtype[numpy.void]:
    """The arrays that follow the head, in each version's order."""
    per_keyword: list[tuple[str, str, tuple[int, ...]]] = [
        ("surprises", "<f2", (1 + keywords,)),
        ("exploit_streak", "<f2", (keywords,)),
        ("log_decay_weights", "<f2", (1 + keywords,)),
        ("log_decay_steps", "<f2", (1 + keywords,)),
    ]
    if version == _WITH_DRIFT:
        per_keyword = per_keyword[:3]
    elif version == _WITHOUT_DECAY:
        per_keyword = per_keyword[:2]
    return numpy.dtype(
        [
            ("features", "<f2", (keywords,)),
            ("precisions", "<f2", (1 + keywords, shown)),
            *per_keyword,
            ("means", "<f4", (shown, MODELS)),
            ("variances", "<f4", (shown, MODELS)),
            ("model_weights", "<f4", (MODELS,)),
            *([("drift", "<f4")] if version == _WITH_DRIFT else []),
        ]
    )


def rounded(snapshot: PriorSnapshot) -> PriorSnapshot:
    """The snapshot with every number as `PriorSnapshot.packed` keeps it."""
    return PriorSnapshot(
        snapshot.features.astype("<f2").astype(float),
        numpy.clip(snapshot.precisions, 0.0, _MOST).astype("<f2").astype(float),
        snapshot.means.astype("<f4").astype(float),
        snapshot.variances.astype("<f4").astype(float),
        snapshot.model_weights.astype("<f4").astype(float),
        numpy.clip(snapshot.surprises, -_MOST, _MOST).astype("<f2").astype(float),
        numpy.clip(snapshot.exploit_streak, 0.0, _MOST).astype("<f2").astype(float),
        numpy.clip(snapshot.log_decay_weights, 0.0, forward_decay.MOST).astype("<f2").astype(float),
        numpy.clip(snapshot.log_decay_steps, 0.0, forward_decay.MOST).astype("<f2").astype(float),
        float(numpy.float32(snapshot.half_life)),
    )


def unpacked(data: bytes) -> PriorSnapshot | None:
    """Read what `PriorSnapshot.packed` wrote, in this version or the two before; None for anything else.

    Version 2 had no log decay weights. Version 3 had them as they were before the comparison, and the drift that
    raised them.
    """
    if len(data) < _HEAD.size or data[0] not in (_WITHOUT_DECAY, _WITH_DRIFT, _VERSION):
        return None
    version, keywords, shown, half_life = _HEAD.unpack_from(data)
    if 2 * keywords * shown > len(data):
        return None
    layout = _layout(version, keywords, shown)
    if len(data) != _HEAD.size + layout.itemsize:
        return None
    arrays = numpy.frombuffer(data, layout, 1, _HEAD.size)[0]
    numbers = {name: numpy.asarray(arrays[name], dtype=float) for name in layout.names or ()}
    if not all(numpy.isfinite(each).all() for each in numbers.values()):
        return None
    if (numbers["features"] < 0.0).any() or (numbers["precisions"] < 0.0).any():
        return None
    log_decay_weights = numpy.clip(numbers.get("log_decay_weights", numpy.zeros(1 + keywords)), 0.0, forward_decay.MOST)
    log_decay_steps = numpy.clip(numbers.get("log_decay_steps", numpy.zeros(1 + keywords)), 0.0, forward_decay.MOST)
    if version == _WITH_DRIFT:
        after = _after_drift(log_decay_weights, float(numbers["drift"]))
        log_decay_weights, log_decay_steps = after, after - log_decay_weights
    return PriorSnapshot(
        numbers["features"],
        numbers["precisions"],
        numbers["means"],
        numpy.maximum(numbers["variances"], 0.0),
        numpy.clip(numbers["model_weights"], 0.0, 1.0),
        numbers["surprises"],
        numbers["exploit_streak"],
        log_decay_weights,
        log_decay_steps,
        half_life,
    )


def _after_drift(log_decay_weights: Numbers, drift_nats: float) -> Numbers:
    """The weights at which a comparison of version 3 counted, so that it still teaches what it taught."""
    pace = numpy.full(len(log_decay_weights), 2.0 * min(0.5, max(0.0, drift_nats)) ** 2)
    pace[:1] *= 0.25
    after: Numbers = numpy.minimum(forward_decay.MOST, log_decay_weights + numpy.log1p(pace))
    return after


def is_former(data: bytes) -> bool:
    """Whether this is a snapshot of a version before 2, which teaches nothing now."""
    return bool(data) and 0 < data[0] < _WITHOUT_DECAY
