"""Checkpoints a person has pinned (always shown) or banned (never a candidate), whatever was learned.

Pure, and apart from policies and strategy: those say what the verdicts mean, this is a person's word over
them. The service applies it, so that nodes, HTTP and the command line obey it alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import InvalidRequest
from ..message import message
from ..names import stored_name
from ..values import Strategy
from .decision import Decision


@dataclass(frozen=True, slots=True)
class Curation:
    """Names in any spelling; one that is no candidate changes nothing."""

    pinned: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


def allowed(candidates: Sequence[str], curation: Curation) -> list[str]:
    """The candidates without the banned ones.

    Raises
    ------
    InvalidRequest
        If none is left of those that were given.
    """
    if not curation.banned:
        return list(candidates)
    banned = set(map(stored_name, curation.banned))
    left = [name for name in candidates if stored_name(name) not in banned]
    if candidates and not left:
        raise InvalidRequest(
            message(
                "all_banned",
                "Every candidate is banned: {names}. Lift a ban (panel, Checkpoints; or the setting "
                "`banned`), or name other candidates.",
                names=", ".join(candidates),
            ),
            "no_candidates",
        )
    return left


def with_pinned(decision: Decision, curation: Curation) -> Decision:
    """The decision with the pinned candidates among what is shown, still best first.

    They come in addition as long as there are branches left, and then in the place of the least of the
    others. With exploring off, or one branch at most, the best pinned one is shown alone.
    """
    if not curation.pinned:
        return decision
    asked, order = decision.question, decision.ranking.shown_order
    pinned = set(map(stored_name, curation.pinned))
    wanted = [name for name in order if stored_name(name) in pinned]
    if not set(wanted) - set(decision.checkpoints):
        return decision
    most = asked.max_branches if asked.explore else 1
    kept = set(wanted[:most])
    for name in decision.checkpoints:
        if len(kept) < most:
            kept.add(name)
    checkpoints = tuple(name for name in order if name in kept)
    if checkpoints == decision.checkpoints:
        return decision
    return replace(decision, checkpoints=checkpoints, strategy=_strategy(decision.strategy, checkpoints))


def shown(checkpoints: Collection[str], curation: Curation) -> list[str]:
    """Which of the checkpoints are pinned."""
    pinned = set(map(stored_name, curation.pinned))
    return [name for name in checkpoints if stored_name(name) in pinned]


def _strategy(before: Strategy, checkpoints: Sequence[str]) -> Strategy:
    if len(checkpoints) == 1:
        return "exploit"
    return "exploit_explore" if before != "explore" and len(checkpoints) == 2 else "explore"
