"""What is remembered between two questions never outlives the next verdict, whoever gives it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.database.schema import OVERALL_ID, keywords
from context_checkpoint.learning.policies import POLICIES
from context_checkpoint.learning.service.evidence_source import read_at_version
from tests.learning.database.test_faults import teach

NAMES = ["a", "b", "c"]
ROUNDS = select(keywords.c.rounds).where(keywords.c.id == OVERALL_ID)


async def test_a_verdict_of_another_process_counts_in_the_very_next_answer(database: str) -> None:
    """Another connection committed: what was remembered is looked up again."""
    here, there = [await PreferenceService.open(database) for _ in range(2)]
    for _ in range(2):
        before = await here.recommend("anime girl", NAMES, seed=1)
    await teach(there, rounds=12)

    after = await here.recommend("anime girl", NAMES, seed=1)
    same = await there.recommend("anime girl", NAMES, seed=1)
    await here.close()
    await there.close()

    assert before.confidence == 0.0
    assert after.confidence > 0.3
    assert after == same


async def test_with_a_seed_the_answer_repeats_and_without_one_chance_is_drawn_anew(database: str) -> None:
    """Remembering must not freeze exploration."""
    service = await PreferenceService.open(database)
    await teach(service, rounds=2)
    names = [*"abcdefghijkl"]

    seeded = [await service.recommend("anime girl", names, seed=7) for _ in range(3)]
    drawn = {(await service.recommend("anime girl", names, stage="draft")).checkpoints for _ in range(20)}
    bounds = {(await service.recommend("anime girl", names)).checkpoints for _ in range(20)}
    await service.close()

    assert seeded[0] == seeded[1] == seeded[2]
    assert len(drawn) > 1
    assert len(bounds) == 1


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_remembered_ranking_answers_as_a_new_one(database_file: Path, policy: str) -> None:
    """Whatever was asked before: without a seed, for other branches, or with names spelled otherwise."""
    taught = await PreferenceService.open(database_file)
    await teach(taught, rounds=9)
    for names in (NAMES, ["a", "x\\b", "c", "x\\d"], ["a", "x/b", "c", "x/d"]):
        await taught.recommend("anime girl", names, policy=policy)
        for stage in ("final", "draft"):
            fresh = await PreferenceService.open(database_file)
            here = await taught.recommend("anime girl", names, policy=policy, seed=3, stage=stage)
            there = await fresh.recommend("anime girl", names, policy=policy, seed=3, stage=stage)
            await fresh.close()
            assert here == there
    await taught.close()


async def test_nothing_is_read_again_while_nothing_was_taught(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked up twice, also for another policy: a server only says that nothing came."""
    service = await PreferenceService.open(database)
    await teach(service, rounds=2)
    reads = 0
    read = Database.read

    async def counted(opened: Database, work: object, **how: bool) -> object:
        nonlocal reads
        reads += 1
        return await read(opened, work, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "read", counted)
    for policy in ("bayesian", "bayesian", "ucb", "counts"):
        await service.recommend("anime girl", NAMES, policy=policy)
    await service.close()

    assert reads == 1


async def test_a_database_in_memory_remembers_nothing() -> None:
    """Only a file can tell that it was changed; learning in memory is seen all the same."""
    service = await PreferenceService.open(":memory:")
    before = await service.recommend("anime girl", NAMES, seed=1)
    await teach(service, rounds=12)
    after = await service.recommend("anime girl", NAMES, seed=1)
    await service.close()

    assert before.confidence < after.confidence


async def test_a_commit_that_was_under_way_is_another_version(database: str) -> None:
    """What was remembered while somebody's verdict was written, and not yet stored, does not outlive it."""
    here, there = [await Database.open(database) for _ in range(2)]
    written, seen = asyncio.Event(), asyncio.Event()

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(update(keywords).where(keywords.c.id == OVERALL_ID).values(rounds=1.0))
        written.set()
        await seen.wait()

    writing = asyncio.create_task(there.write(write))
    await written.wait()

    async def rounds(connection: AsyncConnection) -> float:
        return float((await connection.execute(ROUNDS)).scalar_one())

    during, before = await read_at_version(here, rounds)
    still = await here.version()
    seen.set()
    await writing
    after, learned = await read_at_version(here, rounds)
    same = await here.version()
    await here.close()
    await there.close()

    assert (before, learned) == (0.0, 1.0)
    assert during == still != after == same


@pytest.mark.postgres
async def test_a_server_that_hangs_up_is_asked_anew(postgres_url: str) -> None:
    """The connection that only tells of commits was cut: the next answer comes over another one."""
    service, other = [await PreferenceService.open(postgres_url) for _ in range(2)]
    await teach(service, rounds=2)
    before = [await service.recommend("anime girl", NAMES, seed=1) for _ in range(2)]
    cut = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    await other._database.read(lambda connection: connection.execute(cut))
    await asyncio.sleep(0.1)  # until this end has heard of it too
    after = [await service.recommend("anime girl", NAMES, seed=1) for _ in range(2)]
    version = await service._database.version()
    await service.close()
    await other.close()

    assert {str(answer) for answer in (*before, *after)} == {str(before[0])}
    assert version is not None
