"""Which state of the database is seen: a value that is another one after every commit, whoever made it.

Separate from `database`, which runs transactions, because a file and a server tell it in different ways: a
file's shared memory counts its commits, a server says which transactions are seen. Neither is written for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Text, cast, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .engines import address_of

T = TypeVar("T")
Version: TypeAlias = "int | str"


class Watch(Protocol):
    """Tells the version of one database."""

    async def version(self) -> Version | None:
        """The state that the next reader sees at least; None where that cannot be told."""

    async def close(self) -> None: ...


class FileWatch:
    """A connection of its own to a SQLite file, which only tells whether somebody has changed it.

    It asks shared memory, in the calling thread and within microseconds, and never waits for a lock.
    """

    _numbers = itertools.count()

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"{address_of(file)}?mode=ro", uri=True, timeout=0.0)
        self._opened = next(self._numbers) << 32  # of two files, or one opened twice, no version is the same

    async def version(self) -> Version | None:
        try:
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return self._opened + int(number)

    async def close(self) -> None:
        self._connection.close()


class ServerWatch:
    """A connection of its own to a server, which only tells which transactions are seen.

    It is asked before every answer that is remembered, so it is kept at hand: to take one out of the pool
    takes twice as long as the question.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._held: AsyncConnection | None = None
        self._asking = asyncio.Lock()

    async def version(self) -> Version | None:
        """None where the server did not answer, in whatever way: whoever reads will be told why."""
        async with self._asking:
            try:
                if self._held is None or await _is_cut(self._held):
                    await self._let_go()
                    self._held = await self._engine.connect()
                return await of_server(self._held)
            except (DBAPIError, PoolTimeout, OSError, asyncio.TimeoutError):
                await self._let_go()
                return None

    async def close(self) -> None:
        async with self._asking:
            await self._let_go()

    async def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(DBAPIError, OSError, asyncio.TimeoutError):
                await held.close()


async def _is_cut(connection: AsyncConnection) -> bool:
    """Whether a server's connection is known to lead nowhere any more."""
    if connection.closed or connection.invalidated:
        return True
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return bool(driver.is_closed())


async def of_server(connection: AsyncConnection) -> str | None:
    """A server's snapshot names all transactions that have not ended: as long as it is the same, and the
    server has not been started anew, no commit has come between, in any of its databases. None where a file
    stands in for the server."""
    if connection.dialect.name != "postgresql":
        return None
    started, seen = (await connection.execute(_SEEN)).one()
    return f"{started} {seen}"


_SEEN = select(cast(func.pg_postmaster_start_time(), Text), cast(func.pg_current_snapshot(), Text))
