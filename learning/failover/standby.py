"""The local file that stands in for a server: what was last known, and what waits to be delivered.

A SQLite database with the same tables, so that the same use cases run on it unchanged: what is logged and judged while
the server is offline is learned here at once. It holds all of the server's statistics and its newest generations.
Separate from `shared_database`, which decides when: this one copies and delivers.

What is delivered goes in by `transfer.merge`, which knows generations by their ids and verdicts by their moments: a
delivery that was broken off, or whose acknowledgement was lost, is repeated without counting twice.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import Column, Integer, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database, Work, utc_now
from ..database.files import backups
from ..database.schema import (
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    generation_utilities,
    keywords,
    learned_state,
    pair_statistics,
    verdicts,
)
from ..exchange import transfer
from ..exchange.line_format import PortableGeneration
from ..reports import ImportReport
from ..store import generations

T = TypeVar("T")

KEPT_GENERATIONS = 500
"""So many of the newest generations can be judged again while the server is offline."""
_AT_ONCE = 25
_ROWS = 2000

_followed = Table(
    "standby_state",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("identity", String(32), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("verdict", Integer, nullable=False),
    Column("own_generation", Integer, nullable=False),
    Column("own_verdict", Integer, nullable=False),
)
"""One row: which server this follows and up to where, and up to where its own log has been delivered."""


class Server(Protocol):
    async def read(self, work: Work[T]) -> T: ...
    async def write(self, work: Work[T]) -> T: ...


@dataclass(frozen=True, slots=True)
class _State:
    identity: str
    generation: int
    verdict: int
    own_generation: int
    own_verdict: int


class Standby:
    """Make it with `open`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    async def open(cls, path: Path) -> Standby:
        """Open or create the file. Raises `StoreUnavailable`."""

        async def prepare(connection: AsyncConnection) -> None:
            await connection.run_sync(_followed.metadata.create_all)

        standby = cls(await Database.open(path))
        try:
            await standby.database.write(prepare)
        except BaseException:
            await standby.database.close()
            raise
        return standby

    @staticmethod
    def quarantine(path: Path) -> bool:
        """Give a damaged file another name, with a note of what it had delivered; False where it is sound."""
        delivered = 0, 0
        query = "SELECT own_generation, own_verdict FROM standby_state"
        with contextlib.closing(backups.opened_to_read(path)) as file, contextlib.suppress(sqlite3.Error):
            delivered = file.execute(query).fetchone() or delivered
        return backups.set_aside(path, utc_now(), *delivered) is not None

    async def has_followed(self) -> bool:
        return await self.database.read(_state) is not None

    async def begin_without_server(self) -> None:
        """Let what is logged here from now on wait, though nothing is known of the server: all that is here
        is replaced by the server's once that has been delivered."""
        await self.database.write(lambda connection: _put(connection, _State("", 0, 0, 0, 0)))

    async def waiting(self) -> bool:
        """Whether something was logged or judged here that the server has not received."""
        return bool(await self.database.read(_undelivered))

    async def deliver(self, server: Server) -> int:
        """Bring what waits to the server, oldest first, and note what arrived; how many generations.

        Raises
        ------
        StoreUnavailable
            If the server or the file cannot be written; what has not been noted as arrived is sent again.
        """
        newest = await self.database.read(_newest_numbers)
        numbers = await self.database.read(_undelivered)
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]

            async def take(connection: AsyncConnection, some: list[int] = some) -> list[PortableGeneration]:
                logged = await generations.numbered(connection, some)
                return [each for _, each in await transfer.portable(connection, logged)]

            batch = await self.database.read(take)

            async def add(connection: AsyncConnection, batch: list[PortableGeneration] = batch) -> ImportReport:
                return await transfer.merge(connection, batch, ImportReport())

            await server.write(add)
        if numbers:
            await self.database.write(
                lambda connection: _note(connection, own_generation=newest[0], own_verdict=newest[1])
            )
        return len(numbers)

    async def follow(self, server: Server) -> bool:
        """Learn what the server has learned since the last time; False where something waits to be delivered
        first."""
        state = await self.database.read(_state)
        news = await server.read(lambda connection: _news(connection, state))
        if news is not None:
            known = await self.database.write(lambda connection: _take_in(connection, *news))
            if known != "too little":
                return known == "all"
        # The first time, another server under this address, or too much has happened: all of it.
        return await server.read(lambda there: self.database.write(lambda here: _copy(there, here)))


async def _state(connection: AsyncConnection) -> _State | None:
    columns = [_followed.c[field.name] for field in fields(_State)]
    row = (await connection.execute(select(*columns))).one_or_none()
    return None if row is None else _State(*row)


