"""From a path or an address to a SQLAlchemy engine whose transactions begin as this pack needs them.

Separate from `database`, which runs the transactions, because everything here is particular to one database
or its driver: SQLite's pragmas and how it begins, PostgreSQL's lock that makes writers take turns.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, PoolResetState

from ..errors import StoreUnavailable
from ..names import shown_address
from .driver_errors import to_store_error
from .schema import REVISION, VERSION_TABLE

_ADDRESSES = "Give a file's path, or postgresql://user:password@host/database."
_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "postgres": "asyncpg"}
_CONNECT_S, _COMMAND_S = 5, 60
"""A server behind a cut cable answers nothing; clearing what a large log has deleted takes long."""
_WRITE_AHEAD_S = 2.0  # another process that does the same to a new file needs milliseconds
_TRANSACTION = "context_checkpoint.transaction"
_WRITERS_LOCK = 0x436F6E74657874  # any number that stays the same


class OtherRevision(Exception):
    """Another version of the pack migrated the tables while they were open."""


def parse(path_or_url: str | os.PathLike[str]) -> URL:
    """Read the path of a database file, `:memory:`, or a server's address, and choose the driver.

    Raises
    ------
    StoreUnavailable
        If it is no address, or its driver is not installed.
    """
    address = os.fspath(path_or_url)
    if "://" not in address:
        return URL.create("sqlite+aiosqlite", database=address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        message = f"{shown_address(address)} is not a database address. {_ADDRESSES}"
        raise StoreUnavailable("store_address", message) from error
    kind = url.drivername.split("+")[0]
    driver = _DRIVERS.get(kind)
    if driver is None:
        raise StoreUnavailable("store_address", f"{kind!r} databases are not supported. {_ADDRESSES}")
    if find_spec(driver) is None:
        package = "context-checkpoint[postgres]" if driver == "asyncpg" else driver
        raise StoreUnavailable(
            "store_driver_missing",
            f"The database driver {driver!r} is not installed. Run: python -m pip install {package!r} "
            "with the Python that runs ComfyUI.",
        )
    return url.set(drivername=f"{'sqlite' if driver == 'aiosqlite' else 'postgresql'}+{driver}")


def file_of(url: URL) -> Path | None:
    """Find the file behind an address; None for a server, and for a database in memory.

    Raises
    ------
    StoreUnavailable
        If the path leads nowhere: links in a loop, no home.
    """
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    # Behind every link: a deleted file must be put back where it was, not where a link to it lies.
    try:
        return Path(str(url.database)).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise to_store_error(error, str(url.database)) from error


@dataclass(frozen=True, slots=True)
class Engines:
    """An engine whose transactions only read, and the same one for other purposes."""

    reading: AsyncEngine
    writing: AsyncEngine
    """Its transactions fail with `OtherRevision` where the tables are of another revision, except to migrate."""
    at_once: AsyncEngine
    """For a single statement, which needs no transaction around it."""

    @classmethod
    def of(cls, engine: AsyncEngine) -> Engines:
        return cls(engine, engine.execution_options(writes=True), engine.execution_options(at_once=True))


def make_engine(url: URL, file: Path | None, busy_timeout_s: float) -> Engines:
    """Make the engines of a database that may be written.

    A SQLite file must be there already: a connection that is opened after somebody deleted it must fail, and
    not create an empty one.
    """
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(
            url,
            # Transactions are begun and ended below: in one round trip to the server, where the driver takes two.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": _CONNECT_S,
                "command_timeout": _COMMAND_S,
                "async_creator_fn": _connect_to_server,
            },
        )
        event.listen(engine.sync_engine, "checkout", _is_connected)
        event.listen(engine.sync_engine, "begin", _begin_postgresql)
        event.listen(engine.sync_engine, "commit", _commit_postgresql)
        event.listen(engine.sync_engine, "rollback", _rollback_postgresql)
        event.listen(engine.sync_engine, "reset", _reset_postgresql)
        return Engines.of(engine)
    engine = create_async_engine(
        _sqlite_url(file, mode="rw") if file else URL.create(url.drivername, database=":memory:"),
        poolclass=AsyncAdaptedQueuePool,
        # A database in memory lives in its connection: one for all, which then take turns.
        pool_size=4 if file else 1,
        max_overflow=2 if file else 0,
        pool_reset_on_return=None,  # by `_reset_sqlite`, which need not wait where there is nothing to undo
        # Transactions are begun by `_begin_sqlite`; the driver would begin none before a SELECT.
        connect_args={"isolation_level": None, "timeout": busy_timeout_s},
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "reset", _reset_sqlite)
    return Engines.of(engine)


async def _connect_to_server(*where: Any, **how: Any) -> Any:
    """Connect; a server that refuses (it is starting up, the password is wrong) raises what a failing statement
    raises. SQLAlchemy before 2.1 lets the driver's own error through."""
    driver = import_module("asyncpg")
    try:
        return await driver.connect(*where, **how)
    except (driver.PostgresError, driver.InterfaceError) as error:
        raise DBAPIError("CONNECT", None, error) from error


