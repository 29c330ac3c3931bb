"""Images that are there teach once, are listed, and are taken back without a trace."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.schema import checkpoints, keywords, pair_statistics
from context_checkpoint.learning.errors import InvalidRequest, StoreUnavailable
from context_checkpoint.learning.service import importing
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.recipes import Recipe
from tests.learning.conftest import ChangingSettings
from tests.learning.store.test_statistics import NAMES as ALL_NAMES
from tests.learning.store.test_statistics import random_history

NAMES = ALL_NAMES[:3]
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def recipe(model: str | None, prompt: str = "anime girl, flowers", minutes: float = 0, **more: Any) -> Recipe:
    """One that was made so many minutes after noon of a day in the past."""
    fields = {"seed": 1, "steps": 20, "made_at": NOON + timedelta(minutes=minutes), **more}
    return Recipe(model=model, positive=prompt, **fields)


def rated_and_unrated(count: int) -> list[tuple[Recipe, float | None]]:
    """Three images every two hours; in every second comparison the first was starred."""
    return [
        (recipe(name, f"anime girl, place {number}", 120 * number + place, seed=number), rating)
        for number in range(count)
        for place, name in enumerate(NAMES)
        for rating in [(1.0 if place == 0 else 0.2) if number % 2 else None]
    ]


async def statistics(service: PreferenceService) -> dict[tuple[str, ...], tuple[float, ...]]:
    """All that was learned, to the last bit, by its texts; ids differ from database to database."""
    of_pairs = select(keywords.c.text, checkpoints.c.name, pair_statistics).select_from(
        pair_statistics.join(keywords).join(checkpoints)
    )

    async def read(connection: AsyncConnection) -> dict[tuple[str, ...], tuple[float, ...]]:
        pairs = {(row[0], row[1]): tuple(row[4:]) for row in await connection.execute(of_pairs)}
        words = {(row.text,): tuple(row[2:]) for row in await connection.execute(select(keywords))}
        return pairs | {text: sums for text, sums in words.items() if any(sums)}

    return await service._database.read(read)


async def test_rated_images_of_one_prompt_and_time_are_one_comparison(service: PreferenceService) -> None:
    """What was rated above one half was kept; what was not rated was seen beside it."""
    await service.import_recipes(
        [
            (recipe("a", minutes=0), 0.8),
            (recipe("b", minutes=20), 0.5),
            (recipe("c", "flowers, (anime girl:1.2)", 60, seed=2), None),
            (recipe("a", "oil painting", 30), 1.0),
            (recipe("a", minutes=200), 0.1),
        ],
        batch="mine",
    )

    together, alone, later = sorted(await service.generations(), key=lambda each: len(each.images), reverse=True)
    if alone.created_at > later.created_at:
        alone, later = later, alone

    assert [(image.file.checkpoint, image.verdict) for image in together.images] == [
        ("a", "selected"),
        ("b", "rejected"),
        ("c", None),
    ]
    assert together.created_at == together.judged_at == NOON + timedelta(minutes=60)
    assert (together.policy, together.session_id) == ("imported", "import:mine")
    assert [image.verdict for image in (*alone.images, *later.images)] == ["selected", "rejected"]
    rows = {row.checkpoint: (row.selected, row.total) for row in await service.checkpoints()}
    assert rows == {"a": (2, 3), "b": (0, 1)}


async def test_rated_images_teach_as_verdicts_do(service: PreferenceService) -> None:
    """After as many as teach in use, their winner leads."""
    rated = [
        (recipe(name, "anime girl", 120 * number + place, seed=number), float(name == NAMES[1]))
        for number in range(12)
        for place, name in enumerate(NAMES)
    ]
    await service.import_recipes(rated, batch="mine")

    recommendation = await service.recommend("anime girl", NAMES)

    assert recommendation.checkpoints[0] == NAMES[1]
    assert recommendation.confidence > 0.5


async def test_the_same_images_again_change_nothing(service: PreferenceService) -> None:
    """Nor do they in another batch, in another order, or twice in one list."""
    images = rated_and_unrated(8)
    first = await service.import_recipes(images, batch="mine")
    before = await statistics(service)

    again = await service.import_recipes(images[::-1] + images[:3], batch="other")

    assert (first.images, first.added, first.rated, first.known) == (24, 24, 12, 0)
    assert (again.images, again.added, again.known) == (27, 0, 27)
    assert await statistics(service) == before
    assert [batch.name for batch in await service.imports()] == ["mine"]


async def test_an_id_of_the_callers_tells_images_apart(service: PreferenceService) -> None:
    """Two files with one recipe are two images; one file is one, whatever its recipe says by now."""
    same = [(recipe("a"), 1.0), (recipe("a"), 1.0)]

    two = await service.import_recipes(same, batch="mine", ids=["one.png", "two.png"])
    one = await service.import_recipes([(recipe("b"), None)], batch="mine", ids=["two.png"])

    assert (two.added, one.added, one.known) == (2, 0, 1)


async def test_an_image_that_was_rated_since_teaches_then(service: PreferenceService) -> None:
    """A verdict that is there stays: it may have been changed here since. Undone, nothing is left of either."""
    before = await statistics(service)
    unrated = [(recipe(name, minutes=place), None) for place, name in enumerate(NAMES)]
    await service.import_recipes(unrated, batch="mine")
    rated = [(image, float(place == 1)) for place, (image, _) in enumerate(unrated)]

    first = await service.import_recipes(rated, batch="mine")
    after = await statistics(service)
    again = await service.import_recipes([(image, 1.0 - rating) for image, rating in rated], batch="mine")

    (generation,) = await service.generations()
    assert [image.verdict for image in generation.images] == ["rejected", "selected", "rejected"]
    assert (first.known, first.newly_rated, again.newly_rated) == (3, 3, 0)
    assert await statistics(service) == after
    assert (await service.imports())[0].rated == 3
    assert (await service.rebuild()).corrected == 0
    await service.undo_import("mine")
    assert await statistics(service) == before


@pytest.mark.parametrize("judged_before", [0, 7])
async def test_an_import_is_undone_to_the_bit(service: PreferenceService, judged_before: int) -> None:
    """All sums are those of a database that never saw it, and a rebuild agrees."""
    await random_history(service, judged_before, seed=5)
    before = await statistics(service)
    await service.import_recipes(rated_and_unrated(130), batch="mine")
    await service.import_recipes([(recipe("a", "another one"), 1.0)], batch="other")
    between = await statistics(service)

    undone = [await service.undo_import(name) for name in ("mine", "other")]

    assert undone == [130, 1]
    assert between != before
    assert await statistics(service) == before
    assert (await service.rebuild()).corrected == 0
    assert await service.imports() == ()
    with pytest.raises(InvalidRequest) as raised:
        await service.undo_import("mine")
    assert raised.value.code == "unknown_import"


async def test_an_interrupted_import_goes_on(
    sqlite_service: PreferenceService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It ends with what it would have ended with; each page is a transaction of its own."""
    images = rated_and_unrated(60)
    whole = await PreferenceService.open(tmp_path / "whole.db")
    await whole.import_recipes(images, batch="mine")

    def stop(done: int, of: int) -> None:
        if done > of / 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await sqlite_service.import_recipes(images, batch="mine", on_progress=stop)
    (half,) = await sqlite_service.imports()
    report = await sqlite_service.import_recipes(images, batch="mine")
    (all_of_it,) = await sqlite_service.imports()

    assert half.images == report.known == 3 * 2 * importing._PAGE
    assert (report.added, all_of_it.images, all_of_it.rated) == (180 - half.images, 180, 90)
    assert await statistics(sqlite_service) == await statistics(whole)
    await whole.close()


