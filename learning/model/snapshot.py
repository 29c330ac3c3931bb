"""What single keywords add to a checkpoint's utility: learned step by step, and still a sum over rounds.

A checkpoint's utility for a prompt is its overall effect plus, for each keyword, the keyword's effect times
how much the keyword has to say (its feature). That is a regression: of two words that always stand together
neither is credited twice, and a word that stands beside many favourites ends up with no effect. It is
learned as in Bayesian online regression with independent normal weights (Graepel et al., ICML 2010): each
verdict moves every weight by its variance times the choice's gradient, `effect += v x g / (1 + h s^2)`, and
its precision grows, `precision += |x|^1.5 h / (1 + h s^2)`, with s^2 the variance of the utility foretold.
The power would be 2 for words that come and go independently, and 1 for words that always stand together and
share what is known of their sum; prompts have both.

How far weights may deviate from nothing is not known, so three models with prior variances `WIDTHS` learn
side by side; `fits` says how well each of them, and the model of similar rounds, foretold the verdicts so
far.

A step depends on what was known before it. That is the round's *basis*: taken once, when it is first judged,
and logged with it. From round and basis alone the step follows, so steps can be added, replaced and rebuilt
in any order. Bases are kept in half precision, and rounded before they are used, so that one read back from
the log teaches the same bits.
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
"""Prior variances of a keyword's effect: nearly blind to the prompt, cautious, free."""

MODELS = len(WIDTHS) + 1
"""The additive models and, last, the model of similar rounds."""
_HEAD = struct.Struct("<BHHf")
_WITHOUT_GROWTH, _OF_A_DOUBT, _VERSION = 2, 3, 4
_MOST = float(numpy.finfo(numpy.float16).max)


@dataclass(frozen=True, slots=True, eq=False)
class PriorSnapshot:
    """What was known of a round when it was first judged, for K keywords and S checkpoints shown.

    Attributes
    ----------
    features
        How much each keyword has to say, `[K]`, of unit length.
    precisions
        What was known of the effects before, `[1 + K, S]`; the first row is the overall effect.
    means, variances
        The utilities as each model foretold them, `[S, MODELS]`.
    trust
        How much each model was believed, `[MODELS]`.
    surprises, alone
        What the keywords' `KeywordTrend` was before: `[1 + K]` with that of all prompts first, `[K]`.
    growths, growing
        At which growth the round counts (`forward_decay`), and how much of that it adds, `[1 + K]` each.
    half_life
        The fading that was set; 0 for none.
    """

    features: Numbers
    precisions: Numbers
    means: Numbers
    variances: Numbers
    trust: Numbers
    surprises: Numbers
    exploit_streak: Numbers
    log_decay_weights: Numbers
    log_decay_steps: Numbers
    half_life: float = HALF_LIFE

    def fits(self, keywords: int, shown: int) -> bool:
        """Whether it is of a round with so many keywords and checkpoints."""
        return self.precisions.shape == (keywords + 1, shown)

    def reordered(self, places: Sequence[int]) -> PriorSnapshot:
        """The basis of the same round with its keywords in another order, or with fewer of them."""
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
    """The arrays that follow the head, as each version has them."""
    per_keyword: list[tuple[str, str, tuple[int, ...]]] = [
        ("surprises", "<f2", (1 + keywords,)),
        ("exploit_streak", "<f2", (keywords,)),
        ("log_decay_weights", "<f2", (1 + keywords,)),
        ("log_decay_steps", "<f2", (1 + keywords,)),
    ]
    if version == _OF_A_DOUBT:
        per_keyword = per_keyword[:3]
    elif version == _WITHOUT_GROWTH:
        per_keyword = per_keyword[:2]
    return numpy.dtype(
        [
            ("features", "<f2", (keywords,)),
            ("precisions", "<f2", (1 + keywords, shown)),
            *per_keyword,
            ("means", "<f4", (shown, MODELS)),
            ("variances", "<f4", (shown, MODELS)),
            ("trust", "<f4", (MODELS,)),
            *([("doubt", "<f4")] if version == _OF_A_DOUBT else []),
        ]
    )


def rounded(basis: PriorSnapshot) -> PriorSnapshot:
    """The basis with every number as `PriorSnapshot.packed` keeps it."""
    return PriorSnapshot(
        basis.features.astype("<f2").astype(float),
        numpy.clip(basis.precisions, 0.0, _MOST).astype("<f2").astype(float),
        basis.means.astype("<f4").astype(float),
        basis.variances.astype("<f4").astype(float),
        basis.trust.astype("<f4").astype(float),
        numpy.clip(basis.surprises, -_MOST, _MOST).astype("<f2").astype(float),
        numpy.clip(basis.exploit_streak, 0.0, _MOST).astype("<f2").astype(float),
        numpy.clip(basis.log_decay_weights, 0.0, forward_decay.MOST).astype("<f2").astype(float),
        numpy.clip(basis.log_decay_steps, 0.0, forward_decay.MOST).astype("<f2").astype(float),
        float(numpy.float32(basis.half_life)),
    )


def unpacked(data: bytes) -> PriorSnapshot | None:
    """Read what `PriorSnapshot.packed` wrote, or its two forerunners; None for what is none of them.

    The first forerunner knew no growth. The second had the growths as they were before the round, and the
    doubt that they grew by.
    """
    if len(data) < _HEAD.size or data[0] not in (_WITHOUT_GROWTH, _OF_A_DOUBT, _VERSION):
        return None
    version, keywords, shown, half_life = _HEAD.unpack_from(data)
    if 2 * keywords * shown > len(data):
        return None
    layout = _layout(version, keywords, shown)
    if len(data) != _HEAD.size + layout.itemsize:
        return None
    read = numpy.frombuffer(data, layout, 1, _HEAD.size)[0]
    numbers = {name: numpy.asarray(read[name], dtype=float) for name in layout.names or ()}
    if not all(numpy.isfinite(held).all() for held in numbers.values()):
        return None
    if (numbers["features"] < 0.0).any() or (numbers["precisions"] < 0.0).any():
        return None
    log_decay_weights = numpy.clip(numbers.get("log_decay_weights", numpy.zeros(1 + keywords)), 0.0, forward_decay.MOST)
    log_decay_steps = numpy.clip(numbers.get("log_decay_steps", numpy.zeros(1 + keywords)), 0.0, forward_decay.MOST)
    if version == _OF_A_DOUBT:
        after = _grown_once(log_decay_weights, float(numbers["doubt"]))
        log_decay_weights, log_decay_steps = after, after - log_decay_weights
    return PriorSnapshot(
        numbers["features"],
        numbers["precisions"],
        numbers["means"],
        numpy.maximum(numbers["variances"], 0.0),
        numpy.clip(numbers["trust"], 0.0, 1.0),
        numbers["surprises"],
        numbers["exploit_streak"],
        log_decay_weights,
        log_decay_steps,
        half_life,
    )


def _grown_once(log_decay_weights: Numbers, doubted: float) -> Numbers:
    """At which growth a round counted when its basis told the doubt, so that it teaches what it taught."""
    pace = numpy.full(len(log_decay_weights), 2.0 * min(0.5, max(0.0, doubted)) ** 2)
    pace[:1] *= 0.25
    after: Numbers = numpy.minimum(forward_decay.MOST, log_decay_weights + numpy.log1p(pace))
    return after


def is_former(data: bytes) -> bool:
    """Whether this is a basis as an earlier version packed it, which teaches nothing now."""
    return bool(data) and 0 < data[0] < _WITHOUT_GROWTH
