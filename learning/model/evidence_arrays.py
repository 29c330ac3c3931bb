"""Evidence as arrays, keywords by candidates, so that 200 checkpoints cost little more than three.

Separate because every policy that computes with many pairs needs it, and because it is the only place that
knows how `Evidence` is keyed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy

from ..values import Keyword
from . import forward_decay
from .confidence import Numbers
from .evidence import Evidence, KeywordTrend, PairStatistics
from .pair_table import FIELDS, PairTable

Field = Literal["selected", "total", "rounds", "score", "information", "narrow", "middle", "wide", "precision"]

NOTHING = PairStatistics()
_UNHEARD = KeywordTrend()

_PLACES: Mapping[str, int] = {name: place for place, name in enumerate(FIELDS)}
_FADING = slice(_PLACES["score"], _PLACES["information"] + 1)


@dataclass(frozen=True, slots=True)
class Table:
    """All fields of some `PairStatistics`, zero where nothing is held; the fields come first."""

    numbers: Numbers

    def field(self, name: Field) -> Numbers:
        """One field of all of them."""
        held: Numbers = self.numbers[_PLACES[name]]
        return held


@dataclass(frozen=True, slots=True)
class EvidenceArrays:
    """`pairs` is keywords by candidates `[K, C]`, `overall` `[C]`, `keyword_rounds`, `weights` and `exploit_streak`
    `[K]`; `surprises` and `log_decay_weights` `[1 + K]` have that of all prompts first. Scores and information count
    as they do by now (`forward_decay`)."""

    pairs: Table
    overall: Table
    keyword_rounds: Numbers
    weights: Numbers
    rounds: float
    surprises: Numbers
    exploit_streak: Numbers
    log_decay_weights: Numbers

    def decayed_to(self, log_decay_weights: Numbers) -> EvidenceArrays:
        """The same where keywords have grown to `[1 + K]`, at least as far as they had."""
        if log_decay_weights is self.log_decay_weights:
            return self
        numbers = self.pairs.numbers.copy()
        numbers[_FADING] = forward_decay.faded(numbers[_FADING], log_decay_weights[1:] - self.log_decay_weights[1:])
        return replace(self, pairs=Table(numbers), log_decay_weights=log_decay_weights)


def as_arrays(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> EvidenceArrays:
    """Lay out the evidence in the order of keywords and candidates, leaving out what is of neither."""
    overall = PairTable.of({("", name): held for name, held in evidence.overall.items()})
    rounds = [evidence.keyword_rounds.get(keyword.text, 0.0) for keyword in keywords]
    texts = [keyword.text for keyword in keywords]
    heard = [evidence.keyword_trends.get(text, _UNHEARD) for text in ("", *texts)]
    log_decay_weights = numpy.clip([held.log_decay_weight for held in heard], 0.0, forward_decay.MOST)
    pairs = PairTable.of(evidence.pairs).laid_out(texts, candidates)
    general = overall.laid_out([""], candidates)
    pairs[_FADING] = forward_decay.faded(pairs[_FADING], log_decay_weights[1:])
    general[_FADING] = forward_decay.faded(general[_FADING], log_decay_weights[:1])
    return EvidenceArrays(
        pairs=Table(pairs),
        overall=Table(general[:, 0]),
        keyword_rounds=numpy.array(rounds, dtype=float),
        weights=numpy.array([keyword.weight for keyword in keywords], dtype=float),
        rounds=float(evidence.rounds),
        surprises=numpy.array([held.surprise for held in heard], dtype=float),
        exploit_streak=numpy.maximum(0.0, numpy.array([held.exploit_streak for held in heard[1:]], dtype=float)),
        log_decay_weights=log_decay_weights,
    )
