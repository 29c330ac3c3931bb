"""Statistics of many (keyword, checkpoint) pairs as one array that still reads like a mapping.

Separate from `evidence` because it needs NumPy. A policy computes with thousands of pairs at once and looks up
few of them: one object for each would cost more than all the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter

import numpy
from numpy.typing import NDArray

from .evidence import PairStatistics

FIELDS = tuple(each.name for each in fields(PairStatistics))

numbers_of: Callable[[PairStatistics], tuple[float, ...]] = attrgetter(*FIELDS)
"""All fields in order; `dataclasses.astuple` would copy each number deeply."""

Pair = tuple[str, str]


class PairTable(Mapping[Pair, PairStatistics]):
    """A mapping from (keyword, checkpoint) to the statistics of the pair.

    Parameters
    ----------
    pairs
        Each once.
    numbers
        Their fields, `[len(pairs), len(FIELDS)]`.
    """

    def __init__(self, pairs: Sequence[Pair], numbers: NDArray[numpy.float64]) -> None:
        keywords = {text: row for row, text in enumerate(dict.fromkeys(text for text, _ in pairs))}
        names = {name: column for column, name in enumerate(dict.fromkeys(name for _, name in pairs))}
        self._rows, self._columns = keywords, names
        self._at = numpy.full((len(keywords), len(names)), -1, dtype=numpy.intp)
        count = len(pairs)
        rows = numpy.fromiter((keywords[text] for text, _ in pairs), numpy.intp, count)
        columns = numpy.fromiter((names[name] for _, name in pairs), numpy.intp, count)
        self._at[rows, columns] = numpy.arange(count)
        self._pairs = pairs
        self._numbers = numpy.concatenate([numbers.reshape(count, len(FIELDS)), numpy.zeros((1, len(FIELDS)))])

    @classmethod
    def of(cls, pairs: Mapping[Pair, PairStatistics]) -> PairTable:
        """The table of any mapping; a table is given back as it is."""
        if isinstance(pairs, PairTable):
            return pairs
        flat = [number for sums in pairs.values() for number in numbers_of(sums)]
        return cls(list(pairs), numpy.array(flat, dtype=float))

    def __getitem__(self, pair: Pair) -> PairStatistics:
        row, column = self._rows.get(pair[0], -1), self._columns.get(pair[1], -1)
        place = int(self._at[row, column]) if row >= 0 and column >= 0 else -1
        if place < 0:
            raise KeyError(pair)
        return PairStatistics(*self._numbers[place].tolist())

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def to_array(self, keywords: Sequence[str], names: Sequence[str]) -> NDArray[numpy.float64]:
        """All fields, `[len(FIELDS), keywords, checkpoints]`, 0 where there is no such pair."""
        rows = numpy.array([self._rows.get(text, -1) for text in keywords], dtype=numpy.intp)
        columns = numpy.array([self._columns.get(name, -1) for name in names], dtype=numpy.intp)
        places = numpy.full((len(rows), len(columns)), -1, dtype=numpy.intp)
        if self._at.size and len(rows) and len(columns):
            known = (rows >= 0)[:, None] & (columns >= 0)[None, :]
            places = numpy.where(known, self._at[rows[:, None], columns[None, :]], -1)
        dense: NDArray[numpy.float64] = self._numbers.T[:, places]
        return dense
