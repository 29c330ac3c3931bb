"""How it went over time, read back from the log, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.reports import PairOrder
from context_checkpoint.learning.store import generations as log_store
from context_checkpoint.learning.store import overview as progress_store
from context_checkpoint.learning.values import Recommendation, Strategy

A, B, C = "a.safetensors", "folder/b.safetensors", "c.safetensors"


async def logged(
    service: PreferenceService,
    *names: str,
    strategy: Strategy = "explore",
    confidence: float = 0.2,
    fallback: bool = False,
    prompt: str = "a portrait",
) -> str:
    """Log one image of each checkpoint, in this order."""
    plan = await service.recommend(prompt, [A, B, C])
    plan = Recommendation(
        prompt=prompt,
        checkpoints=names,
        confidence=confidence,
        strategy=strategy,
        scores={},
        policy=plan.policy,
        keywords=plan.keywords,
        explanation="",
        fallback=fallback,
    )
    return await service.log_generation(plan, dict.fromkeys(names, 1))


class TestSeries:
    async def test_without_generations_it_is_empty(self, service: PreferenceService) -> None:
        """Nothing was done, so there is nothing to draw."""
        assert await service.series(10) == ()

    async def test_points_are_groups_of_neighbours_and_add_up_to_all(self, service: PreferenceService) -> None:
        """Ten generations in four points: oldest first, none lost, none counted twice."""
        for number in range(10):
            await logged(service, A, B, confidence=number / 10)

        points = await service.series(4)

        assert [point.generations for point in points] == [3, 2, 3, 2]
        assert [round(point.confidence, 6) for point in points] == [0.3, 0.7, 1.8, 1.7]
        assert points[0].first_at <= points[0].last_at <= points[1].first_at

    async def test_more_points_than_generations_are_one_each(self, service: PreferenceService) -> None:
        """No point is empty."""
        for _ in range(3):
            await logged(service, A)

        assert [point.generations for point in await service.series(100)] == [1, 1, 1]

    async def test_it_agreed_where_the_checkpoint_shown_first_was_picked(self, service: PreferenceService) -> None:
        """Unjudged, withdrawn and rejected rounds are no agreement; the newest verdict counts."""
        first = await logged(service, A, B)
        second = await logged(service, A, B)
        withdrawn = await logged(service, A, B)
        rejected = await logged(service, A, B)
        await logged(service, A, B)
        await service.record_feedback(first, selected={A: 1})
        await service.record_feedback(second, selected={A: 1})
        await service.record_feedback(second, selected={B: 1}, rejected={A: 1})
        await service.record_feedback(withdrawn, selected={A: 1})
        await service.record_feedback(withdrawn)
        await service.record_feedback(rejected, rejected={A: 1, B: 1})

        (all_of_it,) = await service.series(1)

        assert (all_of_it.generations, all_of_it.judged, all_of_it.agreed) == (5, 3, 1)

    async def test_saved_is_what_three_would_have_made_in_addition(self, service: PreferenceService) -> None:
        """A fallback saved nothing by learning, and more than three images save none."""
        await logged(service, A, strategy="exploit")
        await logged(service, A, B, strategy="exploit_explore")
        await logged(service, A, B, C)
        await logged(service, A, strategy="exploit", fallback=True)

        (all_of_it,) = await service.series(1)

        assert (all_of_it.images, all_of_it.images_saved, all_of_it.exploited) == (7, 3, 1)


async def test_images_are_counted_per_checkpoint_judged_or_not(service: PreferenceService) -> None:
    """The images of a checkpoint, judged or not."""
    await logged(service, A, B)
    await service.record_feedback(await logged(service, A), selected={A: 1})

    assert await service.images_shown() == {A: 2, B: 1}


class TestPairs:
    @pytest.fixture
    async def service(self, service: PreferenceService) -> PreferenceService:
        """A was picked for portraits, B for castles at 100 %."""
        portrait = await logged(service, A, B, prompt="portrait")
        castle = await logged(service, B, A, prompt="castle, 100% stone_wall")
        await service.record_feedback(portrait, selected={A: 1}, rejected={B: 1})
        await service.record_feedback(castle, selected={B: 1}, rejected={A: 1})
        return service

    @pytest.mark.parametrize(
        ("search", "expected"),
        [
            ("PORT", {("portrait", A), ("portrait", B)}),
            ("castle", {("castle", A), ("castle", B)}),
            ("nothing like it", set()),
        ],
    )
    async def test_a_search_finds_part_of_a_keyword_in_any_case(
        self, service: PreferenceService, search: str, expected: set[tuple[str, str]]
    ) -> None:
        """As a person types it."""
        rows, number = await service.pairs(search=search)

        assert {(row.keyword, row.checkpoint) for row in rows} == expected
        assert number == len(expected)

    async def test_a_search_finds_part_of_a_checkpoint_s_name(self, service: PreferenceService) -> None:
        """Also its folder."""
        rows, _ = await service.pairs(search="Folder/")

        assert {row.checkpoint for row in rows} == {B}
        assert {"portrait", "castle"} <= {row.keyword for row in rows}

    @pytest.mark.parametrize("search", ["%", "_", "\\"])
    async def test_what_means_anything_to_sql_means_itself(self, service: PreferenceService, search: str) -> None:
        """None of them stands for other letters."""
        rows, _ = await service.pairs(search=search)

        assert all(search in row.keyword or search in row.checkpoint for row in rows)

    @pytest.mark.parametrize("sort", ["total", "selected", "rate", "rounds", "keyword", "checkpoint"])
    async def test_rows_are_sorted_by_any_column_both_ways(self, service: PreferenceService, sort: PairOrder) -> None:
        """The same rows, and each way in order."""

        def value(row: Any) -> Any:
            return row.selected / row.total if sort == "rate" else getattr(row, sort)

        up, _ = await service.pairs(sort=sort, descending=False)
        down, _ = await service.pairs(sort=sort, descending=True)

        assert [value(row) for row in up] == sorted(value(row) for row in up)
        assert [value(row) for row in down] == [value(row) for row in up][::-1]
        assert set(up) == set(down)


async def test_generations_are_found_by_keyword_and_checkpoint(service: PreferenceService) -> None:
    """The evidence behind one row of the table."""
    await logged(service, A, prompt="portrait")
    wanted = await logged(service, A, B, prompt="portrait")
    await logged(service, B, prompt="castle")

    generations = await service.generations(keyword="portrait", checkpoint=B.replace("/", "\\"))

    assert [generation.id for generation in generations] == [wanted]
    assert await service.generations(keyword="unheard of") == []


async def test_a_generation_that_has_a_keyword_twice_is_found_once(service: PreferenceService) -> None:
    """Other programs may log a keyword twice; pages of its generations go on from each other all the same."""
    plan = await service.recommend("portrait", [A])
    twice = replace(plan, keywords=(*plan.keywords, *plan.keywords))
    generation_ids = [await service.log_generation(twice, {A: 1}) for _ in range(3)]

    first = await service.generations(keyword="portrait", limit=2)
    rest = await service.generations(keyword="portrait", limit=2, before=first[-1].id)

    assert [generation.id for generation in (*first, *rest)] == generation_ids[::-1]


class TestPlans:
    """What SQLite does for a question, whatever the size: no test of time could say it as surely."""

    async def test_generations_of_a_keyword_are_found_by_an_index(
        self, sqlite_service: PreferenceService, database_file: Path
    ) -> None:
        """A rare word of 100,000 generations is not searched for in all of them."""
        plan = await plans(
            database_file,
            lambda connection: log_store.newest(
                connection,
                limit=20,
                before=None,
                session_id=None,
                prompt_id=None,
                judged=None,
                keyword="portrait",
                checkpoint=A,
            ),
        )

        assert any("generation_keywords_keyword_id" in step for step in plan)
        assert not any(step.startswith(("SCAN generation_keywords", "SCAN keywords")) for step in plan)

    async def test_the_series_reads_the_log_once(self, sqlite_service: PreferenceService, database_file: Path) -> None:
        """Each table is scanned at most once; the verdicts and the images of a round are looked up."""
        await logged(sqlite_service, A, B)

        plan = await plans(database_file, lambda connection: progress_store.series(connection, 60))

        scans = [step for step in plan if step.startswith("SCAN")]
        assert sum("generation_images" in step for step in scans) <= 1
        assert sum("generation_logs" in step for step in scans) <= 1
        assert not any("SCAN verdicts" in step for step in scans)
        assert any("verdicts_generation_number" in step for step in plan)


async def plans(file: Path, query: Callable[[AsyncConnection], Awaitable[Any]]) -> list[str]:
    """What SQLite would do for each statement that a question executes."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    executed: list[tuple[str, Any]] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        executed.append((statement, parameters))

    async with engine.connect() as connection:
        await query(connection)
    await engine.dispose()
    database = sqlite3.connect(file)
    try:
        return [
            row[3]
            for statement, parameters in executed
            for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    finally:
        database.close()
