"""The worlds by name. Each file holds one kind of world, and one reason to doubt a policy."""

from __future__ import annotations

from .at_hand import AT_HAND
from .combinations import COMBINATIONS
from .contract import World
from .couple import COUPLE
from .drift import DRIFT
from .fast import FAST_ONES
from .lazy import LAZY
from .people import PEOPLE
from .rated import PANEL, RATED
from .shelf import SHELF
from .styles import BOOSTERS, STYLES
from .templates import ALIKE, AUTHORS, TEMPLATES

_SIMULATED = (STYLES, BOOSTERS, TEMPLATES, AUTHORS, ALIKE, DRIFT, LAZY, SHELF, COMBINATIONS, COUPLE)
_ALL = (*_SIMULATED, RATED, PANEL, *AT_HAND, FAST_ONES, *PEOPLE)

WORLDS: dict[str, World] = {world.name: world for world in _ALL}

__all__ = ["WORLDS", "World"]
