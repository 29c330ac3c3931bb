"""What is followed of the log is what a fresh reading of it says."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.service.recent_images import Recent, RecentImages
from context_checkpoint.learning.store import image_settings
from context_checkpoint.learning.values import Keyword
from context_checkpoint.recipes import Recipe

PROMPTS = ("a cat, sunny", "a dog, sunny", "a ship")


async def log(service: PreferenceService, number: int) -> str:
    """Two images, with settings or without."""
    recommendation = await service.recommend(PROMPTS[number % len(PROMPTS)], ["a", "b"], seed=number)
    recipes = [Recipe(steps=steps) for steps in (10 + number, 30)] if number % 4 else None
    return await service.log_generation(recommendation, {recommendation.checkpoints[0]: 2}, recipes=recipes)


async def same_as_fresh(service: PreferenceService, followed: RecentImages) -> Recent:
    recent, fresh = await followed.current(), await RecentImages(service._database).current()
    words = [Keyword("sunny"), Keyword("cat"), Keyword("unknown")]
    assert list(recent.images) == list(fresh.images)
    assert recent.words == fresh.words
    assert recent.shared_words(words) == fresh.shared_words(words)
    return recent


async def test_whatever_happens_to_the_log_is_followed(
    service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logged, judged, judged otherwise, withdrawn, forgotten, imported, undone; with old images left out."""
    monkeypatch.setattr(image_settings, "MOST_IMAGES", 20)
    monkeypatch.setattr(image_settings, "BLOCK", 4)
    followed, ids, lengths = RecentImages(service._database), list[str](), list[int]()
    chance = random.Random(7)  # noqa: S311 - not for secrets

    async def judge() -> None:
        first = chance.random() < 0.5
        await service.record_feedback(chance.choice(ids), selected_images=[0] if first else [], rejected_images=[1])

    async def forget() -> None:
        await service.forget_generation(ids.pop(chance.randrange(len(ids))))

    async def bring_in() -> None:
        recipe = Recipe(model="a", positive=chance.choice(PROMPTS), steps=chance.randrange(1, 50))
        await service.import_recipes([(recipe, None)], batch=f"batch {chance.randrange(2)}")

    async def undo() -> None:
        for batch in await service.imports():
            await service.undo_import(batch.name)

    actions: list[Callable[[], Awaitable[None]]] = [judge, judge, judge, forget, bring_in, undo]
    for number in range(120):
        ids.append(await log(service, number))
        if number % 3 == 0:
            await chance.choice(actions)()
        lengths.append(len((await same_as_fresh(service, followed)).images))

    assert max(lengths) <= 21  # the generation at the edge is whole
    assert lengths[-1] > 5


async def test_another_program_s_changes_are_followed(sqlite_service: PreferenceService) -> None:
    """A second service on the same file logs, judges and forgets."""
    followed = RecentImages(sqlite_service._database)
    other = await PreferenceService.open(sqlite_service._database.path or "")
    try:
        generation_id = await log(other, 1)
        first = await same_as_fresh(sqlite_service, followed)
        await other.record_feedback(generation_id, selected_images=[0])
        judged = await same_as_fresh(sqlite_service, followed)
        await other.forget_everything()
        nothing = await same_as_fresh(sqlite_service, followed)
    finally:
        await other.close()

    assert [image.mark for image in first.images] == [".", "."]
    assert [image.mark for image in judged.images] == ["+", "."]
    assert not nothing.images
