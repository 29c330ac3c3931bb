"""The store's sums, in memory: for tests, simulations and rebuilding.

Separate from `statistics` because it also takes the basis of each round, which only the models can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy

from ..values import Keyword
from .averaging import take_snapshot
from .evidence import Comparison, Evidence, KeywordTrend, PairStatistics
from .pair_table import FIELDS, Pair, PairTable, numbers_of
from .snapshot import MODELS, PriorSnapshot
from .sufficient_statistics import fits, increments, keyword_rounds, keyword_trends


class Accumulator:
    """The store's sums, in memory: for tests, simulations and rebuilding.

    >>> from context_checkpoint.learning.model.evidence import Comparison
    >>> from context_checkpoint.learning.values import Keyword, Shown
    >>> sums = Accumulator()
    >>> sums.add(Comparison((Keyword("anime"),), (Shown("a", 1, selected=1), Shown("b", 1, rejected=1))))
    >>> sums.evidence([Keyword("anime")], ["a"]).pairs["anime", "a"].selected
    1.0

    A round without a basis gets the one that the tally had when it was added; without `models` it gets none,
    which a policy that reads no model does not miss.
    """

    def __init__(self, *, models: bool = True) -> None:
        self._models = models
        self._pairs: defaultdict[Pair, list[float]] = defaultdict(lambda: [0.0] * len(FIELDS))
        self._rounds: defaultdict[str, float] = defaultdict(float)
        self._hearings: defaultdict[str, KeywordTrend] = defaultdict(KeywordTrend)
        self._fits = [0.0] * MODELS
        self._taken: defaultdict[Comparison, list[PriorSnapshot]] = defaultdict(list)

    def add(self, judged: Comparison) -> None:
        if judged.basis is None and self._models:
            names = [part.checkpoint for part in judged.shown]
            basis = take_snapshot(judged, self.evidence(judged.keywords, names))
            self._taken[judged].append(basis)
            judged = replace(judged, basis=basis)
        self._change(judged, 1.0)

    def subtract(self, judged: Comparison) -> None:
        if judged.basis is None and self._taken[judged]:
            judged = replace(judged, basis=self._taken[judged].pop())
        self._change(judged, -1.0)

    def _change(self, judged: Comparison, sign: float) -> None:
        for increment in increments(judged):
            held = self._pairs[increment.keyword, increment.checkpoint]
            for place, more in enumerate(numbers_of(increment.change)):
                held[place] += sign * more
        for keyword, share in keyword_rounds(judged).items():
            self._rounds[keyword] += sign * share
        for keyword, heard in keyword_trends(judged).items():
            self._hearings[keyword] = self._hearings[keyword].with_more(heard, sign)
        for place, fit in enumerate(fits(judged)):
            self._fits[place] += sign * fit

    @property
    def pairs(self) -> Mapping[Pair, PairStatistics]:
        """All pairs that still hold something; keyword `""` is the overall effect."""
        return {pair: PairStatistics(*held) for pair, held in self._pairs.items() if any(held)}

    def evidence(self, keywords: Sequence[Keyword], candidates: Sequence[str]) -> Evidence:
        texts = [keyword.text for keyword in keywords]
        pairs = [(text, name) for text in texts for name in candidates if (text, name) in self._pairs]
        numbers = numpy.array([self._pairs[pair] for pair in pairs], dtype=float)
        overall = [name for name in candidates if ("", name) in self._pairs]
        return Evidence(
            pairs=PairTable(pairs, numbers),
            overall={name: PairStatistics(*self._pairs["", name]) for name in overall},
            keyword_rounds={text: self._rounds[text] for text in texts if self._rounds.get(text)},
            rounds=self._rounds.get("", 0.0),
            fits=tuple(self._fits),
            keyword_trends={text: self._hearings[text] for text in ("", *texts) if text in self._hearings},
        )
