"""Up to which moment a log is forgotten, where the clock that says so may be wrong.

Pure, and separate from `forgetting`, which takes rows away for good: a clock that is years ahead (an empty
battery, a machine set up wrongly) must not be believed when it makes all that was taught too old at once.
What vouches for a clock are the days on which something was logged. A pause between two of them counts as
`LONGEST_PAUSE` at most: so a jump of ten years makes what lies before it thirty days older, and a person who
was away for long keeps their log for longer than they asked, which they are told and may change by
`forget --older-than`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

LONGEST_PAUSE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Generations that are older than they may be if the clock is right; none where `generations` is 0."""

    generations: int = 0
    days: int = 0
    """The retention that they are older than."""


def edge_of(now: datetime, retention: timedelta, logged: Iterable[date]) -> datetime:
    """The moment before which everything is too old.

    Parameters
    ----------
    logged
        The days (UTC) on which something was logged, in any order; those after `now` say nothing.
    """
    edge, later = now - retention, now
    for day in sorted(set(logged), reverse=True):
        began = datetime.combine(day, time(), timezone.utc)
        if began > now:
            continue
        if edge >= later:  # all that lies before is too old, however long the pause was
            break
        beyond = later - began - timedelta(days=1) - LONGEST_PAUSE
        if beyond > timedelta(0):
            if edge - datetime.min.replace(tzinfo=timezone.utc) < beyond:
                return datetime.min.replace(tzinfo=timezone.utc)
            edge -= beyond
        later = began
    return edge
