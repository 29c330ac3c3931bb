"""Statements that go to the driver as they are: the same on both databases, and no failure goes unheard."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.database.prepared import Reading, Writing
from context_checkpoint.learning.database.schema import generation_logs, keyword_sums_anew, keywords
from context_checkpoint.learning.errors import StoreUnavailable

ADD = Writing.adding(keyword_sums_anew)
HEARD = Reading(lambda among: select(keywords.c.text).where(among(keywords.c.text, "texts")).order_by("text"))
ROUNDS = Reading(lambda _: select(keyword_sums_anew.c.rounds).where(keyword_sums_anew.c.keyword_id == bindparam("of")))


async def test_a_list_may_have_any_length(database: str) -> None:
    """One statement looks for no text, for one, and for several, whatever is in them."""
    opened = await Database.open(database)
    texts = ["", "a", "b'; DROP TABLE keywords; --", "ü\u202e%"]

    async def add(connection: AsyncConnection) -> None:
        insert = Writing.inserting(keywords, [keywords.c.text])
        await insert.write(connection, [(text,) for text in texts[1:]])

    await opened.write(add)
    for asked in ([], ["a"], texts, [*texts, "unknown"]):
        rows = await opened.read(lambda connection, asked=asked: HEARD.rows(connection, texts=asked))  # type: ignore[misc]
        assert {row[0] for row in rows} == set(asked) & set(texts)
    await opened.close()


async def test_what_is_added_twice_is_summed(database: str) -> None:
    """A row begins with the first numbers, and the next are added to it, also in one transaction."""
    opened = await Database.open(database)

    async def add(connection: AsyncConnection) -> None:
        for share in (0.25, 1.0):
            await ADD.write(connection, [(7, share, *[0.0] * 7)])

    await opened.write(add)
    await opened.write(add)
    assert list((await opened.read(lambda connection: ROUNDS.rows(connection, of=7)))[0]) == [2.5]
    await opened.close()


async def test_a_moment_comes_back_in_utc(database: str) -> None:
    """Values are brought into the database's form and back, as SQLAlchemy does."""
    opened = await Database.open(database)
    moment = datetime(2026, 11, 27, 12, 30, 0, 5, tzinfo=timezone.utc)
    names = "number id session_id prompt_id prompt stage policy strategy confidence evidence clarity family"
    columns = [generation_logs.c[name] for name in (*names.split(), "fallback", "created_at")]
    row = (1, "x", *["y"] * 6, *[0.5] * 3, "z", True, moment)
    await opened.write(lambda connection: Writing.inserting(generation_logs, columns).write(connection, [row]))
    back = Reading(lambda _: select(generation_logs.c.fallback, generation_logs.c.created_at))
    assert [list(row) for row in await opened.read(back.rows)] == [[True, moment]]
    await opened.close()


async def test_a_failing_row_stores_nothing_and_is_told(database: str) -> None:
    """SQLite waits for no row: what was wrong with one is told at the latest by the commit."""
    opened = await Database.open(database)

    async def add(connection: AsyncConnection) -> None:
        await ADD.write(connection, [(1, 1.0, *[0.0] * 7)])
        await ADD.write(connection, [(2, None, *[0.0] * 7)])

    with pytest.raises(StoreUnavailable):
        await opened.write(add)
    assert not await opened.read(lambda connection: ROUNDS.rows(connection, of=1))
    await opened.write(lambda connection: ADD.write(connection, [(1, 1.0, *[0.0] * 7)]))
    await opened.close()


@pytest.mark.postgres
async def test_nothing_is_acknowledged_after_a_failure_that_was_caught(postgres_url: str) -> None:
    """A server ends a transaction in which something had failed without a word, and stores nothing of it."""
    opened = await Database.open(postgres_url)
    wrong = Reading(lambda _: select(keywords.c.id / 0))

    async def add(connection: AsyncConnection) -> None:
        await ADD.write(connection, [(1, 1.0, *[0.0] * 7)])
        with pytest.raises(DBAPIError):
            await wrong.rows(connection)

    with pytest.raises(StoreUnavailable):
        await opened.write(add)
    assert not await opened.read(lambda connection: ROUNDS.rows(connection, of=1))
    await opened.close()
