"""When the rollups of the log are brought up to date: as somebody looks; of a long log, in the background.

Separate from `rollups`, which does one page and knows no time. Nobody waits for a million generations: who
looks meanwhile is shown what has been counted so far, and how much that is.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

from ..database.database import Database
from ..errors import StoreUnavailable
from . import rollups

Read = Literal["exact", "summed", "partial"]
"""What a look reads: the log alone, the rollups and what is newer, or the rollups as far as they go."""

MANY = 20_000
"""So many generations are summed up within a fraction of a second, for which a look may wait."""
_HOPELESS = 5
"""Where so many times `MANY` are left, a look does not wait at all."""
_PATIENCE_S = 0.15
_REST = 0.5
"""How long it rests after a page, as a share of the time that the page took, so that others may write."""


class RollupTask:
    """One service's part in rolling up the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Sum up a long log that has no rollups yet, in the background."""
        with contextlib.suppress(StoreUnavailable):
            if await self._database.read(rollups.remaining) > MANY:
                self._go_on_in_background()

    async def look(self) -> Read:
        """Bring the rollups up to date, of a long log a page or two, and return how to read them."""
        try:
            while (behind := await self._database.read(rollups.behind)) is not False:
                if behind is None:
                    return "exact"
                remaining = await self._database.read(rollups.remaining)
                if remaining > MANY:
                    return await self._part(remaining)
                if not await self._database.write_derived(rollups.bring_up_to_date):
                    break
        except StoreUnavailable:
            return "exact"
        return "summed"

    def end(self) -> None:
        """Stop after the current page."""
        self._ending.set()

    async def _part(self, remaining: int) -> Read:
        task = self._go_on_in_background()
        if remaining > _HOPELESS * MANY:
            return "partial"
        await asyncio.wait([task], timeout=_PATIENCE_S)
        return "partial" if await self._database.read(rollups.remaining) > MANY else "summed"

    def _go_on_in_background(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = self._database.spawn(self._go_on())
        return self._task

    async def _go_on(self) -> None:
        loop, more = asyncio.get_running_loop(), True
        while more and not self._ending.is_set():
            began = loop.time()
            try:
                more = await self._database.write_derived(rollups.bring_up_to_date)
            except StoreUnavailable:
                return  # the next look begins again
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _REST * (loop.time() - began))


async def keep_up(database: Database) -> None:
    """Bring the rollups up to date where little is left: for an import, which logs much at once."""
    with contextlib.suppress(StoreUnavailable):
        if await database.read(rollups.remaining) <= MANY:
            while await database.read(rollups.behind):
                await database.write_derived(rollups.bring_up_to_date)
