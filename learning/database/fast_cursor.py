"""SQLite statements that wait for the database's thread once each.

SQLAlchemy makes a cursor, executes, fetches and closes for every statement, and `aiosqlite` hands each of
these steps to the connection's thread and waits for it: four waits, which together take longer than the
statement. Here the thread does all four at once and the rest is answered from memory. What gives nothing
back (to begin a transaction, and a statement over many rows) is not waited for at all: the thread does it
before the next thing that is waited for, and that fails if it fails. So nothing is committed unless all
before it was done. Everything else stays `aiosqlite`'s. It refuses to stream: what a statement gives is
fetched whole, as SQLAlchemy does anyway.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

import aiosqlite


@dataclass(frozen=True, slots=True)
class _Done:
    description: Any
    rowcount: int
    lastrowid: int | None
    rows: Sequence[Any]


_NOTHING = _Done(None, -1, None, ())

Statement = tuple[Any, str, Any]
"""A method of `sqlite3.Cursor`, or a function that takes one first, SQL, and its parameters."""


def connect(database: str, **arguments: Any) -> QuickConnection:
    """As `aiosqlite.connect`; the thread never keeps a process from ending."""
    connection = QuickConnection(lambda: sqlite3.connect(database, **arguments), iter_chunk_size=64)
    # Before aiosqlite 0.22 a connection was a thread, since then it has one.
    thread: Any = connection
    if not isinstance(connection, Thread):
        thread = connection._thread
    thread.daemon = True
    return connection


class OtherRows(Exception):
    """A statement gave other rows than whatever comes after it needs."""


class QuickConnection(aiosqlite.Connection):
    """An `aiosqlite` connection with other cursors."""

    waiting: list[Statement]
    """What the thread is to do before the next thing that is waited for."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting = []

    async def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        await self.in_its_thread(_commit, waiting)

    async def rollback(self) -> None:
        self.waiting = []
        if self._conn.in_transaction:
            await super().rollback()

    async def in_its_thread(self, work: Any, *arguments: Any) -> Any:
        """What all of aiosqlite's own methods are made of, in every version; it has no types."""
        execute: Any = self._execute
        return await execute(work, self._conn, *arguments)

    async def rows(self, sql: str, parameters: Any) -> Sequence[Any]:
        """All that a statement gives, without a cursor."""
        waiting, self.waiting = self.waiting, []
        done = await self.in_its_thread(_all_at_once, waiting, sqlite3.Cursor.execute, sql, parameters)
        found: Sequence[Any] = done.rows
        return found

    def begin_soon(self, sql: str) -> None:
        """Begin a transaction with what is waited for next."""
        self.waiting.append((sqlite3.Cursor.execute, sql, ()))

    def expect_soon(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Look before the next thing that is waited for, which is not done, and fails with `OtherRows`, where
        the statement gives other rows than these."""
        self.waiting.append((_expect, sql, rows))

    def write_soon(self, sql: str, rows: Iterable[Any]) -> None:
        """Do it for each of the rows before the next thing that is waited for."""
        self.waiting.append((sqlite3.Cursor.executemany, sql, rows))

    def cursor(self) -> QuickCursor:  # type: ignore[override]  # there it is a coroutine's result
        return QuickCursor(self)


class QuickCursor:
    """As much of a cursor as SQLAlchemy asks for, over the versions of it that the pack allows."""

    arraysize = 1

    def __init__(self, connection: QuickConnection) -> None:
        self._connection = connection
        self._done = _NOTHING
        self._taken = 0

    @property
    def description(self) -> Any:
        return self._done.description

    @property
    def rowcount(self) -> int:
        return self._done.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._done.lastrowid

    def __await__(self) -> Generator[Any, None, QuickCursor]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> QuickCursor:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Any = ()) -> QuickCursor:
        return await self._run(sqlite3.Cursor.execute, sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> QuickCursor:
        return await self._run(sqlite3.Cursor.executemany, sql, parameters)

    async def fetchall(self) -> Sequence[Any]:
        rows, self._taken = self._done.rows[self._taken :], len(self._done.rows)
        return rows

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        rows = self._done.rows[self._taken : self._taken + (size or self.arraysize)]
        self._taken += len(rows)
        return rows

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def close(self) -> None:
        """There is nothing to close: the thread has done it."""

    async def _run(self, how: Any, sql: str, parameters: Any) -> QuickCursor:
        self._done, self._taken = _NOTHING, 0
        held = self._connection
        if how is sqlite3.Cursor.executemany:
            held.waiting.append((how, sql, parameters))
            return self
        waiting, held.waiting = held.waiting, []
        self._done = await held.in_its_thread(_all_at_once, waiting, how, sql, parameters)
        return self


def _commit(connection: sqlite3.Connection, waiting: Sequence[Statement]) -> None:
    """In the connection's thread."""
    _do(connection, waiting)
    connection.commit()


def _do(connection: sqlite3.Connection, waiting: Sequence[Statement]) -> None:
    for how, sql, parameters in waiting:
        how(connection.cursor(), sql, parameters)


def _expect(cursor: sqlite3.Cursor, sql: str, rows: list[tuple[Any, ...]]) -> None:
    if cursor.execute(sql).fetchall() != rows:
        raise OtherRows


def _all_at_once(
    connection: sqlite3.Connection, waiting: Sequence[Statement], how: Any, sql: str, parameters: Any
) -> _Done:
    """In the connection's thread."""
    _do(connection, waiting)
    cursor = connection.cursor()
    try:
        how(cursor, sql, parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return _Done(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    finally:
        cursor.close()
