"""The newest decisions, kept for as long as nothing changes in the database.

A person queues one prompt many times, and the browser asks what would be recommended while it is typed.
Separate from the service so that the rule is in one place: a decision is a function of its question and of
the state of the database, so with both equal it may be given again. A question without a seed has no single
answer, and a database that cannot tell its state (a server, or one in memory) is read each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from .decision import Decision, Question

MOST_DECISIONS = 64


class DecisionCache:
    """Of one service, in its event loop.

    Parameters
    ----------
    size
        How many decisions are kept; the least recently used goes first.
    """

    def __init__(self, size: int = MOST_DECISIONS) -> None:
        self._size = size
        self._version: Hashable = None
        self._decisions: OrderedDict[Question, Decision] = OrderedDict()

    def get(self, question: Question, version: Hashable) -> Decision | None:
        """The decision on this question in this state of the database; that of any other state is dropped."""
        if version != self._version:
            self._decisions.clear()
            self._version = version
        decision = self._decisions.get(question)
        if decision is not None:
            self._decisions.move_to_end(question)
        return decision

    def put(self, decision: Decision, version: Hashable) -> None:
        """Keep a decision on evidence that was read in this state of the database, or in a newer one.

        Nothing is kept without a seed or a version, or where another state has been seen meanwhile.
        """
        if version is None or version != self._version or decision.question.seed is None:
            return
        self._decisions[decision.question] = decision
        if len(self._decisions) > self._size:
            self._decisions.popitem(last=False)
