"""The engine, its transactions, and what becomes of them when the file system does not play along.

Separate from `store` so that SQL is read without pragmas between, and pragmas without SQL. It owns: opening
and migrating; one writer at a time, `BEGIN IMMEDIATE`, acknowledged after the commit; the words for what went
wrong; and the database file that is deleted, replaced or damaged while it is open. It refuses to be used from
another loop than the one that opened it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import URL, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import StoreUnavailable
from ..reports import DatabaseReport
from . import engines, migrations, versions
from . import upgrade as opening
from .driver_errors import newer, to_store_error
from .files import backups
from .files import integrity as damage
from .files import replaced as moved_file
from .files.overwritten import HeaderWatch, WrittenOver
from .schema import REVISION, learned_state, metadata

if TYPE_CHECKING:
    import aiosqlite

T = TypeVar("T")
Clock = Callable[[], datetime]
Work = Callable[[AsyncConnection], Awaitable[T]]

BUSY_TIMEOUT_S = 5.0
_LOOK_EVERY_S, _LOOK_SOON_S = 3600.0, 60.0
_FAILURES = (DBAPIError, PoolTimeout, OSError, asyncio.TimeoutError)

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Database:
    """One database, opened in one event loop. Make it with `Database.open`.

    Beside the pool it keeps one connection to a file that nothing else uses: if the file is deleted, that one
    has surely seen it whole, while one that was being opened just then has not.
    """

    def __init__(self, url: URL, busy_timeout_s: float, backups_kept: int, clock: Clock) -> None:
        self.url = url
        self.path = engines.file_of(url)
        self.read_only = False
        """True while the file can only be read in place, because its folder takes no file beside it."""
        self.backups_kept = backups_kept if self.path else 0
        """How many daily copies of the file are kept, and as many from before migrations; 0: none is made."""
        self.write_blocked: StoreUnavailable | None = None
        """Why nothing may be written: a newer version of the pack made the tables."""
        self.after_restoring: Callable[[], Coroutine[Any, Any, None]] | None = None
        """Run beside everything else once a copy has taken a damaged file's place."""
        self.copying = asyncio.Lock()
        """Held while a copy is made or changed."""
        self._clock = clock
        self._look_for_backup_at = 0.0
        self._written = False
        self._busy_timeout_s = busy_timeout_s
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.Lock()
        self._closed = False
        self._readers = 0
        self._unread = asyncio.Event()
        self._unread.set()
        self._sound = asyncio.Event()
        self._sound.set()
        self._look: backups.IntegrityCheck | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._file: moved_file.Identity | None = None
        self._sidecar_files: frozenset[moved_file.Identity] = frozenset()
        self._engines: engines.Engines
        self._pinned_connection: AsyncConnection | None = None
        self._watch: versions.Watch | None = None
        self._glance: HeaderWatch | None = None

    @classmethod
    async def open(
        cls,
        path_or_url: str | os.PathLike[str],
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        backups_kept: int = 0,
        clock: Clock = utc_now,
    ) -> Database:
        """Open, create or migrate; where copies are kept, also restore the newest over a damaged file.

        Raises
        ------
        StoreUnavailable
            With a message that says what to do next.
        """
        database = cls(engines.parse(path_or_url), busy_timeout_s, backups_kept, clock)
        seen_whole = True
        if database.path and database.backups_kept:
            seen_whole = await asyncio.to_thread(damage.look_at_start, database.path, clock())
        await database._connect()
        if not seen_whole:
            database.spawn(database._look_through())
        return database

    @property
    def name(self) -> str:
        """The database as people know it: its path, or its address without the password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    @property
    def is_server(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    async def version(self) -> versions.Version | None:
        """Another value after every commit, whoever made it; None where only reading could tell."""
        if self._watch is None or self._closed or not self._sound.is_set() or self._is_away():
            return None
        return await self._watch.version()

    async def read(self, work: Work[T], *, at_once: bool = False) -> T:
        """Run `work` in a transaction that only reads, on a consistent state.

        `at_once` says that it is one statement, which needs no transaction around it.
        """
        return await self._to_its_end(self._read(work, at_once))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own, after the writers before it; returns after the commit."""
        return await self._to_its_end(self._write(work))

    async def read_whole_log(self, work: Work[T]) -> T:
        """As `read`; refused while only a part of the log can be had."""
        return await self.read(work)

    async def write_whole_log(self, work: Work[T]) -> T:
        """As `write`; refused while only a part of the log can be had."""
        return await self.write(work)

    async def write_here(self, work: Work[T]) -> T:
        """As `write`, for what follows from the log and may be refused: nobody waits with it for a server."""
        if self.read_only:
            raise StoreUnavailable("store_read_only", f"{self.name} is in a folder that cannot be written.")
        return await self.write(work)

    async def compact(self) -> bool:
        """Clear what was deleted from free pages and logs; whether all of it could be."""
        if self.path:
            return await asyncio.to_thread(backups.compact, self.path)
        if self.is_server:
            async with self._engines.at_once.connect() as connection:
                ours = ", ".join(table.name for table in metadata.sorted_tables)
                await connection.exec_driver_sql(f"VACUUM {ours}")
        return True

    async def close(self) -> None:
        """Let running transactions end, then let go of the file."""
        if self._look:
            self._look.end()
        try:
            await self._until_nothing_runs()
            if self.path and self.path.parent.is_dir():
                try:
                    await self._stay_in_place()
                except StoreUnavailable as error:
                    log.error("%s", error.message)
            if self.path and self.backups_kept and self._written:
                # The first verdicts came after the first look. Not in a thread of its own: when Python ends,
                # no more can be had, and nothing else goes on here.
                self._back_up(self.path)
        finally:
            # Also where the caller waits no longer: a pool forgets the connections that are in use when it is
            # disposed of, and nobody could close them any more.
            await self._until_nothing_runs()
            await self._let_go()

    async def _until_nothing_runs(self) -> None:
        while self._running:
            await asyncio.wait(self._running)
        self._closed = True

    async def report(self) -> DatabaseReport:
        """What `doctor` wants to know of the database; the counts are left at zero."""
        problem = ""
        if self.path:
            checked = await self.read(lambda connection: connection.execute(text("PRAGMA quick_check(1)")))
            problem = "" if (found := checked.scalar()) == "ok" else str(found)
        writable = True
        try:
            await self.write(_touch)
        except StoreUnavailable as error:
            writable, problem = False, problem or error.message
        size = await asyncio.to_thread(moved_file.size, self.path) if self.path else None
        return DatabaseReport(self.name, REVISION, size, writable, problem, 0, 0, 0)

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        # A transaction cancelled half-way leaves a connection in a state that nobody knows; so none is.
        if asyncio.get_running_loop() is not self._loop:
            work.close()
            raise RuntimeError("This service belongs to the event loop that opened it; use runtime.current().run(...).")
        if self._closed:
            work.close()
            raise StoreUnavailable("store_closed", f"{self.name} has been closed. Open it again, or restart ComfyUI.")
        return await asyncio.shield(self.spawn(work))

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin `work` and let `close` wait for it."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _read(self, work: Work[T], at_once: bool) -> T:
        opened = self._file
        try:
            return await self._read_once(work, at_once)
        except StoreUnavailable as error:
            # The file was deleted just then, or it is damaged.
            if not self._is_away() and not await self._mended(error, opened):
                raise
            return await self._read_once(work, at_once)

    async def _read_once(self, work: Work[T], at_once: bool) -> T:
        if self._is_away():
            # What was learned can still be read where it cannot be put back.
            with contextlib.suppress(StoreUnavailable):
                async with self._writer:
                    await self._stay_in_place()
        await self._sound.wait()
        self._readers += 1
        self._unread.clear()
        try:
            engine = self._engines.at_once if at_once else self._engines.reading
            async with engine.connect() as connection:
                if not at_once:
                    await connection.begin()
                return await work(connection)
        except _FAILURES as error:
            raise self.write_blocked or to_store_error(error, self.name) from error
        finally:
            self._readers -= 1
            if not self._readers:
                self._unread.set()

    async def _write(self, work: Work[T]) -> T:
        opened = self._file
        try:
            done = await self._write_once(work)
        except StoreUnavailable as error:
            if not await self._mended(error, opened):
                if self.write_blocked:
                    raise self.write_blocked from error
                raise
            done = await self._write_once(work)
        if self.path and self.backups_kept and self._loop.time() >= self._look_for_backup_at:
            self._look_for_backup_at = self._loop.time() + _LOOK_EVERY_S
            self._written = True
            self.spawn(self._back_up_beside(self.path))
        return done

    async def _write_once(self, work: Work[T]) -> T:
        if self.write_blocked:
            raise self.write_blocked
        async with self._writer:
            if self.read_only:
                await self._let_go()
                self.read_only = False
                await self._connect()
            await self._stay_in_place()
            try:
                if self._glance and self._glance.is_written_over():
                    raise WrittenOver(self.name)
                async with self._engines.writing.begin() as connection:
                    return await work(connection)
            except engines.OtherRevision as error:
                raise opening.OtherSchema(self.name) from error
            except _FAILURES as error:
                raise to_store_error(error, self.name) from error

    async def _back_up_beside(self, path: Path) -> None:
        opened = self._file
        async with self.copying:
            damaged = await asyncio.to_thread(self._back_up, path)
        if damaged:
            await self._mend(opened)

    def _back_up(self, path: Path) -> bool:
        """In a thread: no verdict waits for it, none fails because of it. True: it may be damaged."""
        now = self._clock()
        try:
            if backups.is_due(path, now):
                if backups.holds_verdicts(path):
                    backups.make(path, now, kept=self.backups_kept)
                else:  # the first is about to come
                    self._look_for_backup_at = self._loop.time() + _LOOK_SOON_S
        except (sqlite3.Error, OSError) as error:
            log.warning("No backup of %s could be made (%s); it is tried again in an hour.", path, error)
            return isinstance(error, sqlite3.DatabaseError)
        return False

    async def _look_through(self) -> None:
        """Finish the look that was broken off at the start."""
        assert self.path  # noqa: S101 - for mypy: only files are looked through
        self._look, opened = backups.IntegrityCheck(self.path), self._file
        if await asyncio.to_thread(self._look.run):
            await self._mend(opened)

    async def _mended(self, error: StoreUnavailable, opened: moved_file.Identity | None) -> bool:
        if isinstance(error, WrittenOver):
            log.error("%s was written over while it was open.", self.name)
        anew = isinstance(error, (WrittenOver, opening.OtherSchema))
        damaged = error.code == "store_damaged"
        return (anew or damaged) and await self._mend(opened, anew=anew, damaged=damaged)

    async def _mend(self, opened: moved_file.Identity | None, *, anew: bool = False, damaged: bool = True) -> bool:
        """Put a sound copy in the place of a file that was found damaged; whether one is there now.

        `anew` says that it is opened anew in any case, since what is remembered of it holds no more.
        """
        mendable = bool(self.path and self.backups_kept) and damaged
        if self.read_only or self.write_blocked or not (mendable or anew):
            return False
        async with self._writer:
            if self._file != opened:
                return True  # somebody else was first
            self._sound.clear()  # readers wait: whoever opened the file just now might get either one
            try:
                await self._unread.wait()
                await self._let_go()
                found = (self.path, self._clock()) if self.path and mendable else None
                restored = found is not None and await asyncio.to_thread(damage.restore, *found)
                await self._connect()
            finally:
                self._sound.set()
        if restored and self.after_restoring and not self._closed:
            self.spawn(self.after_restoring())
        return restored or anew

    async def _connect(self) -> None:
        if self.path and not self.path.exists():
            try:
                await asyncio.to_thread(moved_file.begin, self.path)
            except OSError as error:
                raise to_store_error(error, self.name) from error
        self._engines = engines.make_engine(self.url, self.path, self._busy_timeout_s)
        try:
            opening_it = (self._engines, self.name, self.path, self._clock, self.backups_kept)
            newer = await opening.bring_up_to_date(*opening_it)
            if newer:
                await self._open_newer(newer)
            elif self.is_server:
                self._watch = versions.ServerWatch(self._engines.at_once)
            elif self.path:
                self._pinned_connection = await self._engines.reading.connect()
                # The first look opens the log that SQLite keeps beside the file.
                await self._pinned_connection.run_sync(migrations.revision)
                await self._pinned_connection.rollback()
                self._sidecar_files = moved_file.sidecar_files(self.path)
                with contextlib.suppress(sqlite3.Error):
                    self._watch = versions.FileWatch(self.path)
                self._glance = HeaderWatch(self.path)
        except BaseException as error:
            await self._let_go()
            failed = isinstance(error, _FAILURES)
            can_be_read = failed and await self._open_frozen()
            # aiosqlite does not wait for the thread of a connection that failed to open, which yet calls into
            # this loop once more: let it, before the caller may close the loop.
            await asyncio.sleep(0.01)
            if not can_be_read:
                if failed:
                    raise to_store_error(error, self.name) from error
                raise
        self._file = moved_file.identity(self.path) if self.path else None

    async def _open_newer(self, revision: str) -> None:
        """Read what a newer version of the pack keeps, as far as this one understands it."""
        self.write_blocked = newer(self.name, revision, known=REVISION)
        log.error("%s", self.write_blocked.message)
        if self.path:
            await self._engines.reading.dispose()
            self._engines = engines.make_reading_engine(self.path)

    async def _open_frozen(self) -> bool:
        """Read a database whose folder takes no file beside it (read-only, or full), as it stands there."""
        if not self.path or not self.path.is_file():
            return False
        self._engines = engines.make_frozen_engine(self.path)
        try:
            async with self._engines.reading.connect() as connection:
                self.read_only = await connection.run_sync(migrations.revision) == REVISION
        except _FAILURES:
            self.read_only = False
        if not self.read_only:
            await self._engines.reading.dispose()
        return self.read_only

    async def _let_go(self) -> None:
        keeper, self._pinned_connection = self._pinned_connection, None
        watch, self._watch = self._watch, None
        glance, self._glance = self._glance, None
        if watch is not None:
            await watch.close()
        if keeper is not None:
            await keeper.close()
        await self._engines.reading.dispose()
        if glance is not None:
            glance.close()

    def _is_away(self) -> bool:
        if self.path is None or self.read_only or self.write_blocked:
            return False
        return moved_file.identity(self.path) != self._file

    async def _stay_in_place(self) -> None:
        """See that the open file is still the one that others will find under its name."""
        if self.path is None or not self._is_away():
            return
        if self._pinned_connection is None:  # it could not be opened again the last time
            await self._connect()
            return
        try:
            raw = (await self._pinned_connection.get_raw_connection()).driver_connection
            copy = await moved_file.rescue(cast("aiosqlite.Connection", raw), self.path)
            # A pool forgets the connections that are in use when it is disposed of.
            await self._unread.wait()
            await self._let_go()
            kept = await asyncio.to_thread(moved_file.put_back, copy, self.path, self._sidecar_files)
        except (*_FAILURES, sqlite3.Error) as error:
            raise to_store_error(error, self.name) from error
        log.warning("%s was deleted or replaced while in use. %s", self.path, kept)
        self._look_for_backup_at = 0.0
        await self._connect()


async def _touch(connection: AsyncConnection) -> None:
    """Write without changing anything."""
    await connection.execute(update(learned_state).values(id=learned_state.c.id))
