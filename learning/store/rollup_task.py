"""When the sums of the log are brought up to date: as somebody looks, and a long log beside the work.

Separate from `log_sums`, which does one page and knows no time. Nobody waits for a million generations to be
summed up: whoever looks meanwhile is told what has been counted so far, and how much that is.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

from ..database.database import Database
from ..errors import StoreUnavailable
from . import rollups as log_sums

Read = Literal["exact", "summed", "partial"]
"""What a look reads: the log alone, the sums and what is newer, or the sums as far as they go."""

MANY = 20_000
"""So many generations are summed up within a fraction of a second, for which a look may wait."""
_HOPELESS = 5
_PATIENCE_S = 0.15
_REST = 0.5
"""Of the time that a page took, so that others may write."""


class RollupTask:
    """One service's part in it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Sum up a long log that has no sums yet, beside everything else."""
        with contextlib.suppress(StoreUnavailable):
            if await self._database.read(log_sums.left) > MANY:
                self._go_on_beside()

    async def look(self) -> Read:
        """Bring the sums up to date, and say how to read them; of a long log, a page or two of it."""
        try:
            while (behind := await self._database.read(log_sums.behind)) is not False:
                if behind is None:
                    return "exact"
                left = await self._database.read(log_sums.left)
                if left > MANY:
                    return await self._part(left)
                if not await self._database.write_here(log_sums.bring_up_to_date):
                    break
        except StoreUnavailable:
            return "exact"
        return "summed"

    def end(self) -> None:
        """Stop after the page that is being done."""
        self._ending.set()

    async def _part(self, left: int) -> Read:
        going_on = self._go_on_beside()
        if left > _HOPELESS * MANY:
            return "partial"
        await asyncio.wait([going_on], timeout=_PATIENCE_S)
        return "partial" if await self._database.read(log_sums.left) > MANY else "summed"

    def _go_on_beside(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = self._database.spawn(self._go_on())
        return self._task

    async def _go_on(self) -> None:
        loop, more = asyncio.get_running_loop(), True
        while more and not self._ending.is_set():
            began = loop.time()
            try:
                more = await self._database.write_here(log_sums.bring_up_to_date)
            except StoreUnavailable:
                return  # whoever looks next begins anew
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _REST * (loop.time() - began))


async def keep_up(database: Database) -> None:
    """Bring the sums up to date where little is left: while much is logged at once."""
    with contextlib.suppress(StoreUnavailable):
        if await database.read(log_sums.left) <= MANY:
            while await database.read(log_sums.behind):
                await database.write_here(log_sums.bring_up_to_date)
