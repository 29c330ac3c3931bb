"""The worlds by name. Each file holds one kind of world, and one reason to doubt a policy."""

from __future__ import annotations

from .contract import NeedsData, World
from .styles import BOOSTERS, STYLES

WORLDS: dict[str, World] = {world.name: world for world in (STYLES, BOOSTERS)}

__all__ = ["WORLDS", "NeedsData", "World"]
