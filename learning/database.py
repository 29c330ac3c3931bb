"""The engine, its transactions, and what becomes of them when the file system does not play along.

Separate from `store` so that SQL is read without pragmas between, and pragmas without SQL. It owns: opening
and migrating; one writer at a time, `BEGIN IMMEDIATE`, acknowledged after the commit; the words for what went
wrong; and the database file that is deleted while it is open. It refuses to be used from another loop than
the one that opened it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, inspect, make_url, text, update
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from . import moved_file
from .errors import StoreUnavailable
from .overview import DatabaseReport
from .schema import REVISION, VERSION_TABLE, learned_state
from .spelling import shown_address
from .store_errors import told, unreachable

if TYPE_CHECKING:
    import aiosqlite

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

BUSY_TIMEOUT_S = 5.0
_WRITERS_LOCK = (
    0x436F6E74657874  # any fixed number; PostgreSQL's advisory lock that makes its writers take turns
)
_FAILURES = (DBAPIError, PoolTimeout, OSError)

log = logging.getLogger(__name__)


class Database:
    """One database, opened in one event loop. Make it with `Database.open`."""

    def __init__(self, url: URL, busy_timeout_s: float) -> None:
        self.url = url
        self.path = Path(url.database) if _is_file(url) and url.database else None
        self.frozen = False
        """True while the file can only be read in place, because its folder takes no file beside it."""
        self._busy_timeout_s = busy_timeout_s
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._file: moved_file.Identity | None = None
        self._engine: AsyncEngine

    @classmethod
    async def open(
        cls, path_or_url: str | os.PathLike[str], *, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> Database:
        """Open, create or migrate.

        Raises
        ------
        StoreUnavailable
            With a message that says what to do next.
        """
        database = cls(parse(path_or_url), busy_timeout_s)
        await database._connect()
        return database

    @property
    def name(self) -> str:
        """The database as people know it: its path, or its address without the password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a transaction that only reads, on a consistent state."""
        return await self._to_its_end(self._read(work))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own, after the writers before it; returns after the commit."""
        return await self._to_its_end(self._write(work))

    async def close(self) -> None:
        """Let running transactions end, then let go of the file."""
        if self._running:
            await asyncio.wait(self._running)
        if self.path and self.path.parent.is_dir():
            try:
                await self._stay_in_place()
            except StoreUnavailable as error:
                log.error("%s", error.message)
        await self._engine.dispose()

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
        size = await asyncio.to_thread(_size, self.path) if self.path else None
        return DatabaseReport(self.name, REVISION, size, writable, problem, 0, 0, 0)

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        # A transaction cancelled half-way leaves a connection in a state that nobody knows; so none is.
        if asyncio.get_running_loop() is not self._loop:
            work.close()
            raise RuntimeError(
                "This service belongs to the event loop that opened it; use runtime.current().run(...)."
            )
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _read(self, work: Work[T]) -> T:
        try:
            async with self._engine.connect() as connection:
                return await work(connection)
        except _FAILURES as error:
            raise told(error, self.name) from error

    async def _write(self, work: Work[T]) -> T:
        async with self._writer:
            await self._stay_in_place()
            try:
                async with self._engine.execution_options(writes=True).begin() as connection:
                    return await work(connection)
            except _FAILURES as error:
                raise told(error, self.name) from error

    async def _connect(self) -> None:
        if self.path:
            try:
                await asyncio.to_thread(self.path.parent.mkdir, parents=True, exist_ok=True)
            except OSError as error:
                raise unreachable(error, self.name) from error
        self._engine = self._make_engine()
        try:
            await self._migrate()
        except BaseException as error:
            await self._engine.dispose()
            if not isinstance(error, _FAILURES):
                raise
            if not await self._open_frozen():
                raise told(error, self.name) from error
        self._file = moved_file.identity(self.path) if self.path else None

    async def _open_frozen(self) -> bool:
        """Read a database whose folder takes no file beside it (read-only, or full), as it stands there."""
        if not self.path or not self.path.is_file():
            return False
        self._engine = create_async_engine(
            URL.create(
                self.url.drivername,
                database=f"file:{quote(str(self.path.resolve()))}",
                query={"mode": "ro", "immutable": "1", "uri": "true"},
            ),
            poolclass=NullPool,
        )
        try:
            async with self._engine.connect() as connection:
                self.frozen = await connection.run_sync(_revision) == REVISION
        except _FAILURES:
            self.frozen = False
        if not self.frozen:
            await self._engine.dispose()
        return self.frozen

    async def _migrate(self) -> None:
        async with self._engine.connect() as connection:
            if await connection.run_sync(_revision) == REVISION:
                return
        async with self._engine.execution_options(writes=True).begin() as connection:
            try:
                await connection.run_sync(_upgrade)
            except LookupError as error:
                raise StoreUnavailable(
                    "store_newer",
                    f"{self.name} was written by a newer Context Checkpoint (schema {error.args[0]}, "
                    f"this one knows {REVISION}). Update the pack, or choose another database with "
                    "CONTEXT_CHECKPOINT_DATABASE.",
                ) from error

    async def _stay_in_place(self) -> None:
        """Before a write: see that the open file is still the one that others will find under its name."""
        if self.path is None:
            return
        if self.frozen:
            await self._engine.dispose()
            self.frozen = False
            await self._connect()
            return
        found = moved_file.identity(self.path)
        if found == self._file:
            return
        try:
            async with self._engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                copy = await moved_file.rescue(cast("aiosqlite.Connection", raw), self.path)
            await self._engine.dispose()
            kept = await asyncio.to_thread(moved_file.put_back, copy, self.path)
        except _FAILURES as error:
            raise told(error, self.name) from error
        log.warning("%s was deleted or replaced while in use. %s", self.path, kept)
        await self._connect()

    def _make_engine(self) -> AsyncEngine:
        if self.url.get_backend_name() != "sqlite":
            engine = create_async_engine(self.url, pool_pre_ping=True)
            event.listen(engine.sync_engine, "begin", _begin_postgresql)
            return engine
        engine = create_async_engine(
            self.url,
            poolclass=AsyncAdaptedQueuePool,
            # An in-memory database lives in its connection: one for all, which then take turns.
            pool_size=3 if self.path else 1,
            max_overflow=2 if self.path else 0,
            # Transactions are begun by `_begin_sqlite`; the driver would begin none before a SELECT.
            connect_args={"isolation_level": None, "timeout": self._busy_timeout_s},
        )
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine


