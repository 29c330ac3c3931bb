"""The statistics are sums over the log: whatever is judged and withdrawn, they equal what a rebuild computes."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from context_checkpoint import learning
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.values import Shown

NAMES = [f"checkpoint {number}.safetensors" for number in range(6)]
WORDS = ["anime", "girl", "portrait", "photo", "(neon:1.37)", "city", "[fog]", "oil painting", "long hair"]


async def random_history(service: PreferenceService, rounds: int, seed: int) -> None:
    """A person who judges, changes their mind and withdraws, by positions and at random."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    ids: list[tuple[str, int]] = []
    for number in range(rounds):
        recommendation = await service.recommend(", ".join(chance.sample(WORDS, 3)), NAMES, stage="draft", seed=number)
        images = {name: chance.randint(1, 3) for name in recommendation.checkpoints}
        ids.append((await service.log_generation(recommendation, images), sum(images.values())))
        for _ in range(chance.randint(0, 3)):
            generation_id, count = chance.choice(ids)
            positions = chance.sample(range(count), chance.randint(0, count))
            cut = chance.randint(0, len(positions))
            await service.record_feedback(
                generation_id, selected_images=positions[:cut], rejected_images=positions[cut:]
            )


async def everything(service: PreferenceService) -> list[object]:
    """All numbers that are learned, to the last bit."""

    async def read(connection: object) -> list[object]:
        pairs = await connection.execute(text("SELECT * FROM pair_statistics ORDER BY keyword_id, checkpoint_id"))
        rounds = await connection.execute(text("SELECT id, rounds FROM keywords ORDER BY id"))
        return [tuple(map(_bits, row)) for row in (*pairs, *rounds)]

    return await service._database.read(read)


def _bits(number: float) -> object:
    return number.hex() if isinstance(number, float) else number


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_rebuilding_gives_the_same_bits_as_every_verdict_on_its_way(
    service: PreferenceService, seed: int
) -> None:
    """Replaced and withdrawn verdicts leave no trace, not even of rounding."""
    await random_history(service, rounds=25, seed=seed)
    before = await everything(service)

    report = await service.rebuild()

    assert report.corrected == 0
    assert report.pairs > 20
    assert await everything(service) == before


async def test_the_store_and_the_tally_in_memory_agree(service: PreferenceService) -> None:
    """SQL adds up what `statistics` computes, nothing more and nothing less."""
    await random_history(service, rounds=20, seed=4)
    tally = Accumulator()
    for generation in await service.generations(limit=1000, judged=True):
        parts: dict[str, Shown] = {}
        for image in generation.images:
            part = parts.get(image.file.checkpoint) or Shown(image.file.checkpoint, 0)
            parts[image.file.checkpoint] = Shown(
                part.checkpoint,
                part.images + 1,
                part.selected + (image.verdict == "selected"),
                part.rejected + (image.verdict == "rejected"),
            )
        tally.add(Comparison(generation.keywords, tuple(parts.values()), generation.stage))

    report = await service.statistics(limit=10_000)

    counted = {pair: (sums.selected, sums.total, sums.rounds) for pair, sums in tally.pairs.items()}
    stored = {(row.keyword, row.checkpoint): (row.selected, row.total, row.rounds) for row in report.pairs}
    stored |= {("", row.checkpoint): (row.selected, row.total, row.rounds) for row in report.checkpoints}
    assert stored == counted


async def test_rebuilding_mends_what_somebody_changed_by_hand(
    sqlite_service: PreferenceService, database_file: Path
) -> None:
    """The log is the truth, and the report says how much differed."""
    await random_history(sqlite_service, rounds=10, seed=5)
    before = await everything(sqlite_service)
    with sqlite3.connect(database_file) as connection:
        connection.execute("UPDATE pair_statistics SET selected = selected + 7 WHERE keyword_id = 0")
        connection.execute("UPDATE keywords SET rounds = 99 WHERE text = 'anime'")
    connection.close()

    report = await sqlite_service.rebuild()

    assert report.corrected >= 2
    assert await everything(sqlite_service) == before


