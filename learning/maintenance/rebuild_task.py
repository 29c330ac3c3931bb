"""When the statistics are recomputed, by which process, and what the log says of it.

Separate from `store.rebuild`, which does one page and knows no time: this goes from page to page in the
background, rests between two so that others may write, waits while another process is at it, and takes over
where that one has stopped.
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
from ..store import rebuild, rollups
from ..store.rebuild import Step

_PAGES_AT_OPENING = 4
"""Opening waits for so many pages, which takes a fraction of a second."""
_REST = 0.5
"""How long it rests after a page, as a share of the time that the page took."""
_LOOK_EVERY_S = 5.0
"""How often it looks whether another process still goes on, or a database can be written again."""

log = logging.getLogger(__name__)


class RebuildTask:
    """One service's part in recomputing the statistics."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._worker = uuid4().hex
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._has_pages = False

    async def announce(self, connection: AsyncConnection) -> None:
        """Note, in the caller's transaction, which changes the log itself, that all is to be recomputed."""
        await rebuild.begin(connection, self._worker, self._clock(), outdated=True)
        await rollups.clear(connection)

    async def begin(self) -> None:
        """Recompute where another version's formula made the sums, or where a process left off: a short log at
        once, a long one in the background."""
        if self._database.read_only or self._database.write_blocked or (self._task and not self._task.done()):
            return
        if not await self._database.read(rebuild.is_needed):
            return
        step = Step()
        with contextlib.suppress(StoreUnavailable):  # the background task tries again
            for _ in range(_PAGES_AT_OPENING):
                step = await self._step()
                if step.done or step.others:
                    break
        if not step.done:
            self._task = self._database.spawn(self._go_on())

    async def rebuild(self) -> RebuildReport:
        """Recompute all of it from the oldest generation on, even if another process is at it; return when done.

        Raises
        ------
        StoreUnavailable
            If the database cannot be written; what was done stays, and the next to open it goes on.
        """

        async def begin(connection: AsyncConnection) -> None:
            await rebuild.begin(connection, self._worker, self._clock())
            await rollups.clear(connection)

        await self._database.write_derived(begin)
        progress = Step()
        while not progress.done:
            progress = progress.followed_by(await self._step())
            if progress.others and await self._ended(_LOOK_EVERY_S):
                break
        return RebuildReport(progress.generations, progress.pairs, progress.corrected)

    @property
    def is_at_work(self) -> bool:
        """Whether pages are left that this process can do, and no other does."""
        return self._task is not None and not self._task.done() and self._has_pages

    async def wait(self) -> None:
        """Wait until what `begin` began is done, here or by another process."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def end(self) -> None:
        """Stop after the current page; the next to open the database goes on from there."""
        self._ending.set()

    async def _step(self) -> Step:
        size = {"generations": rebuild.GENERATIONS, "pairs": rebuild.PAIRS}
        try:
            step = await self._database.write_derived(
                lambda connection: rebuild.step(connection, self._worker, self._clock(), **size)
            )
        except StoreUnavailable:
            self._has_pages = False
            raise
        self._has_pages = not step.others
        return step

    async def _go_on(self) -> None:
        name, loop = self._database.name, asyncio.get_running_loop()
        began, logged_problem, progress = loop.time(), "", None
        with contextlib.suppress(StoreUnavailable):
            progress = await self._database.read(rebuild.progress)
        log.info(
            "The statistics of %s are recomputed from its log in the background (%d generations); until then "
            "recommendations use the former ones, and verdicts are counted when it is done.",
            name,
            progress.of if progress else 0,
        )
        while True:
            began_page = loop.time()
            rest = _LOOK_EVERY_S
            try:
                step = await self._step()
            except StoreUnavailable as error:
                if error.code == "store_closed":
                    return
                if error.message != logged_problem:
                    logged_problem = error.message
                    log.warning("Recomputing the statistics waits: %s", error.message)
            else:
                if step.done:
                    break
                if not step.others:
                    rest = _REST * (loop.time() - began_page)
            if await self._ended(rest):
                return
        log.info("The statistics of %s have been recomputed, within %.0f s.", name, loop.time() - began)

    async def _ended(self, wait_s: float) -> bool:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ending.wait(), wait_s)
        return self._ending.is_set()
