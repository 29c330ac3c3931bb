"""The store's sums in memory, for tests and simulations.

Separate from `sufficient_statistics` because it also takes the snapshot before each comparison, for which it
needs the models.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy

from ..values import Keyword
from .arms import arms_of
from .averaging import take_snapshot
from .evidence import Comparison, Evidence, KeywordTrend, PairStatistics
from .pair_table import FIELDS, Pair, PairTable, numbers_of
from .snapshot import MODELS, PriorSnapshot
from .sufficient_statistics import increments, keyword_rounds, keyword_trends, log_likelihoods


class Accumulator:
    """The store's sums in memory, to the same bits.

    A comparison without a snapshot gets one of what the sums say when it is added.

    Parameters
    ----------
    models
        False: no snapshots are taken. A policy that reads no model does not miss them.

    Examples
    --------    >>> from context_checkpoint.learning.model.evidence import Comparison
    >>> from context_checkpoint.learning.values import Keyword, Shown
    >>> sums = Accumulator()
    >>> sums.add(Comparison((Keyword("anime"),), (Shown("a", 1, selected=1), Shown("b", 1, rejected=1))))
    >>> sums.evidence([Keyword("anime")], ["a"]).pairs["anime", "a"].selected
    1.0
    """

    def __init__(self, *, models: bool = True) -> None:
        self._models = models
        self._pairs: defaultdict[Pair, list[float]] = defaultdict(lambda: [0.0] * len(FIELDS))
        self._rounds: defaultdict[str, float] = defaultdict(float)
        self._trends: defaultdict[str, KeywordTrend] = defaultdict(KeywordTrend)
        self._log_likelihoods = [0.0] * MODELS
        self._snapshots: defaultdict[Comparison, list[PriorSnapshot]] = defaultdict(list)

    def add(self, comparison: Comparison) -> None:
        if comparison.snapshot is None and self._models:
            names = arms_of(comparison, comparison.shown).names
            snapshot = take_snapshot(comparison, self.evidence(comparison.keywords, names))
            self._snapshots[comparison].append(snapshot)
            comparison = replace(comparison, snapshot=snapshot)
        self._change(comparison, 1.0)

    def subtract(self, comparison: Comparison) -> None:
        if comparison.snapshot is None and self._snapshots[comparison]:
            comparison = replace(comparison, snapshot=self._snapshots[comparison].pop())
        self._change(comparison, -1.0)

    def _change(self, comparison: Comparison, sign: float) -> None:
        for increment in increments(comparison):
            sums = self._pairs[increment.keyword, increment.checkpoint]
            for place, more in enumerate(numbers_of(increment.change)):
                sums[place] += sign * more
        for keyword, share in keyword_rounds(comparison).items():
            self._rounds[keyword] += sign * share
        for keyword, trend in keyword_trends(comparison).items():
            self._trends[keyword] = self._trends[keyword].with_more(trend, sign)
        for place, more in enumerate(log_likelihoods(comparison)):
            self._log_likelihoods[place] += sign * more

    @property
    def pairs(self) -> Mapping[Pair, PairStatistics]:
        """All pairs with sums that are not all zero; keyword `""` is the overall effect."""
        return {pair: PairStatistics(*sums) for pair, sums in self._pairs.items() if any(sums)}

    @property
    def judged(self) -> dict[str, float]:
        """How many images of each checkpoint were judged."""
        total = FIELDS.index("total")
        return {name: sums[total] for (keyword, name), sums in self._pairs.items() if not keyword and sums[total]}

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
            log_likelihoods=tuple(self._log_likelihoods),
            keyword_trends={text: self._trends[text] for text in ("", *texts) if text in self._trends},
        )
