"""The players by name: our policies, and peers under the same picking rule with the same information."""

from __future__ import annotations

from . import informed, kernel_ucb, mabwiser_linear, ours, river_bandits, simple, thompson_blind, vowpal
from .contract import Entrant, Play, Player

_ALL = (
    *ours.ENTRANTS,
    *simple.ENTRANTS,
    *thompson_blind.ENTRANTS,
    *vowpal.ENTRANTS,
    *mabwiser_linear.ENTRANTS,
    *river_bandits.ENTRANTS,
    *kernel_ucb.ENTRANTS,
    *informed.ENTRANTS,
)

PLAYERS: dict[str, Entrant] = {entrant.name: entrant for entrant in _ALL}

__all__ = ["PLAYERS", "Entrant", "Play", "Player"]
