"""Checkpoints a person has pinned (always shown) or banned (never a candidate), whatever was learned.

Pure, and separate from policies and strategy: those say what the verdicts mean, this is a person's word over
them. `decision` applies it, so that nodes, HTTP and the command line obey it alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidRequest
from ..message import message
from ..names import stored_name
from ..values import Strategy
from .strategy import Choice


@dataclass(frozen=True, slots=True)
class Curation:
    """Names in any spelling; one that is no candidate changes nothing."""

    pinned: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()

    @property
    def pinned_names(self) -> frozenset[str]:
        """The pinned ones as the store spells them."""
        return frozenset(map(stored_name, self.pinned))


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


def with_pinned(choice: Choice, shown_order: Sequence[str], pinned: frozenset[str], branches: int) -> Choice:
    """The choice with the pinned candidates among it, still best first.

    They come in addition as long as there are branches left, and then in the place of the least of the
    others. With one branch, the best pinned one is shown alone.

    Parameters
    ----------
    shown_order
        All candidates, in the order in which branches are filled.
    pinned
        As the store spells them.
    branches
        How many checkpoints may be shown at most.
    """
    wanted = [name for name in shown_order if stored_name(name) in pinned]
    if not set(wanted) - set(choice.checkpoints):
        return choice
    kept = set(wanted[:branches])
    for name in choice.checkpoints:
        if len(kept) < branches:
            kept.add(name)
    checkpoints = tuple(name for name in shown_order if name in kept)
    if checkpoints == choice.checkpoints:
        return choice
    return Choice(_strategy(choice.strategy, checkpoints), checkpoints)


def _strategy(before: Strategy, checkpoints: Sequence[str]) -> Strategy:
    if len(checkpoints) == 1:
        return "exploit"
    return "exploit_explore" if before != "explore" and len(checkpoints) == 2 else "explore"
