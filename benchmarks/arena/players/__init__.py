"""The players by name: our policies, and peers under the same picking rule with the same information."""

from __future__ import annotations

from . import ours, simple
from .contract import Entrant, Play, Player

PLAYERS: dict[str, Entrant] = {entrant.name: entrant for entrant in (*ours.ENTRANTS, *simple.ENTRANTS)}

__all__ = ["PLAYERS", "Entrant", "Play", "Player"]
