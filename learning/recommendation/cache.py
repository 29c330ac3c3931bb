"""What was looked up and decided a moment ago, as long as nobody has taught anything since.

A person queues one prompt many times, and the browser asks what would be picked while it is typed. Separate
from `service` because it alone knows when what is remembered is still true: `versions` tells of every commit,
also of other processes, a file's in microseconds, a server's by asking it; where it cannot tell, nothing is
remembered. Only questions with a seed have one answer; without a seed chance is drawn anew from the same
evidence.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace
from typing import Protocol, TypeVar

from ..model.evidence import Evidence
from ..values import Ranking
from .decision import Decision, Question, decide

T = TypeVar("T")
Version = Hashable
"""Any value that is another one after a commit."""

MOST_PAIRS = 20_000
"""Of all remembered evidence together: some 6 MB."""
MOST_DECISIONS = 64


class Source(Protocol):
    """Where evidence comes from."""

    async def version(self) -> Version | None:
        """The state that `read` would be of, or of a newer one; None where that cannot be told."""

    async def read(self) -> tuple[Version | None, Evidence]:
        """The evidence, of the state of this version or of a newer one."""


class EvidenceCache:
    """Of one service, in its loop."""

    def __init__(self) -> None:
        self._version: Version | None = None
        self._evidence: OrderedDict[Hashable, Evidence] = OrderedDict()
        self._rankings: OrderedDict[Hashable, Ranking] = OrderedDict()
        self._decisions: OrderedDict[Hashable, Decision] = OrderedDict()
        self._pairs = 0

    async def decide(self, asked: Question, half_life: float, source: Source) -> Decision:
        """Decide on evidence that `source` gives, or gave when its version was the same.

        Raises
        ------
        InvalidRequest, StoreUnavailable
        """
        about = _about(asked, half_life)
        question = (about, asked.stage, asked.explore, asked.max_branches, asked.seed, asked.thresholds)
        names = (tuple(word.text for word in asked.keywords), tuple(asked.spelled), half_life)
        evidence = None
        if question in self._decisions or names in self._evidence:  # else the version comes with the evidence
            self._see(await source.version())
            known = self._decisions.get(question) if asked.seed is not None else None
            if known is not None:
                self._decisions.move_to_end(question)
                return replace(known, question=asked)
            evidence = self._evidence.get(names)
        if evidence is None:
            version, read = await source.read()
            evidence = replace(read, half_life=half_life)
            self._see(version)
            self._remember(names, evidence)
        made = decide(asked, evidence, self._rankings.get(about))
        if self._version is not None:
            _keep(self._rankings, about, made.ranking)
            if asked.seed is not None:
                _keep(self._decisions, question, made)
        return made

    def _remember(self, names: Hashable, evidence: Evidence) -> None:
        if self._version is None or names in self._evidence or len(evidence.pairs) > MOST_PAIRS:
            return
        self._evidence[names] = evidence
        self._pairs += len(evidence.pairs) + 1
        while self._pairs > MOST_PAIRS:
            _, old = self._evidence.popitem(last=False)
            self._pairs -= len(old.pairs) + 1

    def _see(self, version: Version | None) -> None:
        """Forget what is of another version."""
        if version is None or version != self._version:
            self._evidence.clear()
            self._rankings.clear()
            self._decisions.clear()
            self._pairs, self._version = 0, version


def _keep(kept: OrderedDict[Hashable, T], key: Hashable, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_DECISIONS:
        kept.popitem(last=False)


def _about(asked: Question, half_life: float) -> Hashable:
    """All that a ranking depends on, chance and the evidence aside."""
    words = tuple((word.text, word.weight) for word in asked.keywords)
    return (asked.prompt, words, tuple(asked.spelled.items()), asked.policy.name, half_life)
