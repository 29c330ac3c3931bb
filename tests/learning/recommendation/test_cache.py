"""A decision is given again while nothing changes, and never outlives the next commit, whoever makes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.database.schema import OVERALL_ID, keywords
from context_checkpoint.learning.model.evidence import Evidence
from context_checkpoint.learning.policies import POLICIES
from context_checkpoint.learning.recommendation.cache import DecisionCache
from context_checkpoint.learning.recommendation.decision import Decision, ask, decide
from tests.learning.database.test_faults import teach

NAMES = ["a", "b", "c"]


def decided(prompt: str, seed: int | None = 1) -> Decision:
    question = ask(
        prompt, NAMES, policy="bayesian", stage="final", explore=True, max_branches=3, seed=seed, thresholds=None
    )
    return decide(question, Evidence())


class TestTheMapping:
    def test_it_gives_a_decision_again_for_the_same_question_and_version(self) -> None:
        """Every part of a question counts."""
        cache, decision = DecisionCache(), decided("cat")
        assert cache.get(decision.question, 1) is None
        cache.put(decision, 1)
        assert cache.get(decided("cat").question, 1) is decision
        for other in (
            decided("dog").question,
            decided("cat", seed=2).question,
            replace(decision.question, candidates=("b", "a", "c")),
            replace(decision.question, half_life=3.0),
            replace(decision.question, pinned=frozenset({"b"})),
        ):
            assert cache.get(other, 1) is None

    def test_another_version_empties_it(self) -> None:
        """What was decided before a commit is gone, also when an old version is seen again."""
        cache, decision = DecisionCache(), decided("cat")
        cache.get(decision.question, 1)
        cache.put(decision, 1)
        assert cache.get(decision.question, 2) is None
        assert cache.get(decision.question, 1) is None

    def test_a_decision_that_a_commit_overtook_is_not_kept(self) -> None:
        """Its evidence was read before the version that others have seen meanwhile."""
        cache, decision = DecisionCache(), decided("cat")
        cache.get(decision.question, 1)
        cache.get(decision.question, 2)
        cache.put(decision, 1)
        assert cache.get(decision.question, 2) is None

    @pytest.mark.parametrize(("seed", "version"), [(None, 1), (1, None)])
    def test_without_a_seed_or_a_version_nothing_is_kept(self, seed: int | None, version: int | None) -> None:
        """Chance is drawn again, and a database that cannot tell its state is read again."""
        cache, decision = DecisionCache(), decided("cat", seed)
        cache.get(decision.question, version)
        cache.put(decision, version)
        assert cache.get(decision.question, version) is None

    def test_the_least_recently_used_goes_first(self) -> None:
        """It is bounded."""
        cache = DecisionCache(size=2)
        cat, dog, owl = map(decided, ("cat", "dog", "owl"))
        cache.get(cat.question, 1)
        cache.put(cat, 1)
        cache.put(dog, 1)
        cache.get(cat.question, 1)
        cache.put(owl, 1)
        assert [cache.get(each.question, 1) for each in (cat, dog, owl)] == [cat, None, owl]


async def test_a_verdict_of_another_process_counts_in_the_very_next_answer(database: str) -> None:
    """Another connection committed: the evidence is read again."""
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


async def test_with_a_seed_the_answer_repeats_and_without_one_chance_is_drawn_again(database: str) -> None:
    """The cache must not freeze exploration."""
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
async def test_a_repeated_answer_is_that_of_a_fresh_process(database_file: Path, policy: str) -> None:
    """Whatever was asked before: with another stage, or with names spelled otherwise."""
    service = await PreferenceService.open(database_file)
    await teach(service, rounds=9)
    for names in (NAMES, ["a", "x\\b", "c", "x\\d"], ["a", "x/b", "c", "x/d"]):
        for stage in ("final", "draft"):
            fresh = await PreferenceService.open(database_file)
            expected = await fresh.recommend("anime girl", names, policy=policy, seed=3, stage=stage)
            await fresh.close()
            answers = [
                await service.recommend("anime girl", names, policy=policy, seed=3, stage=stage) for _ in range(2)
            ]
            assert answers == [expected, expected]
    await service.close()


async def test_nothing_is_read_again_while_nothing_changes(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file tells without being read whether somebody has committed."""
    service = await PreferenceService.open(database_file)
    await teach(service, rounds=2)
    reads = 0
    read = Database.read

    async def counted(database: Database, work: object, **how: bool) -> object:
        nonlocal reads
        reads += 1
        return await read(database, work, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "read", counted)
    for _ in range(3):
        await service.recommend("anime girl", NAMES, seed=1)
    await service.close()

    assert reads == 1


async def test_a_database_in_memory_is_read_each_time() -> None:
    """Only a file can tell that it was changed; learning in memory is seen all the same."""
    service = await PreferenceService.open(":memory:")
    before = await service.recommend("anime girl", NAMES, seed=1)
    await teach(service, rounds=12)
    after = await service.recommend("anime girl", NAMES, seed=1)
    await service.close()

    assert before.confidence < after.confidence


async def test_only_a_commit_is_another_version(database_file: Path) -> None:
    """Not a write that is still under way, nor a read; but the commit of another process."""
    here, there = [await Database.open(database_file) for _ in range(2)]
    written, seen = asyncio.Event(), asyncio.Event()

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(update(keywords).where(keywords.c.id == OVERALL_ID).values(rounds=1.0))
        written.set()
        await seen.wait()

    before = await here.version()
    writing = asyncio.create_task(there.write(write))
    await written.wait()
    during = await here.version()
    seen.set()
    await writing
    after = await here.version()
    again = await here.version()
    await here.close()
    await there.close()

    assert before is not None
    assert before == during != after == again