async def _note(connection: AsyncConnection, **changes: Any) -> None:
    state = await _state(connection)
    assert state is not None  # noqa: S101 - for mypy: what is delivered was logged after following
    await _put(connection, replace(state, **changes))


async def _put(connection: AsyncConnection, state: _State) -> None:
    await connection.execute(delete(_followed))
    names = [field.name for field in fields(_State)]
    await connection.execute(insert(_followed), dict(zip(names, astuple(state), strict=True)))


async def _newest_numbers(connection: AsyncConnection) -> tuple[int, int]:
    numbers = [
        (await connection.execute(select(func.coalesce(func.max(table.c.number), 0)))).scalar_one()
        for table in (generation_logs, verdicts)
    ]
    return numbers[0], numbers[1]


async def _undelivered(connection: AsyncConnection) -> list[int]:
    state = await _state(connection)
    if state is None:
        return []
    logged = select(generation_logs.c.number).where(generation_logs.c.number > state.own_generation)
    judged = select(verdicts.c.generation_number).where(verdicts.c.number > state.own_verdict)
    return sorted({row[0] for row in await connection.execute(logged.union(judged))})


News = tuple[_State, list[PortableGeneration]]


async def _news(connection: AsyncConnection, state: _State | None) -> News | None:
    """What happened on the server since a state; None where that is too much, or another server's."""
    identity = (await connection.execute(select(learned_state.c.identity))).scalar_one()
    if state is None or identity != state.identity:
        return None
    generation, verdict = await _newest_numbers(connection)
    if generation < state.generation or verdict < state.verdict:
        return None
    logged = select(generation_logs.c.number).where(generation_logs.c.number > state.generation)
    judged = select(verdicts.c.generation_number).where(verdicts.c.number > state.verdict)
    rows = await connection.execute(logged.union(judged).limit(KEPT_GENERATIONS + 1))
    numbers = [row[0] for row in rows]
    if len(numbers) > KEPT_GENERATIONS:
        return None
    batch = await transfer.portable(connection, await generations.numbered(connection, sorted(numbers)))
    older = {each.id for number, each in batch if number <= state.generation}
    now = replace(state, generation=generation, verdict=verdict)
    return now, sorted((each for _, each in batch), key=lambda each: each.id not in older)


async def _take_in(
    connection: AsyncConnection, now: _State, batch: list[PortableGeneration]
) -> Literal["all", "later", "too little"]:
    """Add news, unless something waits to be delivered before; where one changes what is not kept here, or
    this file moved on meanwhile, that is too little."""
    before = await _state(connection)
    if before is None:
        return "too little"
    if await _undelivered(connection):
        return "later"
    if before.generation > now.generation or before.verdict > now.verdict:
        return "all"  # another process has been quicker
    created = [each.id for each in batch]
    known = await generations.image_counts(connection, created)
    oldest = select(func.min(generation_logs.c.created_at))
    edge = (await connection.execute(oldest)).scalar_one()
    if edge is not None and any(each.id not in known and each.created_at < edge for each in batch):
        return "too little"
    await transfer.merge(connection, batch, ImportReport())
    own = await _newest_numbers(connection)
    await _put(connection, replace(now, own_generation=own[0], own_verdict=own[1]))
    return "all"


async def _copy(there: AsyncConnection, here: AsyncConnection) -> bool:
    """Replace what is here by the server's statistics and newest generations, read in one state; False where
    something waits to be delivered first."""
    if await _undelivered(here):
        return False
    for table in (
        verdicts,
        generation_utilities,
        generation_images,
        generation_keywords,
        generation_logs,
        pair_statistics,
        keywords,
        checkpoints,
    ):
        await here.execute(delete(table))
    for table in (keywords, checkpoints, pair_statistics):
        rows = await there.stream(select(table))
        async for some in rows.mappings().partitions(_ROWS):
            await here.execute(insert(table), [dict(row) for row in some])
    numbers = select(generation_logs.c.number).order_by(generation_logs.c.number.desc())
    newest = sorted(row[0] for row in await there.execute(numbers.limit(KEPT_GENERATIONS)))
    for _, generation in await transfer.portable(there, await generations.numbered(there, newest)):
        await transfer.log(here, generation)
        verdict, logged = generation.verdict, await generations.find(here, generation.id)
        if verdict is not None and logged is not None:
            await generations.set_basis(here, logged.number, generation.known)
            await generations.add_verdict(here, logged.number, verdict.marks, verdict.at)
    learned = (await there.execute(select(learned_state))).mappings().one()
    await here.execute(delete(learned_state))
    await here.execute(insert(learned_state), dict(learned))
    await _put(here, _State(learned["identity"], *await _newest_numbers(there), *await _newest_numbers(here)))
    return True
