"""Nothing stays open: no connection is left behind, whoever is cancelled, whatever fails, however it ends."""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database import engines
from context_checkpoint.learning.database.database import Database

from .test_faults import teach


@pytest.fixture
def left_open() -> Iterator[list[str]]:
    """What was open when it was garbage-collected; nothing may be."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()
        caught.clear()
        warned: list[str] = []
        yield warned
        gc.collect()
    warned += [str(each.message) for each in caught]  # aiosqlite's, SQLAlchemy's, or asyncio's
    assert warned == []


@pytest.mark.usefixtures("left_open")
async def test_an_opening_that_is_cancelled_leaves_nothing_open(database_file: Path) -> None:
    """Wherever it was."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    await (await PreferenceService.open(database_file)).close()
    began = time.monotonic()
    await (await PreferenceService.open(database_file)).close()
    took_s, cancelled = time.monotonic() - began, 0
    for _ in range(100):
        opening = asyncio.ensure_future(PreferenceService.open(database_file))
        await asyncio.sleep(chance.uniform(0.0, took_s))
        opening.cancel()
        try:
            await (await opening).close()
        except asyncio.CancelledError:
            cancelled += 1
    assert cancelled


@pytest.mark.usefixtures("left_open")
async def test_a_closing_that_is_cancelled_lets_go_all_the_same(database_file: Path) -> None:
    """Once what runs has come to its end."""
    service = await PreferenceService.open(database_file)
    await teach(service)
    with closing(sqlite3.connect(database_file)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.ensure_future(teach(service))
        await asyncio.sleep(0.05)
        closes = asyncio.ensure_future(service.close())
        await asyncio.sleep(0.05)
        closes.cancel()
        await asyncio.sleep(0.05)
        other.rollback()
    with pytest.raises(asyncio.CancelledError):
        await closes
    await asyncio.gather(writing, return_exceptions=True)


@pytest.mark.usefixtures("left_open")
def test_a_loop_that_ends_first_leaves_nothing_open(database_file: Path) -> None:
    """As when a slow disk keeps a closing longer than anybody waits."""
    ready = asyncio.Event()

    async def work() -> None:
        service = await PreferenceService.open(database_file)
        try:
            await teach(service)
            ready.set()
            await teach(service, rounds=1_000)
        finally:
            await service.close()

    loop = asyncio.new_event_loop()
    task = loop.create_task(work())
    loop.run_until_complete(asyncio.wait_for(ready.wait(), 60))
    left = asyncio.all_tasks(loop)
    for each in left:
        each.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    assert task.done()
    loop.close()


@pytest.mark.usefixtures("left_open")
async def test_a_connection_that_is_cancelled_in_its_first_steps_is_closed(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLAlchemy does not know it yet."""
    await (await Database.open(database_file)).close()
    begun = asyncio.Event()

    def slowly(cursor: Any) -> None:
        begun.set()
        cursor.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 1000000")

    monkeypatch.setattr(engines, "_write_ahead", slowly)
    opening = asyncio.ensure_future(Database.open(database_file))
    await begun.wait()
    await asyncio.sleep(0.05)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
