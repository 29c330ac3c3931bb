"""Evidence as arrays, keywords by candidates, so that 200 checkpoints cost what three do.

Separate because both policies that compute with many pairs need it, and because it is the only place that
knows how `Evidence` is keyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy

from ..confidence import Numbers
from ..values import Evidence, Keyword, PairStatistics


@dataclass(frozen=True, slots=True)
class Sums:
    """`PairStatistics` by field, each an array of the same shape."""

    selected: Numbers
    total: Numbers
    rounds: Numbers
    score: Numbers
    information: Numbers


@dataclass(frozen=True, slots=True)
class EvidenceArrays:
    """`pairs` is keywords by candidates `[K, C]`, `overall` `[C]`, `keyword_rounds` and `weights` `[K]`."""

    pairs: Sums
    overall: Sums
    keyword_rounds: Numbers
    weights: Numbers
    rounds: float


def as_arrays(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> EvidenceArrays:
    """Lay out the evidence in the order of keywords and candidates; what is not held is zero."""
    columns = {name: column for column, name in enumerate(candidates)}
    rows = {keyword.text: row for row, keyword in enumerate(keywords)}
    width = len(columns)
    held = [
        (rows[text] * width + columns[name], pair)
        for (text, name), pair in evidence.pairs.items()
        if text in rows and name in columns
    ]
    overall = [(columns[name], pair) for name, pair in evidence.overall.items() if name in columns]
    return EvidenceArrays(
        pairs=_sums(held, (len(rows), width)),
        overall=_sums(overall, (width,)),
        keyword_rounds=numpy.array([evidence.keyword_rounds.get(text, 0.0) for text in rows], dtype=float),
        weights=numpy.array([keyword.weight for keyword in keywords], dtype=float),
        rounds=float(evidence.rounds),
    )


def _sums(held: Sequence[tuple[int, PairStatistics]], shape: tuple[int, ...]) -> Sums:
    places = [place for place, _ in held]

    def laid_out(values: Iterable[float]) -> Numbers:
        flat = numpy.zeros(int(numpy.prod(shape)))
        flat[places] = list(values)
        return flat.reshape(shape)

    return Sums(
        selected=laid_out(pair.selected for _, pair in held),
        total=laid_out(pair.total for _, pair in held),
        rounds=laid_out(pair.rounds for _, pair in held),
        score=laid_out(pair.score for _, pair in held),
        information=laid_out(pair.information for _, pair in held),
    )