async def test_verdicts_are_stored_while_an_import_goes_on(sqlite_service: PreferenceService) -> None:
    """No transaction of it is long."""
    task = asyncio.create_task(sqlite_service.import_recipes(rated_and_unrated(300), batch="mine"))
    await asyncio.sleep(0)
    waited = []
    while not task.done():
        recommendation = await sqlite_service.recommend("oil painting", NAMES)
        began = asyncio.get_running_loop().time()
        generation_id = await sqlite_service.log_generation(recommendation, {NAMES[0]: 1})
        await sqlite_service.record_feedback(generation_id, {NAMES[0]: 1})
        waited.append(asyncio.get_running_loop().time() - began)

    assert (await task).added == 900
    assert len(waited) > 5
    assert max(waited) < 5.0


async def test_an_import_says_what_it_holds(service: PreferenceService) -> None:
    """How many images each checkpoint made, how many are rated, and from when to when."""
    await service.import_recipes([(recipe("a"), None), (recipe("sdxl\\b", minutes=90), 0.9)], batch="mine")
    await service.import_recipes([(recipe("c", minutes=5), None)], batch="newer")

    newer, mine = await service.imports()

    assert (newer.name, newer.images, newer.rated) == ("newer", 1, 0)
    assert (mine.images, mine.rated, mine.checkpoints) == (2, 1, {"a": 1, "sdxl/b": 1})
    assert (mine.first_at, mine.last_at) == (NOON, NOON + timedelta(minutes=90))


async def test_moments_that_are_missing_or_to_come_are_handled_and_counted(database_file: Path) -> None:
    """The one takes that of the image before it, the other the present one."""
    service = await PreferenceService.open(database_file, clock=lambda: NOON)
    report = await service.import_recipes(
        [
            (recipe("a", "one", -60), 1.0),
            (recipe("a", "two", made_at=None), 1.0),
            (recipe("a", "three", 10_000), 1.0),
            (recipe("a", "four", made_at=datetime(2026, 1, 31, 9)), 1.0),
        ],
        batch="mine",
    )
    made = {each.prompt: each.created_at for each in await service.generations()}
    await service.close()

    assert (report.added, report.without_moment, report.in_future) == (4, 1, 1)
    hour = timedelta(hours=1)
    assert made == {"one": NOON - hour, "two": NOON - hour, "three": NOON, "four": NOON - 3 * hour}


