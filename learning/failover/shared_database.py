"""A server's database that can be used while the server is offline.

The first operation that cannot reach the server is done on the `standby` instead, and so are those after it, until the
server answers again and has received all that waited. Separate from `database`, which runs transactions and knows one
place only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError

from ..database import engines
from ..database.database import BUSY_TIMEOUT_S, Database, Work, utc_now
from ..database.driver_errors import server_is_away
from ..database.files import backups, integrity
from ..database.versions import Version
from ..errors import LearningError, StoreUnavailable, UnknownGeneration
from ..maintenance import recovery
from ..message import joined, message
from ..reports import DatabaseReport
from .standby import Standby

T = TypeVar("T")

_TRY_EVERY_S = 3.0
_FOLLOW_EVERY_S = 30.0
_FOLLOW_AFTER_S = 1.0
_REMEMBERED = 200

log = logging.getLogger(__name__)


def is_server(path_or_url: str | os.PathLike[str]) -> bool:
    """Whether an address is a server's. Raises `StoreUnavailable` where it is none."""
    return engines.parse(path_or_url).get_backend_name() == "postgresql"


class SharedDatabase(Database):
    """Make it with `open_with_standby`."""

    standby: Standby
    absence: StoreUnavailable | None = None
    """Why the server cannot be used now, in words for people."""
    _news: asyncio.Event
    _in_place: asyncio.Lock
    _keeping: asyncio.Task[None]
    _unfollowed: deque[Work[Any]]
    _reached = False
    _ending = False

    @classmethod
    async def open_with_standby(cls, url: str | os.PathLike[str], folder: Path) -> SharedDatabase:
        """Open a server's database, with a file in `folder` for when it is offline.

        A damaged file is recreated, and what had been waiting in it is delivered as far as it can be read. While the
        server is offline too, that is all there is to begin with.

        Raises
        ------
        StoreUnavailable
            If the server is offline and was never reached from here, or anything else is wrong.
        """
        address = engines.parse(url)
        name = address.render_as_string(hide_password=True)
        file = folder / f"standby-{sha256(name.encode()).hexdigest()[:8]}.db"
        problem = await asyncio.to_thread(backups.IntegrityCheck(file).run, integrity.LOOK_WITHIN_S)
        recreated = bool(problem) and await _quarantine(file)
        try:
            database = await cls._open_with(address, file, recreated=recreated)
        except StoreUnavailable as error:
            if error.code != "store_damaged" or not await _quarantine(file):
                raise
            database = await cls._open_with(address, file, recreated=True)
        await recovery.recover(database, file)
        if database.absence is None and not await asyncio.to_thread(backups.unread, file):
            for quarantined in await asyncio.to_thread(backups.put_aside, file):
                quarantined.unlink(missing_ok=True)  # the server has all that was in it
        return database

    @classmethod
    async def _open_with(cls, address: URL, file: Path, *, recreated: bool = False) -> SharedDatabase:
        database = cls(address, BUSY_TIMEOUT_S, lambda: 0, utc_now)
        database.standby = await Standby.open(file)
        database._news = asyncio.Event()
        database._unfollowed = deque(maxlen=_REMEMBERED)
        database._in_place = asyncio.Lock()
        try:
            try:
                await database._reach()
            except StoreUnavailable as error:
                if not server_is_away(error.__cause__):
                    raise
                if recreated:
                    await database.standby.begin_without_server()
                elif not await database.standby.has_followed():
                    raise
                database._leave(error)
        except BaseException:
            await Database.close(database)
            await database.standby.database.close()
            raise
        database._keeping = asyncio.ensure_future(database._keep_up())
        return database

    async def read(self, work: Work[T], *, at_once: bool = False) -> T:
        """As in `Database`; while the server is offline, on what was last known."""
        if self.absence is None:
            try:
                return await super().read(work, at_once=at_once)
            except StoreUnavailable as error:
                self._leave(error)
        if self._unfollowed:
            async with self._in_place:
                await self._catch_up()
        return await self.standby.database.read(work, at_once=at_once)

    async def version(self) -> Version | None:
        """As in `Database`; None while the server is offline."""
        return None if self.absence else await super().version()

    async def write(self, work: Work[T]) -> T:
        """As in `Database`; while the server is offline, to disk here, to be delivered later."""
        if self.absence is None:
            try:
                return await self._write_to_server(work)
            except StoreUnavailable as error:
                self._leave(error)
        async with self._in_place:
            if self.absence is not None:
                return await self._write_in_place(work, self.absence)
        return await self.write(work)  # it came back just then

    async def read_whole_log(self, work: Work[T]) -> T:
        if self.absence is not None:
            raise self.absence
        try:
            return await super().read(work)
        except StoreUnavailable as error:
            self._leave(error)
            raise

    async def write_whole_log(self, work: Work[T]) -> T:
        if self.absence is not None:
            raise self.absence
        try:
            return await self._write_to_server(work)
        except StoreUnavailable as error:
            self._leave(error)
            raise

    async def _write_to_server(self, work: Work[T]) -> T:
        outcome = await super().write(work)
        self._unfollowed.append(work)
        self._news.set()
        return outcome

    async def write_here(self, work: Work[T]) -> T:
        """As in `Database`; refused while the server is offline, and not repeated in what stands in for it."""
        if self.absence is not None:
            raise self.absence
        return await super().write(work)

    async def _write_in_place(self, work: Work[T], absence: StoreUnavailable) -> T:
        await self._catch_up()
        try:
            return await self.standby.database.write(work)
        except UnknownGeneration as error:
            raise StoreUnavailable(
                "store_unreachable",
                joined(
                    [
                        absence.message,
                        message(
                            "not_among_newest",
                            "The generation is not among the newest, which are known without the server: "
                            "send its verdict again when the server is back.",
                        ),
                    ]
                ),
            ) from error

    async def _catch_up(self) -> None:
        """Repeat here what this process did on the server after it was last followed."""
        while self._unfollowed:
            work = self._unfollowed[0]
            try:
                await self.standby.database.write(work)
            except LearningError as error:  # most likely it is known here
                if isinstance(error, StoreUnavailable) and not isinstance(error.__cause__, IntegrityError):
                    raise
            if self._unfollowed and self._unfollowed[0] is work:
                self._unfollowed.popleft()

    async def close(self) -> None:
        self._ending = True
        self._keeping.cancel()
        try:
            await asyncio.gather(self._keeping, return_exceptions=True)
            if self.absence is None and self._news.is_set():
                try:
                    await self._follow()  # what this process did last can be judged without the server
                except StoreUnavailable as error:
                    log.warning("%s", error.message)
        finally:
            try:
                await super().close()
            finally:
                await self.standby.database.close()

    async def compact(self) -> bool:
        cleared = await super().compact()
        await self._follow()  # it has another identity now: all of what is known here is replaced
        return await self.standby.database.compact() and cleared

    async def report(self) -> DatabaseReport:
        if self.absence is None:
            return await super().report()
        return DatabaseReport(self.name, "", None, False, self.absence.message, 0, 0, 0)

    def _leave(self, error: StoreUnavailable) -> None:
        """Go on without the server, where the error says that it is offline; else raise it."""
        if self._closed or not server_is_away(error.__cause__):
            raise error
        if self.absence is None:
            log.error(
                "%s Recommendations go on from what was last known; verdicts are kept in %s and delivered "
                "when it is back.",
                error.message,
                self.standby.database.name,
            )
        self.absence = error
        self._news.set()

    async def _keep_up(self) -> None:
        """In the background: follow the server, or look whether it is back."""
        logged = ""
        while not self._ending:
            # Before Python 3.12 `wait_for` may swallow that it is cancelled: hence `_ending`.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), _FOLLOW_EVERY_S)
            if self._ending:
                return
            await asyncio.sleep(_FOLLOW_AFTER_S if self.absence is None else _TRY_EVERY_S)
            try:
                if self.absence is None:
                    await self._follow_news()
                else:
                    await self._reach()
            except StoreUnavailable as error:
                if self.absence is None and server_is_away(error.__cause__):
                    self._leave(error)
            except Exception as error:
                # Whatever it was, without this task nothing that waits would ever be delivered.
                if repr(error) != logged:
                    logged = repr(error)
                    log.exception("%s could not be followed; it is tried again.", self.name)

    async def _follow_news(self) -> None:
        self._news.clear()
        try:
            await self._follow()
        except asyncio.CancelledError:
            self._news.set()  # `close` does it again: the next start may have to do without the server
            raise

    async def _follow(self) -> None:
        included = len(self._unfollowed)
        if await self.standby.waiting():  # another process of this machine left it
            await self.standby.deliver(_Direct(self))
        if await self.standby.follow(_Direct(self)):
            for _ in range(min(included, len(self._unfollowed))):
                self._unfollowed.popleft()
        else:  # the server went meanwhile, and something was written here
            self._news.set()

    async def _reach(self) -> None:
        """Connect if the server is there, deliver what waits, and use it from then on."""
        if not self._reached:
            await self._connect()
            self._reached = True
        delivered = 0
        while await self.standby.waiting():
            delivered += await self.standby.deliver(_Direct(self))
        async with self._in_place:
            if await self.standby.waiting():
                delivered += await self.standby.deliver(_Direct(self))
            await Database.read(self, _nothing)
            self.absence = None
        self._news.set()
        if delivered:
            log.warning("%s is back: what was taught of %d generations was delivered.", self.name, delivered)


class _Direct:
    """The server itself, without what stands in for it."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database

    async def read(self, work: Work[T]) -> T:
        return await Database.read(self._database, work)

    async def write(self, work: Work[T]) -> T:
        return await Database.write(self._database, work)


async def _quarantine(file: Path) -> bool:
    quarantined = await asyncio.to_thread(Standby.quarantine, file)
    if quarantined:
        log.error("%s was damaged; it is recreated from the server.", file)
    return quarantined


async def _nothing(connection: object) -> None:
    """To see that the server answers."""
