"""One open database: its transactions, and opening it again when the file system does not play along.

Separate from `store` so that SQL is read without pragmas in between, and pragmas without SQL. It owns opening
and migrating; one writer at a time, `BEGIN IMMEDIATE`, acknowledged after the commit; what a failure is called;
and when a file that was deleted, replaced or damaged is opened again (`open_file` and `files` say how). It
refuses to be used from another loop than the one that opened it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timezone
from typing import Any, TypeVar

from sqlalchemy import URL, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import StoreUnavailable
from ..reports import DatabaseReport
from . import disk, engines, migrations, upgrade, versions
from .backup_schedule import BackupSchedule
from .driver_errors import newer, to_store_error
from .files import backups, integrity, replaced
from .files.overwritten import Changed, WrittenOver
from .open_file import OpenFile
from .schema import REVISION, learned_state, metadata

T = TypeVar("T")
Clock = Callable[[], datetime]
Work = Callable[[AsyncConnection], Awaitable[T]]

BUSY_TIMEOUT_S = 5.0
TRY_EVERY_S = 3.0
"""How often a database is tried that could not be used."""
_LOG_CHECK_S = 0.1
"""How long after a write the log is read again; a busy writer spends a few hundredths of its time on it."""

_FAILURES = (DBAPIError, PoolTimeout, OSError, asyncio.TimeoutError)

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Database:
    """One database, opened in one event loop. Make it with `Database.open`.

    Attributes
    ----------
    path
        The database's file; None for a server's, and for one in memory.
    read_only
        The file can only be read, because its folder takes no other file: it is read-only, or its disk is full.
    write_blocked
        Why nothing may be written: a newer version of the pack made the tables.
    backups
        When copies of the file are made.
    absence
        Why the server cannot be reached now; None where it can, and for a file.
    is_open
        False for a database that could not be opened so far; each use tries again.
    is_restored
        Whether a copy has taken a damaged file's place since it was opened, or when.
    after_opening
        Run in the background once such a database is open, and once a copy has taken a damaged file's place.
    """

    def __init__(self, url: URL, busy_timeout_s: float, backups_kept: Callable[[], int], clock: Clock) -> None:
        self.url = url
        self.path = engines.file_of(url)
        self.read_only = False
        self._why_read_only: StoreUnavailable | None = None
        self.write_blocked: StoreUnavailable | None = None
        self.backups = BackupSchedule(self.path, backups_kept, clock)
        self.absence: StoreUnavailable | None = None
        self.is_open = False
        self.is_restored = False
        self.after_opening: Callable[[], Coroutine[Any, Any, None]] | None = None
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._log_check: asyncio.TimerHandle | None = None
        self._next_try = 0.0
        self._opening = asyncio.Lock()
        self._write_lock = asyncio.Lock()
        self._readers = 0
        self._no_readers = _set_event()
        self._may_read = _set_event()
        self._engines: engines.Engines
        self._identity: replaced.Identity | None = None
        self._open_file: OpenFile | None = None
        self._watch: versions.FileWatch | None = None
        self._integrity_check: backups.IntegrityCheck | None = None

    @classmethod
    async def open(
        cls,
        path_or_url: str | os.PathLike[str],
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        backups_kept: Callable[[], int] = lambda: 0,
        clock: Clock = utc_now,
        later: bool = False,
    ) -> Database:
        """Open, create or migrate; where copies are kept, also restore the newest over a damaged file.

        Parameters
        ----------
        later
            A database that cannot be reached for a while is opened later: each use tries again.

        Raises
        ------
        StoreUnavailable
            With a message that says what to do next.
        """
        database = cls(engines.parse(path_or_url), busy_timeout_s, backups_kept, clock)
        is_checked = True
        try:
            await database._look_at_place()
            if database.path and database.backups_kept:
                look = await asyncio.to_thread(integrity.look_at_start, database.path, clock())
                is_checked, database.is_restored = look
            await database._note_absence(database._open())
        except StoreUnavailable as error:
            if not (later and error.temporary):
                raise
            log.error("%s", error.message)
        if not is_checked and database.is_open:
            database.spawn(database._finish_integrity_check())
        return database

    @property
    def name(self) -> str:
        """The database as people know it: its path, or its address without the password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    @property
    def is_server(self) -> bool:
        return self.url.get_backend_name() == "postgresql"

    @property
    def backups_kept(self) -> int:
        """How many daily copies of the file are kept, and as many from before migrations; 0: none is made."""
        return self.backups.kept

    @property
    def copying(self) -> asyncio.Lock:
        """Held while a copy is made or changed."""
        return self.backups.lock

    # --- transactions

    async def version(self) -> versions.Version | None:
        """Another value after every commit, whoever made it; None where that cannot be told, as of a server."""
        if self._watch is None or self._closed or not self._may_read.is_set() or self._is_moved():
            return None
        return self._watch.version()

    async def read(self, work: Work[T], *, at_once: bool = False) -> T:
        """Run `work` in a transaction that only reads, on a consistent state.

        `at_once` says that it is one statement, which needs no transaction around it.
        """
        return await self._to_its_end(self._read(work, at_once))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own, after the writers before it; returns after the commit."""
        return await self._to_its_end(self._write(work))

    async def write_derived(self, work: Work[T]) -> T:
        """As `write`, for what follows from the log: a file that could be read only is not tried again for that."""
        if self.read_only and self._why_read_only:
            raise self._why_read_only.again()
        return await self.write(work)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin `work` and let `close` wait for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        # A transaction that is cancelled half-way leaves its connection in an unknown state: so none is cancelled.
        if asyncio.get_running_loop() is not self._loop:
            work.close()
            raise RuntimeError("This service belongs to the event loop that opened it; use runtime.current().run(...).")
        if self._closed:
            work.close()
            raise StoreUnavailable("store_closed", f"{self.name} has been closed. Open it again, or restart ComfyUI.")
        if self.absence is not None and self._loop.time() < self._next_try:
            work.close()
            raise self.absence.again()
        return await asyncio.shield(self.spawn(self._note_absence(work)))

    async def _note_absence(self, work: Coroutine[Any, Any, T]) -> T:
        """While a server is away, each use would wait for it: they fail at once, and one tries again now and then."""
        try:
            outcome = await work
        except StoreUnavailable as error:
            if self.is_server and error.temporary and error.code == "store_unreachable":
                self.absence = error
                self._next_try = self._loop.time() + TRY_EVERY_S
            raise
        self.absence = None
        return outcome

    async def _read(self, work: Work[T], at_once: bool) -> T:
        await self._open()
        identity = self._identity
        try:
            return await self._read_once(work, at_once)
        except StoreUnavailable as error:
            # The file was deleted just then, or it is damaged.
            if not self._is_moved() and await self._mended(error, identity) is None:
                raise
            return await self._read_once(work, at_once)

    async def _read_once(self, work: Work[T], at_once: bool) -> T:
        if self._is_moved():
            try:
                async with self._write_lock:
                    await self._stay_in_place()
            except StoreUnavailable:
                if self._open_file is None and not self.read_only:
                    raise
                # What was learned can still be read where it cannot be put back.
        await self._may_read.wait()
        self._readers += 1
        self._no_readers.clear()
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
                self._no_readers.set()

    async def _write(self, work: Work[T]) -> T:
        await self._open()
        identity = self._identity
        try:
            outcome = await self._write_once(work)
        except StoreUnavailable as error:
            recovery = await self._mended(error, identity)
            if recovery is None:
                if self.write_blocked:
                    raise self.write_blocked from error
                raise
            # What was learned before may be what this is about; and the next fault may come soon.
            await asyncio.wait([recovery])
            if isinstance(error, WrittenOver) and error.committed:
                raise
            outcome = await self._write_once(work)
        if self.backups.is_due():
            self.spawn(self._back_up())
        if self._open_file and not self._log_check:
            self._log_check = self._loop.call_later(_LOG_CHECK_S, self._begin_log_check)
        return outcome

    async def _write_once(self, work: Work[T]) -> T:
        if self.write_blocked:
            raise self.write_blocked
        async with self._write_lock:
            if self.read_only:
                await self._disconnect()
                self.read_only = False
                await self._connect()
                if self.read_only and self._why_read_only:
                    raise self._why_read_only.again()
            await self._stay_in_place()
            try:
                async with self._engines.writing.begin() as connection:
                    # With SQLite's own lock no other process is writing just now.
                    if changed := await self._changed():
                        raise WrittenOver(self.name, changed)
                    outcome = await work(connection)
                    # A commit would leave a hole where the log was cut off, and hide what else was done to it.
                    if changed := await self._changed():
                        raise WrittenOver(self.name, changed)
                await self._make_sure()
                return outcome
            except engines.OtherRevision as error:
                raise upgrade.OtherSchema(self.name) from error
            except _FAILURES as error:
                raise to_store_error(error, self.name, self.path) from error

    async def _make_sure(self) -> None:
        """See that what was committed is in the files that others will find. Raises `WrittenOver`."""
        if self._is_moved() and not await self._stay_in_place():
            raise WrittenOver(self.name, "other file", committed=True)
        if changed := await self._changed():
            raise WrittenOver(self.name, changed, committed=True)
        if self._open_file:
            self._open_file.note(seen=True)

    async def _changed(self) -> Changed | None:
        """What somebody else changed in the open files behind SQLite's back."""
        open_file = self._open_file
        if open_file is None:
            return None
        changed = open_file.look()
        if changed != "perhaps":
            return changed
        verified = await asyncio.to_thread(open_file.verify)
        if verified is None:
            open_file.note()
        return verified

    # --- looking after the file

    async def compact(self) -> bool:
        """Clear what was deleted from free pages and logs; whether all of it could be."""
        if self.path:
            return await asyncio.to_thread(backups.compact, self.path)
        if self.is_server:
            async with self._engines.at_once.connect() as connection:
                tables = ", ".join(table.name for table in metadata.sorted_tables)
                await connection.exec_driver_sql(f"VACUUM {tables}")
        return True

    async def report(self) -> DatabaseReport:
        """What `doctor` shows of the database; the counts are left at zero."""
        problem = ""
        if self.path:
            check = await self.read(lambda connection: connection.execute(text("PRAGMA quick_check(1)")))
            outcome = str(check.scalar())
            problem = "" if outcome == "ok" else outcome
        writable = True
        try:
            await self.write(_touch)
        except StoreUnavailable as error:
            writable, problem = False, problem or error.message
        size = await asyncio.to_thread(replaced.size, self.path) if self.path else None
        return DatabaseReport(self.name, REVISION, size, writable, problem, 0, 0, 0)

    def _begin_log_check(self) -> None:
        self._log_check = None
        if self._open_file and not self._closed:
            self.spawn(self._check_log(self._open_file))

    async def _check_log(self, open_file: OpenFile) -> None:
        """Find what was done to the log during a commit, which the looks before and after it cannot see."""
        identity = self._identity
        with contextlib.suppress(OSError):  # a log that is not there is noticed with the next write
            if not await open_file.log_is_unchanged() and open_file is self._open_file:
                log.error("%s was written over while it was open (log).", self.name)
                await self._mend(identity, changed="log")

    async def _back_up(self) -> None:
        identity = self._identity
        if await self.backups.run():
            await self._mend(identity)

    async def _finish_integrity_check(self) -> None:
        """What there was no time for at the start."""
        assert self.path  # noqa: S101 - for mypy: only files are checked
        self._integrity_check, identity = backups.IntegrityCheck(self.path), self._identity
        if await asyncio.to_thread(self._integrity_check.run):
            await self._mend(identity)

    async def _mended(self, error: StoreUnavailable, identity: replaced.Identity | None) -> asyncio.Future[None] | None:
        """As `_mend`, of what failed; None also where nothing is damaged."""
        changed = error.what if isinstance(error, WrittenOver) else None
        if changed is None and isinstance(error.__cause__, _FAILURES):
            changed = await self._changed()
        if changed:
            log.error("%s was written over while it was open (%s).", self.name, changed)
        reopen = changed == "other file" or isinstance(error, upgrade.OtherSchema)
        damaged = changed is not None or error.code == "store_damaged"
        return await self._mend(identity, reopen=reopen, damaged=damaged, changed=changed)

    async def _mend(
        self,
        identity: replaced.Identity | None,
        *,
        reopen: bool = False,
        damaged: bool = True,
        changed: Changed | None = None,
    ) -> asyncio.Future[None] | None:
        """Put a sound copy in the place of a damaged file, after a copy of all that can still be read of that.

        Parameters
        ----------
        identity
            That of the file in which the damage was met.
        reopen
            Open the file again in any case, because what is remembered of it is no longer true.
        changed
            What is known to be damaged.

        Returns
        -------
        The recovery of what the copy lacks, in the background; None where no sound file is there now.
        """
        nothing: asyncio.Future[None] = self._loop.create_future()
        nothing.set_result(None)
        mendable = bool(self.path and (self.backups_kept or changed == "log")) and damaged
        if self.read_only or self.write_blocked or not (mendable or reopen):
            return None
        async with self._write_lock:
            if self._identity != identity or self._is_moved():
                return nothing  # another task, or another process, was first
            self._may_read.clear()  # a connection that is opened just now might be to either file
            try:
                await self._no_readers.wait()
                restored = await self._restore(changed) if mendable else False
                if not restored and self._is_moved():
                    return nothing  # another process was first
                await self._disconnect()
                await self._connect()
            finally:
                self._may_read.set()
        self.is_restored |= restored
        if restored and self.after_opening and not self._closed:
            return self.spawn(self.after_opening())
        return nothing if restored or reopen else None

    async def _restore(self, changed: Changed | None) -> bool:
        assert self.path  # noqa: S101 - for mypy: only files are mended
        seen = None
        if self._open_file and changed != "other file":
            seen = await self._open_file.rescue_what_is_left()
        if os.name == "nt":  # where a file that is open cannot be renamed
            await self._disconnect()
        # Elsewhere before the last connection is closed, which would bring a damaged log into the file.
        return await asyncio.to_thread(
            integrity.restore,
            self.path,
            self._clock(),
            of=self._identity,
            seen=seen,
            damaged=changed is not None,
            log_lost=changed == "log",
        )

    def _is_moved(self) -> bool:
        """Whether the file's name leads to another file, or to none."""
        if self.path is None or self.read_only or self.write_blocked or not self.is_open:
            return False
        return replaced.identity(self.path) != self._identity

    async def _stay_in_place(self) -> bool:
        """See that the open file is still the one that others will find under its name; whether what was open is."""
        if self.path is None or not self._is_moved():
            return True
        if self._open_file is None:  # it could not be opened again the last time
            await self._connect()
            return False
        try:
            copy = await self._open_file.rescue()
            # A pool forgets the connections that are in use when it is disposed of.
            await self._no_readers.wait()
            open_file = self._open_file
            await self._disconnect()
            is_used, outcome = await asyncio.to_thread(open_file.put_back, copy, self._clock())
        except (*_FAILURES, sqlite3.Error) as error:
            raise to_store_error(error, self.name) from error
        log.warning("%s was deleted or replaced while in use. %s", self.path, outcome)
        self.backups.look_soon()
        await self._connect()
        if not is_used and self.after_opening and not self._closed:
            self.spawn(self.after_opening())
        return is_used

    # --- opening and closing

    async def _open(self) -> None:
        """Connect, unless that was done before."""
        if self.is_open:
            return
        async with self._opening:
            if self.is_open:
                return
            await self._connect()
            self.is_open = True
        if self.after_opening and not self._closed:
            self.spawn(self.after_opening())

    async def _look_at_place(self) -> None:
        """See that a file is in the database's place, or none: SQLite would wait for a pipe."""
        if self.path:
            try:
                await asyncio.to_thread(disk.is_there, self.path)
            except OSError as error:
                raise to_store_error(error, self.name) from error

    async def _connect(self) -> None:
        if self.path:
            try:
                await asyncio.to_thread(replaced.begin, self.path)
            except OSError as error:
                raise to_store_error(error, self.name) from error
        self._engines = engines.make_engine(self.url, self.path, self._busy_timeout_s)
        try:
            newer_revision = await upgrade.bring_up_to_date(
                self._engines, self.name, self.path, self._clock, self.backups_kept
            )
            if newer_revision:
                await self._open_newer(newer_revision)
            elif self.path:
                self._open_file = await OpenFile.pin(self.path, self._engines.reading)
                with contextlib.suppress(sqlite3.Error):
                    self._watch = versions.FileWatch(self.path)
        except BaseException as error:
            await self._disconnect()
            failure = to_store_error(error, self.name, self.path) if isinstance(error, _FAILURES) else None
            self._why_read_only = failure
            can_be_read = failure is not None and await self._open_read_only()
            # aiosqlite does not wait for the thread of a connection that failed to open, which yet calls into
            # this loop once more: let it, before the caller may close the loop.
            await asyncio.sleep(0.01)
            if not can_be_read:
                if failure is not None:
                    raise failure from error
                raise
        self._identity = replaced.identity(self.path) if self.path else None

    async def _open_newer(self, revision: str) -> None:
        """Read what a newer version of the pack keeps, as far as this one understands it."""
        self.write_blocked = newer(self.name, revision, known=REVISION)
        log.error("%s", self.write_blocked.message)
        if self.path:
            await self._engines.reading.dispose()
            self._engines = engines.make_read_only_engine(self.path)

    async def _open_read_only(self) -> bool:
        """Read a file as it is, where its folder is read-only or full, so that SQLite can add no file to it."""
        if not self.path or not self.path.is_file():
            return False
        self._engines = engines.make_immutable_engine(self.path)
        try:
            async with self._engines.reading.connect() as connection:
                self.read_only = await connection.run_sync(migrations.revision) == REVISION
        except _FAILURES:
            self.read_only = False
        if not self.read_only:
            await self._engines.reading.dispose()
        return self.read_only

    async def close(self) -> None:
        """Let running transactions end, then let go of the file."""
        if self._integrity_check:
            self._integrity_check.end()
        try:
            await self._finish_tasks()
            if self._log_check and self._open_file:  # the last connection would bring the log into the file
                self._log_check.cancel()
                await self._check_log(self._open_file)
            if self.path and self.path.parent.is_dir():
                try:
                    await self._stay_in_place()
                    if changed := await self._changed():
                        await self._mended(WrittenOver(self.name, changed), self._identity)
                except StoreUnavailable as error:
                    log.error("%s", error.message)
            self.backups.run_at_closing()
        finally:
            # Also where the caller waits no longer: a pool forgets the connections that are in use when it is
            # disposed of, and nobody could close them any more.
            await self._finish_tasks()
            if self.is_open:
                await self._disconnect()

    async def _finish_tasks(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._closed = True

    async def _disconnect(self) -> None:
        watch, self._watch = self._watch, None
        open_file, self._open_file = self._open_file, None
        if watch is not None:
            watch.close()
        if open_file is not None:
            await open_file.unpin()
        await self._engines.reading.dispose()
        if open_file is not None:
            open_file.close()


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def _touch(connection: AsyncConnection) -> None:
    """Write without changing anything."""
    await connection.execute(update(learned_state).values(id=learned_state.c.id))
