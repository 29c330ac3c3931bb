"""The habit that imported images show, read once and kept until the imports change.

Separate from `service`, because reading thousands of images takes longer than a question may: what they say changes
only with an import, or when some of it is forgotten.
"""

from __future__ import annotations

import asyncio
import time

from ..database.database import Database
from ..model.habit import Habit
from ..store import imports

_LOOK_AGAIN_S = 2.0
"""So long another process's import may go unnoticed."""


class Habits:
    """Of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state: imports.State | None = None
        self._habit: Habit | None = None
        self._next_look = 0.0

    def forget(self) -> None:
        """Look again with the next question: something was imported or taken back here."""
        self._next_look = 0.0

    async def current(self) -> Habit | None:
        """What the imports say now; None where there are none. Raises `StoreUnavailable`."""
        if time.monotonic() < self._next_look:
            return self._habit
        self._next_look = time.monotonic() + _LOOK_AGAIN_S
        state = await self._database.read(imports.state, at_once=True)
        if state != self._state:
            uses = await self._database.read(imports.uses) if state.has_imports else []
            self._habit = await asyncio.to_thread(Habit, uses) if uses else None
            self._state = state
        return self._habit
