"""A transaction is whole or not at all, and acknowledged only once it is stored, on both databases."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.database.schema import generation_logs, keywords, learned_state
from context_checkpoint.learning.errors import StoreUnavailable

TEXTS = select(keywords.c.text).where(keywords.c.text != "")


async def _texts(database: Database) -> list[str]:
    return sorted(row[0] for row in await database.read(lambda connection: connection.execute(TEXTS)))


async def test_a_transaction_in_which_a_row_fails_stores_nothing(database: str) -> None:
    """The rows before it are taken back, and the connection serves the next transaction."""
    opened = await Database.open(database)

    async def add_twice(connection: AsyncConnection) -> None:
        await connection.execute(insert(keywords), [{"text": "rain"}])
        await connection.execute(insert(keywords), [{"text": "snow"}, {"text": "rain"}])

    with pytest.raises(StoreUnavailable):
        await opened.write(add_twice)
    assert await _texts(opened) == []
    await opened.write(lambda connection: connection.execute(insert(keywords), [{"text": "fog"}]))
    assert await _texts(opened) == ["fog"]
    await opened.close()


async def test_a_reader_sees_one_state_while_another_writes(database: str) -> None:
    """Two statements of one reading agree, whatever is committed between them."""
    opened, other = [await Database.open(database) for _ in range(2)]

    async def read_twice(connection: AsyncConnection) -> tuple[int, int]:
        before = (await connection.execute(TEXTS)).all()
        await other.write(lambda connection: connection.execute(insert(keywords), [{"text": "rain"}]))
        return len(before), len((await connection.execute(TEXTS)).all())

    assert await opened.read(read_twice) == (0, 0)
    assert await _texts(opened) == ["rain"]
    await opened.close()
    await other.close()


async def test_a_moment_comes_back_in_utc(database: str) -> None:
    """Also out of SQLite, which stores none of its zone."""
    opened = await Database.open(database)
    moment = datetime(2026, 11, 27, 12, 30, 0, 5, tzinfo=timezone.utc)
    texts = ("id", "session_id", "prompt_id", "prompt", "stage", "policy", "strategy", "family")
    numbers = dict.fromkeys(("confidence", "evidence", "clarity"), 0.5)
    row = {**dict.fromkeys(texts, "x"), **numbers, "fallback": True, "created_at": moment}
    await opened.write(lambda connection: connection.execute(insert(generation_logs), row))
    query = select(generation_logs.c.fallback, generation_logs.c.created_at)
    rows = await opened.read(lambda connection: connection.execute(query))
    assert [tuple(row) for row in rows] == [(True, moment)]
    await opened.close()


@pytest.mark.postgres
async def test_nothing_is_acknowledged_after_a_failure_that_was_caught(postgres_url: str) -> None:
    """A server ends a transaction in which something had failed without a word, and stores nothing of it."""
    opened = await Database.open(postgres_url)

    async def add(connection: AsyncConnection) -> None:
        await connection.execute(insert(keywords), [{"text": "rain"}])
        with pytest.raises(DBAPIError):
            await connection.execute(select(learned_state.c.id / 0))

    with pytest.raises(StoreUnavailable):
        await opened.write(add)
    assert await _texts(opened) == []
    await opened.close()