async def test_another_formula_recomputes_on_opening(database_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums made by an older version cannot be subtracted from by this one."""
    service = await PreferenceService.open(database_file)
    await random_history(service, rounds=10, seed=6)
    before = await everything(service)
    await service.close()
    with sqlite3.connect(database_file) as connection:
        connection.execute("UPDATE learned_state SET formula = formula - 1")
        connection.execute("UPDATE pair_statistics SET score = score * 2")
    connection.close()

    service = await PreferenceService.open(database_file)
    after = await everything(service)
    await service.close()

    assert after == before


async def test_many_clients_at_once_lose_nothing(service: PreferenceService) -> None:
    """Forty verdicts in flight on one database count forty times."""
    recommendation = await service.recommend("anime girl", NAMES, stage="draft")
    ids = await asyncio.gather(*(service.log_generation(recommendation, {NAMES[0]: 1, NAMES[1]: 1}) for _ in range(40)))

    await asyncio.gather(*(service.record_feedback(one, {NAMES[0]: 1}, {NAMES[1]: 1}) for one in ids))

    rows = {row.checkpoint: (row.selected, row.total) for row in (await service.statistics()).checkpoints}
    assert rows == {NAMES[0]: (40, 40), NAMES[1]: (0, 40)}


async def test_two_processes_worth_of_services_share_what_they_learn(database: str) -> None:
    """A second service on the same database sees every verdict at once, and neither waits for ever."""
    one, two = await PreferenceService.open(database), await PreferenceService.open(database)

    async def teach(service: PreferenceService, winner: str) -> None:
        for _ in range(10):
            recommendation = await service.recommend("anime girl", NAMES, stage="draft")
            generation_id = await service.log_generation(recommendation, {NAMES[0]: 1, NAMES[1]: 1})
            await service.record_feedback(generation_id, {winner: 1})

    before = await one.learned_version()
    await asyncio.gather(teach(one, NAMES[0]), teach(two, NAMES[1]))

    assert await one.learned_version() == await two.learned_version() != before
    report = await one.statistics()
    assert {row.checkpoint: row.selected for row in report.checkpoints} == {NAMES[0]: 10, NAMES[1]: 10}
    assert report == await two.statistics()
    report = await two.rebuild()
    assert report.corrected == 0
    await one.close()
    await two.close()


class TestQueriesOfPeople:
    """What the document and docs/data.md let people ask the database with any tool."""

    async def test_the_documents_monitoring_query_runs_as_printed(
        self, sqlite_service: PreferenceService, database_file: Path
    ) -> None:
        """Average confidence per session."""
        recommendation = await sqlite_service.recommend("anime", NAMES)
        await sqlite_service.log_generation(recommendation, {NAMES[0]: 1}, session_id="monday")
        await sqlite_service.log_generation(recommendation, {NAMES[0]: 1}, session_id="monday")

        with sqlite3.connect(database_file) as connection:
            rows = connection.execute(
                """
                -- Average confidence per session
                SELECT
                    session_id,
                    AVG(confidence) as avg_confidence,
                    COUNT(*) as generation_count
                FROM generation_logs
                GROUP BY session_id
                ORDER BY avg_confidence DESC;
                """
            ).fetchall()
        connection.close()

        assert rows == [("monday", 0.0, 2)]

    async def test_preference_stats_is_the_documents_table(self, service: PreferenceService) -> None:
        """(keyword, checkpoint, selected, total), for every pair that was judged."""
        recommendation = await service.recommend("photorealistic portrait of a woman", NAMES, stage="draft")
        generation_id = await service.log_generation(recommendation, {"sub\\a": 2, "b": 1})
        await service.record_feedback(generation_id, {"sub\\a": 2}, {"b": 1})

        async def read(connection: object) -> list[tuple[object, ...]]:
            rows = await connection.execute(
                text("SELECT keyword, checkpoint, selected, total FROM preference_stats ORDER BY 1, 2")
            )
            return [tuple(row) for row in rows]

        assert await service._database.read(read) == [
            (keyword, checkpoint, selected, total)
            for keyword in ("photorealistic", "photorealistic portrait", "portrait", "woman")
            for checkpoint, selected, total in (("b", 0, 1), ("sub/a", 2, 2))
        ]

    async def test_image_verdicts_tells_the_newest_word_on_every_image(self, service: PreferenceService) -> None:
        """One row per image; NULL where there is no verdict."""
        recommendation = await service.recommend("anime", NAMES)
        generation_id = await service.log_generation(recommendation, {"a": 2, "b": 1}, session_id="s")
        await service.record_feedback(generation_id, {"b": 1})
        await service.record_feedback(generation_id, selected_images=[1], rejected_images=[2])

        async def read(connection: object) -> list[tuple[object, ...]]:
            rows = await connection.execute(
                text("SELECT position, checkpoint, verdict FROM image_verdicts ORDER BY position")
            )
            return [tuple(row) for row in rows]

        assert await service._database.read(read) == [
            (0, "a", None),
            (1, "a", "selected"),
            (2, "b", "rejected"),
        ]

    async def test_former_verdicts_stay_in_the_log(self, service: PreferenceService) -> None:
        """Appended, never destroyed."""
        recommendation = await service.recommend("anime", NAMES)
        generation_id = await service.log_generation(recommendation, {"a": 1, "b": 1})
        for verdict in ({"selected": {"a": 1}}, {"selected": {"b": 1}}, {}):
            await service.record_feedback(generation_id, **verdict)

        async def read(connection: object) -> list[str]:
            return list((await connection.execute(text("SELECT marks FROM verdicts ORDER BY number"))).scalars())

        assert await service._database.read(read) == ["+.", ".+", ".."]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with 150 generations of three images, twelve keywords and a verdict each."""
    path = tmp_path_factory.mktemp("judged") / "preferences.db"
    chance = random.Random(1)  # noqa: S311 - not for secrets
    words = [f"word{number}" for number in range(300)]

    async def fill() -> None:
        service = await PreferenceService.open(path)
        for number in range(150):
            prompt = ", ".join(chance.sample(words, 12))
            recommendation = await service.recommend(prompt, NAMES, stage="draft", seed=number)
            generation_id = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))
            best, *others = recommendation.checkpoints
            await service.record_feedback(generation_id, {best: 1}, dict.fromkeys(others, 1))
        await service.close()

    asyncio.run(fill())
    return path