def parse(path_or_url: str | os.PathLike[str]) -> URL:
    """The address of a database file, `:memory:`, or a server, with the driver that this pack uses.

    Raises
    ------
    StoreUnavailable
        If it is no address, or its driver is not installed.
    """
    given = os.fspath(path_or_url)
    if "://" not in given:
        return URL.create(
            "sqlite+aiosqlite", database=given if given == ":memory:" else str(Path(given).expanduser())
        )
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise StoreUnavailable(
            "store_address", f"{shown_address(given)} is not a database address. {_ADDRESSES}"
        ) from error
    driver = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "postgres": "asyncpg"}.get(
        url.drivername.split("+")[0]
    )
    if driver is None:
        raise StoreUnavailable(
            "store_address", f"{url.drivername!r} databases are not supported. {_ADDRESSES}"
        )
    if find_spec(driver) is None:
        package = "context-checkpoint[postgres]" if driver == "asyncpg" else driver
        raise StoreUnavailable(
            "store_driver_missing",
            f"The database driver {driver!r} is not installed. Run: python -m pip install {package!r} "
            "with the Python that runs ComfyUI.",
        )
    return url.set(drivername=f"{'sqlite' if driver == 'aiosqlite' else 'postgresql'}+{driver}")


_ADDRESSES = "Give a file's path, or postgresql://user:password@host/database."


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def _upgrade(connection: Connection) -> None:
    from .migrations import upgrade

    # Read again: while this one waited for its turn, another process may have upgraded.
    current = _revision(connection)
    if current != REVISION:
        upgrade(connection, current)


async def _touch(connection: AsyncConnection) -> None:
    """Write without changing anything."""
    await connection.execute(update(learned_state).values(id=learned_state.c.id))


def _size(path: Path) -> int:
    files = (path, Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