async def test_images_that_nothing_can_be_learned_from_are_counted(
    service: PreferenceService, settings: ChangingSettings
) -> None:
    """No model, or older than what is kept: retention would delete them within a day."""
    settings.change(retention_days=30)
    now = datetime.now(timezone.utc)
    images = [recipe(None), recipe(" "), recipe("a"), recipe("a", made_at=now - timedelta(days=2))]

    report = await service.import_recipes([(each, None) for each in images], batch="mine")

    assert (report.without_model, report.too_old, report.added) == (2, 1, 1)


@pytest.mark.parametrize("rating", [-0.1, 1.5, float("nan")])
async def test_a_rating_that_is_none_is_refused_before_anything_is_stored(
    service: PreferenceService, rating: float
) -> None:
    """Five stars must not be taken for more than everything."""
    with pytest.raises(InvalidRequest, match="from 0 to 1"):
        await service.import_recipes([(recipe("a"), 1.0), (recipe("b"), rating)], batch="mine")

    assert await service.imports() == ()


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
async def test_a_batch_has_a_name(service: PreferenceService, name: str) -> None:
    """Otherwise nobody could take it back."""
    with pytest.raises(InvalidRequest, match="needs a name"):
        await service.import_recipes([(recipe("a"), 1.0)], batch=name)


async def test_lists_that_do_not_fit_are_refused(service: PreferenceService) -> None:
    """One id and one file per image."""
    with pytest.raises(InvalidRequest, match="2 ids for 1 images"):
        await service.import_recipes([(recipe("a"), 1.0)], batch="mine", ids=["x", "y"])
    with pytest.raises(InvalidRequest, match="0 files for 1 images"):
        await service.import_recipes([(recipe("a"), 1.0)], batch="mine", files=[])


async def test_images_without_a_prompt_are_compared_with_none(service: PreferenceService) -> None:
    """Nobody knows whether they were made for one prompt."""
    await service.import_recipes([(recipe("a", ""), 1.0), (recipe("b", "", seed=2), 0.0)], batch="mine")

    assert [len(each.images) for each in await service.generations()] == [1, 1]


async def test_imported_images_are_counted_apart(service: PreferenceService) -> None:
    """The panel's counts and history are about what was recommended, and about verdicts."""
    await random_history(service, 3, seed=1)
    before = await service.overview()
    await service.import_recipes(rated_and_unrated(10), batch="mine", files=[ImageFile("", "x.png")] * 30)

    after = await service.overview()
    history = await service.generations(limit=100)

    assert replace(after, keywords=0, pairs=0, checkpoints=0) == replace(before, keywords=0, pairs=0, checkpoints=0)
    assert sum(each.policy == "imported" for each in history) == 5
    assert len(await service.generations(limit=100, session_id="import:mine")) == 10
    assert {image.file.filename for image in history[0].images} == {"x.png"}


async def test_without_prompts_only_keywords_are_stored(service: PreferenceService, settings: ChangingSettings) -> None:
    """As with generations that were recommended."""
    settings.change(keep_prompts=False)
    await service.import_recipes(rated_and_unrated(2), batch="mine")

    (generation,) = await service.generations()

    assert generation.prompt == ""
    assert "anime girl" in [word.text for word in generation.keywords]


async def test_what_is_forgotten_is_forgotten_of_imports_too(service: PreferenceService) -> None:
    """A batch of which nothing is left is none."""
    await service.import_recipes(rated_and_unrated(4), batch="mine")
    generation = (await service.generations())[0]

    await service.forget_generation(generation.id)
    assert (await service.imports())[0].images == 9
    await service.forget_keyword("anime")
    assert all("anime" not in each.prompt for each in await service.generations(session_id="import:mine"))
    await service.forget_older(1)
    assert await service.imports() == ()


async def test_a_joined_checkpoint_takes_its_imported_images_along(service: PreferenceService) -> None:
    """And a renamed one, whose id stays."""
    await service.import_recipes([(recipe("old"), None), (recipe("new", minutes=90), None)], batch="mine")

    await service.join_checkpoints("old", "new")
    await service.recomputed()

    assert (await service.imports())[0].checkpoints == {"new": 2}


async def test_an_import_into_a_closed_database_is_refused(database_file: Path) -> None:
    """With the message of every other write."""
    service = await PreferenceService.open(database_file)
    await service.close()

    with pytest.raises(StoreUnavailable):
        await service.import_recipes([(recipe("a"), 1.0)], batch="mine")


async def test_an_import_leaves_by_an_export_and_is_known_where_it_arrives(
    service: PreferenceService, tmp_path: Path
) -> None:
    """It can be taken back there, and the same images add nothing."""
    images = rated_and_unrated(6)
    await service.import_recipes(images, batch="mine")
    there = await PreferenceService.open(tmp_path / "there.db")

    await there.import_lines([line async for line in service.export()])
    arrived = await there.imports()
    report = await there.import_recipes(images, batch="again")
    undone = await there.undo_import("mine")

    assert arrived == await service.imports()
    assert (report.known, undone) == (18, 6)
    assert await there.checkpoints() == ()
    await there.close()
