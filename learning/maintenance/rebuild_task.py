"""When the statistics are recomputed, by whom, and what the log tells of it.

Separate from `recomputation`, which does one page and knows no time: this one goes from page to page, beside
everything else, rests between two so that others may write, waits while another process is at it, and takes
over where that one is no longer heard of.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..errors import StoreUnavailable
from ..reports import RebuildReport
from ..store import rebuild as recomputation
from ..store import rollups as log_sums
from ..store.rebuild import Step

_AT_OPENING = 4
"""Pages that opening waits for: so many rounds take no time that anybody would notice."""
_REST = 0.5
"""Of the time that a page took."""
_LOOK_EVERY_S = 5.0

log = logging.getLogger(__name__)


class RebuildTask:
    """One service's part in it."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._worker = uuid4().hex
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._goes_on = False

    async def announce(self, connection: AsyncConnection) -> None:
        """Say in the caller's transaction, which changes the log itself, that all is to be recomputed."""
        await recomputation.begin(connection, self._worker, self._clock(), outdated=True)
        await log_sums.start_anew(connection)

    async def begin(self) -> None:
        """Recompute where another version's formula made the sums, or where somebody left off: a short log at
        once, a long one beside everything else."""
        if self._database.read_only or self._database.write_blocked or (self._task and not self._task.done()):
            return
        if not await self._database.read(recomputation.is_needed):
            return
        made = Step()
        with contextlib.suppress(StoreUnavailable):  # nobody need wait for it; it is tried again beside the work
            for _ in range(_AT_OPENING):
                made = await self._step()
                if made.done or made.others:
                    break
        if not made.done:
            self._task = self._database.spawn(self._go_on())

    async def rebuild(self) -> RebuildReport:
        """Recompute all of it from the oldest round on, whoever is at it, and return when it is done.

        Raises
        ------
        StoreUnavailable
            If the database cannot be written; what was done is not lost, and whoever opens it goes on.
        """

        async def begin(connection: AsyncConnection) -> None:
            await recomputation.begin(connection, self._worker, self._clock())
            await log_sums.start_anew(connection)

        await self._database.write_here(begin)
        made = Step()
        while not made.done:
            made = made.followed_by(await self._step())
            if made.others and await self._ended(_LOOK_EVERY_S):
                break
        return RebuildReport(made.generations, made.pairs, made.corrected)

    @property
    def is_at_work(self) -> bool:
        """Whether pages are left that this one can do, and no other process does."""
        return self._task is not None and not self._task.done() and self._goes_on

    async def wait(self) -> None:
        """Wait until what `begin` began is done, here or by another process."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def end(self) -> None:
        """Stop after the page that is being done; whoever opens the database goes on from there."""
        self._ending.set()

    async def _step(self) -> Step:
        size = {"generations": recomputation.GENERATIONS, "pairs": recomputation.PAIRS}
        try:
            made = await self._database.write_here(
                lambda connection: recomputation.step(connection, self._worker, self._clock(), **size)
            )
        except StoreUnavailable:
            self._goes_on = False
            raise
        self._goes_on = not made.others
        return made

    async def _go_on(self) -> None:
        name, loop = self._database.name, asyncio.get_running_loop()
        began, told, how_long = loop.time(), "", None
        with contextlib.suppress(StoreUnavailable):
            how_long = await self._database.read(recomputation.progress)
        log.info(
            "The statistics of %s are recomputed from its log beside the work (%d generations); until then "
            "recommendations rest on the former ones, and verdicts are counted when it is done.",
            name,
            how_long.of if how_long else 0,
        )
        while True:
            began_page = loop.time()
            rest = _LOOK_EVERY_S
            try:
                made = await self._step()
            except StoreUnavailable as error:
                if error.code == "store_closed":
                    return
                if error.message != told:
                    told = error.message
                    log.warning("Recomputing the statistics waits: %s", told)
            else:
                if made.done:
                    break
                if not made.others:
                    rest = _REST * (loop.time() - began_page)
            if await self._ended(rest):
                return
        log.info("The statistics of %s have been recomputed, within %.0f s.", name, loop.time() - began)

    async def _ended(self, wait_s: float) -> bool:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ending.wait(), wait_s)
        return self._ending.is_set()