def make_immutable_engine(file: Path) -> Engines:
    """Make an engine that reads a SQLite file that nobody changes, and needs no other file for it."""
    url = _sqlite_url(file, mode="ro", immutable="1")
    return Engines.of(create_async_engine(url, poolclass=NullPool))


def make_read_only_engine(file: Path) -> Engines:
    """Make an engine that reads a SQLite file while others write it, and never changes it."""
    url = _sqlite_url(file, mode="ro")
    return Engines.of(create_async_engine(url, poolclass=NullPool))


def _sqlite_url(file: Path, **parameters: str) -> URL:
    return URL.create("sqlite+aiosqlite", database=address_of(file), query={**parameters, "uri": "true"})


def address_of(file: Path) -> str:
    path = file.as_posix()
    # https://www.sqlite.org/uri.html: three slashes before a drive letter, four before a network share.
    return f"file://{'' if path.startswith('/') else '/'}{quote(path, safe='/:')}"


def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
    cursor = dbapi_connection.cursor()
    try:
        _write_ahead(cursor)
        # A transaction larger than SQLite's cache would write into the log before its commit, which looks like somebody
        # else's writing (`OpenFile.look`): only one of more than 80 MB does.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "cache_spill=20000"):
            cursor.execute(f"PRAGMA {pragma}")
    except BaseException:
        # SQLAlchemy forgets a connection whose first steps fail or are cancelled; it would stay open.
        dbapi_connection.close()
        raise
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Set the file to WAL. Where two do that to a new file at once, SQLite fails for one of them at once, whatever
    its timeout: that one tries again."""
    deadline = time.monotonic() + _WRITE_AHEAD_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # Where another program locks the file, SQLite has waited already.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("at_once", False):
        return
    # The driver's own method waits once for its thread, where a SQLAlchemy cursor waits three times.
    writes = options.get("writes", False)
    _rows_of_sqlite(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")
    if writes and not options.get("migrates", False):
        rows = _rows_of_sqlite(connection, f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - ours
        if [tuple(row) for row in rows] != [(REVISION,)]:
            raise OtherRevision


def _rows_of_sqlite(connection: Connection, sql: str) -> Iterable[Sequence[Any]]:
    adapted = _adapted(connection)
    rows: Iterable[Sequence[Any]] = _run(adapted, sql, lambda: adapted.driver_connection.execute_fetchall(sql))
    return rows


def _reset_sqlite(adapted: Any, _record: object, state: PoolResetState) -> None:
    """Whatever became of a transaction, the next one to use the connection finds none."""
    if not state.terminate_only and adapted.driver_connection.in_transaction:
        adapted.rollback()


def _is_connected(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Connect again where a server has hung up, which the driver knows. SQLAlchemy's `pool_pre_ping` would ask the
    server first, at each checkout."""
    if dbapi_connection.driver_connection.is_closed():
        raise InvalidatePoolError


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes", False):
        begin = f"BEGIN; SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"
        if not options.get("migrates", False):  # the answer says how many rows the last statement found
            begin += f"; SELECT 1 FROM {VERSION_TABLE} WHERE version_num = '{REVISION}'"  # noqa: S608 - ours
        if _at_server(_adapted(connection), begin) != "SELECT 1":
            raise OtherRevision
    elif not options.get("at_once", False):
        # By the driver's own method, for its earlier versions stream rows in no other transaction.
        transaction = _adapted(connection).driver_connection.transaction(isolation="repeatable_read", readonly=True)
        _run(_adapted(connection), "BEGIN", transaction.start)
        connection.info[_TRANSACTION] = transaction


def _commit_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writes", False):
        _rollback_postgresql(connection)
        return
    answer = _at_server(_adapted(connection), "COMMIT")
    if answer != "COMMIT":  # after a failure that was caught, a server rolls back and reports no error
        raise DBAPIError("COMMIT", None, RuntimeError(f"the server answered {answer}"))


def _rollback_postgresql(connection: Connection) -> None:
    if not connection.closed and not connection.invalidated:
        _end_transaction(_adapted(connection), connection.info)


def _reset_postgresql(adapted: Any, record: Any, state: PoolResetState) -> None:
    """Whatever became of a transaction, the next one to use the connection finds none."""
    if not state.terminate_only:
        _end_transaction(adapted, record.info)


def _end_transaction(adapted: Any, info: MutableMapping[Any, Any]) -> None:
    transaction, driver = info.pop(_TRANSACTION, None), adapted.driver_connection
    if driver.is_closed() or not driver.is_in_transaction():
        return
    if transaction is not None:
        _run(adapted, "ROLLBACK", transaction.rollback)
    else:
        _at_server(adapted, "ROLLBACK")


def _adapted(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _at_server(adapted: Any, sql: str) -> str:
    return str(_run(adapted, sql, lambda: adapted.driver_connection.execute(sql)))


def _run(adapted: Any, sql: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Wait for the driver; its failure is raised as SQLAlchemy raises a statement's."""
    try:
        return adapted.run_async(lambda _: work())
    except sqlite3.Error as error:
        raise DBAPIError(sql, None, error) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "asyncpg":
            raise
        is_cut = adapted.driver_connection.is_closed()
        raise DBAPIError(sql, None, error, connection_invalidated=is_cut) from error
