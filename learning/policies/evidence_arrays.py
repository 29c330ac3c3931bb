"""Evidence as arrays, keywords by candidates, so that 200 checkpoints cost little more than three.

Separate because both policies that compute with many pairs need it, and because it is the only place that
knows how `Evidence` is keyed. A field is laid out when it is asked for: no policy needs all five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import numpy
from numpy.typing import NDArray

from ..confidence import Numbers
from ..values import Evidence, Keyword, PairStatistics

Field = Literal["selected", "total", "rounds", "score", "information"]

NOTHING = PairStatistics()


@dataclass(frozen=True, slots=True)
class Table:
    """Some `PairStatistics` and their places in an array of the given shape."""

    places: NDArray[numpy.intp]
    held: Sequence[PairStatistics]
    shape: tuple[int, ...]

    def field(self, name: Field) -> Numbers:
        """One field of all of them, zero where nothing is held."""
        flat = numpy.zeros(int(numpy.prod(self.shape)))
        if self.held:
            flat[self.places] = numpy.fromiter(map(attrgetter(name), self.held), float, len(self.held))
        return flat.reshape(self.shape)


@dataclass(frozen=True, slots=True)
class EvidenceArrays:
    """`pairs` is keywords by candidates `[K, C]`, `overall` `[C]`, `keyword_rounds` and `weights` `[K]`."""

    pairs: Table
    overall: Table
    keyword_rounds: Numbers
    weights: Numbers
    rounds: float


def as_arrays(keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> EvidenceArrays:
    """Lay out the evidence in the order of keywords and candidates, leaving out what is of neither."""
    columns = {name: column for column, name in enumerate(candidates)}
    width = len(candidates)
    rows = {keyword.text: row * width for row, keyword in enumerate(keywords)}
    places = [
        (rows[text] + columns[name], pair)
        for (text, name), pair in evidence.pairs.items()
        if text in rows and name in columns
    ]
    overall = [(columns[name], pair) for name, pair in evidence.overall.items() if name in columns]
    rounds = [evidence.keyword_rounds.get(keyword.text, 0.0) for keyword in keywords]
    return EvidenceArrays(
        pairs=_table(places, (len(keywords), width)),
        overall=_table(overall, (width,)),
        keyword_rounds=numpy.array(rounds, dtype=float),
        weights=numpy.array([keyword.weight for keyword in keywords], dtype=float),
        rounds=float(evidence.rounds),
    )


def _table(held: Sequence[tuple[int, PairStatistics]], shape: tuple[int, ...]) -> Table:
    places = numpy.fromiter((place for place, _ in held), numpy.intp, len(held))
    return Table(places, [pair for _, pair in held], shape)
