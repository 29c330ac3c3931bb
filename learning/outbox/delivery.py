"""Writes to the database; while that cannot be written, to the outbox, and from there to the database later.

A server that is away, a file that another program keeps locked, a full disk: what is logged and judged meanwhile is
appended to one file on this machine, as lines of an export with their own moments, and is acknowledged once it is on
the disk. Delivery is an import (`exchange.transfer`): it knows generations by their ids and lets the newest verdict
win, so that a line may arrive twice, and a verdict that another worker gave later stays.

Separate from the service, which says what is written, and from `file`, which holds the lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database import engines
from ..database.database import TRY_EVERY_S, Database, Work
from ..errors import InvalidRequest, StoreUnavailable, UnknownGeneration
from ..exchange import transfer
from ..exchange.line_format import PortableGeneration, read_generation
from ..message import joined, message
from ..reports import ImportReport
from ..store import generations
from .file import OutboxFile, WaitingLine
from .former_standby import deliver_former_standby

T = TypeVar("T")

_BATCH = 25
_REMEMBERED = 1000
"""So many generations of this process can be judged while the database cannot be read."""
_FILE_FAILURES = (sqlite3.Error, OSError)

log = logging.getLogger(__name__)


def outbox_of(path_or_url: str | os.PathLike[str], folder: Path) -> OutboxFile:
    """Where the work for one database waits. Raises `StoreUnavailable` where that is no address."""
    name = engines.parse(path_or_url).render_as_string(hide_password=True)
    return OutboxFile(folder / f"outbox-{sha256(name.encode()).hexdigest()[:8]}.db")


class Delivery:
    """The way from one process to one database. Without a file nothing waits, and every failure is raised."""

    def __init__(self, database: Database, file: OutboxFile | None, keep_prompts: Callable[[], bool]) -> None:
        self._database = database
        self._file = file
        self._keep_prompts = keep_prompts
        self._recent: OrderedDict[str, PortableGeneration] = OrderedDict()
        self._waits = False
        self._reason: StoreUnavailable | None = None
        self._next_try = 0.0
        self._delivering = asyncio.Lock()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Deliver what waits from an earlier time, or go on trying in the background."""
        if self._file is None:
            return
        try:
            if self._database.is_server and self._database.is_open:
                await asyncio.to_thread(self._file.create)
                folder = self._file.path.parent
                await deliver_former_standby(self._database, folder, keep_prompts=self._keep_prompts())
            self._waits = bool(await asyncio.to_thread(self._file.count))
            if self._waits:
                await self.deliver()
        except StoreUnavailable:
            self._try_later()
        except _FILE_FAILURES as error:
            log.warning("The outbox %s cannot be used: %s", self._file.path, error)

    def end(self) -> None:
        """Stop trying; the next to open the database goes on."""
        self._ending.set()

    @property
    def path(self) -> Path | None:
        """The outbox's file."""
        return None if self._file is None else self._file.path

    async def waiting(self) -> int:
        """How many lines wait to be delivered, of every process of this machine."""
        return await self._asked(OutboxFile.count)

    async def refused(self) -> int:
        """How many lines the database does not take."""
        return await self._asked(OutboxFile.refused)

    async def _asked(self, question: Callable[[OutboxFile], int]) -> int:
        if self._file is None:
            return 0
        with contextlib.suppress(*_FILE_FAILURES):
            return await asyncio.to_thread(question, self._file)
        return 0

    # --- write

    def remember(self, generation: PortableGeneration) -> None:
        """Let a generation of this process be judged while the database cannot be read."""
        self._recent[generation.id] = generation
        self._recent.move_to_end(generation.id)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    async def known(self, generation_id: str) -> PortableGeneration | None:
        """A generation of this process, or one that waits in the outbox."""
        return self._recent.get(generation_id) or await self.waits(generation_id)

    async def waits(self, generation_id: str) -> PortableGeneration | None:
        """A generation that waits in the outbox, with its newest verdict."""
        line = None
        if self._file is not None and self._file.exists():
            with contextlib.suppress(*_FILE_FAILURES):
                line = await asyncio.to_thread(self._file.newest_of, generation_id)
        return None if line is None else read_generation(line.encode(), 1)

    async def write(
        self, work: Work[T], entry: Callable[[], Awaitable[PortableGeneration | None]], *, logs: bool
    ) -> T | PortableGeneration:
        """Run `work` on the database after all that waits; or, while that cannot be written, append `entry`.

        Parameters
        ----------
        entry
            What to append: the whole generation as it is known here; None where it is not.
        logs
            Whether the generation is new.

        Returns
        -------
        What `work` returns, or the generation that waits now.

        Raises
        ------
        StoreUnavailable
            If neither could be written.
        """
        try:
            if self._waits:
                await self._deliver_before()
            try:
                return await self._database.write(work)
            except UnknownGeneration:
                if not await self.waiting():  # another process of this machine may have logged it
                    raise
                await self.deliver()
                return await self._database.write(work)
        except StoreUnavailable as error:
            if self._file is None or not error.temporary:
                raise
            return await self._append(self._file, error, await entry(), logs=logs)

    async def _append(
        self, file: OutboxFile, reason: StoreUnavailable, generation: PortableGeneration | None, *, logs: bool
    ) -> PortableGeneration:
        if generation is None:
            unknown = message(
                "not_known_without",
                "Until it is back, only generations that this process made can be judged: send the verdict again then.",
            )
            raise StoreUnavailable(reason.code, joined([reason.message, unknown])) from reason
        try:
            await asyncio.to_thread(file.append, generation.id, generation.line(), logs=logs)
        except _FILE_FAILURES:
            raise reason from None
        self.remember(generation)
        if not self._waits:
            log.error("%s Until then, verdicts wait in %s.", reason.message, file.path)
        self._waits = True
        self._postpone(reason)
        return generation

    async def _deliver_before(self) -> None:
        if self._reason is not None and asyncio.get_running_loop().time() < self._next_try:
            raise self._reason.again()
        await self.deliver()

    # --- deliver

    async def deliver(self) -> None:
        """Bring what waits to the database, oldest first.

        Raises
        ------
        StoreUnavailable
            If the database cannot be written; what was not delivered goes on waiting.
        """
        if self._file is None:
            return
        delivered = 0
        async with self._delivering:
            try:
                while lines := await asyncio.to_thread(self._file.first, _BATCH):
                    delivered += await self._deliver_batch(self._file, lines)
            except StoreUnavailable as error:
                self._postpone(error)
                raise
            except _FILE_FAILURES as error:
                log.warning("The outbox %s cannot be used: %s", self._file.path, error)
                return
            self._waits = False
        if delivered:
            log.warning("%s can be written again: %d entries that waited were added.", self._database.name, delivered)

    async def _deliver_batch(self, file: OutboxFile, lines: Sequence[WaitingLine]) -> int:
        try:
            await self._add(lines)
        except (StoreUnavailable, InvalidRequest) as error:
            if isinstance(error, StoreUnavailable) and (error.temporary or error.code != "store_unreachable"):
                raise
            if len(lines) > 1:  # one of them is the cause: let the others arrive
                return sum([await self._deliver_batch(file, [line]) for line in lines])
            log.error("An entry of %s is not taken, and stays there: %s", file.path, error)
            await asyncio.to_thread(file.refuse, lines[0], error.message)
            return 0
        await asyncio.to_thread(file.remove, lines)
        return len(lines)

    async def _add(self, lines: Sequence[WaitingLine]) -> None:
        batch = [(line, read_generation(line.line.encode(), line.number)) for line in lines]

        async def add(connection: AsyncConnection) -> None:
            stored = await generations.image_counts(connection, [line.generation for line in lines])
            logged = {line.generation for line in lines if line.logs} | set(stored)
            # One that was logged before, and is not there: it was forgotten meanwhile, and stays forgotten.
            there = [generation for _, generation in batch if generation.id in logged]
            await transfer.merge(connection, there, ImportReport(), keep_prompts=self._keep_prompts())

        await self._database.write(add)

    def _postpone(self, reason: StoreUnavailable) -> None:
        self._reason = reason
        self._next_try = asyncio.get_running_loop().time() + TRY_EVERY_S
        self._try_later()

    def _try_later(self) -> None:
        if not self._ending.is_set() and (self._task is None or self._task.done()):
            self._task = self._database.spawn(self._keep_trying())

    async def _keep_trying(self) -> None:
        while self._waits:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TRY_EVERY_S)
            if self._ending.is_set():
                return
            try:
                await self.deliver()
            except StoreUnavailable as error:
                if error.code == "store_closed":
                    return
            except Exception:  # whatever it was: without this task what waits would not be delivered
                log.exception("What waits for %s could not be delivered; it is tried again.", self._database.name)

    # --- forget

    async def forget(self) -> list[str]:
        """Delete what the outbox keeps, once it has been delivered; the names of files that stay."""
        self._recent.clear()
        if self._file is None:
            return []
        try:
            return await asyncio.to_thread(self._file.forget)
        except _FILE_FAILURES:
            return [str(self._file.path)]