def test_a_preference_record_takes_at_most_a_hundred_bytes(judged: Path) -> None:
    """Pages of the pair table, divided by its rows; the texts are stored once elsewhere."""
    connection = sqlite3.connect(judged)
    rows = connection.execute("SELECT COUNT(*) FROM pair_statistics").fetchone()[0]
    try:
        size = connection.execute(
            "SELECT SUM(pgsize) FROM dbstat WHERE name IN ('pair_statistics', 'keywords', 'checkpoints')"
        ).fetchone()[0]
    except sqlite3.OperationalError:
        pytest.skip("this SQLite was built without dbstat")
    finally:
        connection.close()

    assert rows > 500
    assert size / rows <= 100


def documented_queries() -> list[str]:
    """The SQL of docs/data.md, as printed."""
    page = (Path(learning.__file__).resolve().parent.parent / "docs" / "data.md").read_text("utf-8")
    return re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("query", documented_queries(), ids=lambda query: query.strip().split("\n")[0])
async def test_the_queries_of_the_documentation_run_as_printed(service: PreferenceService, query: str) -> None:
    """On SQLite and on PostgreSQL, and each finds something in a history of a few rounds."""
    recommendation = await service.recommend("anime girl", NAMES, stage="draft")
    for verdict in ({"selected": {"a": 5}}, {"rejected": {"a": 5, "b": 1}}, {}):
        generation_id = await service.log_generation(recommendation, {"a": 5, "b": 1}, session_id="monday")
        await service.record_feedback(generation_id, **verdict)

    async def read(connection: object) -> list[object]:
        return list(await connection.execute(text(query)))

    assert await service._database.read(read)


def test_the_documentation_has_the_documents_query() -> None:
    """And no query has been lost."""
    assert len(documented_queries()) == 6
    assert "AVG(confidence) as avg_confidence" in documented_queries()[0]
