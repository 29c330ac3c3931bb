"""A question knows what was imported, and what the person works with is compared first."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.service import habits
from context_checkpoint.recipes import Recipe

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
FIFTY = [f"checkpoint-{number:02}.safetensors" for number in range(50)]
EIGHT = FIFTY[3:43:5]


def images(names: list[str], count: int = 80) -> list[tuple[Recipe, None]]:
    """Unrated ones of many prompts, twenty a day; the last days are the first name's."""
    return [
        (
            Recipe(
                model=names[0] if number >= count - 20 else names[number % len(names)],
                positive=f"subject{number % 13}, style{number % 5}",
                seed=number,
                made_at=NOON + timedelta(days=number // 20, minutes=number),
            ),
            None,
        )
        for number in range(count)
    ]


async def test_a_cold_start_compares_what_the_person_works_with(service: PreferenceService) -> None:
    """The most recent first, the others of the eight, and now and then one that they never tried."""
    await service.import_recipes(images(EIGHT), batch="mine")
    shown: Counter[str] = Counter()
    for seed in range(60):
        recommendation = await service.recommend(f"a lighthouse number{seed}", FIFTY, seed=seed)
        assert len(recommendation.checkpoints) == 3
        assert recommendation.checkpoints[0] == EIGHT[0]
        shown.update(recommendation.checkpoints)

    others = sum(count for name, count in shown.items() if name not in EIGHT)

    assert 1 <= others <= 30
    assert set(EIGHT) <= set(shown)
    assert recommendation.confidence == 0.0


async def test_without_an_import_nothing_changes(service: PreferenceService) -> None:
    """Nor once it is taken back; a rated one alone is no habit of others."""
    before = await service.recommend("a lighthouse", FIFTY, seed=5)
    await service.import_recipes(images(EIGHT), batch="mine")
    with_it = await service.recommend("a lighthouse", FIFTY, seed=5)

    await service.undo_import("mine")

    assert await service.recommend("a lighthouse", FIFTY, seed=5) == before
    assert with_it.checkpoints != before.checkpoints
    assert with_it.follows_images


async def test_an_import_of_another_process_is_noticed(
    service: PreferenceService, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within seconds, which are none here."""
    monkeypatch.setattr(habits, "_LOOK_AGAIN_S", 0.0)
    assert not (await service.recommend("a lighthouse", FIFTY)).follows_images
    other = await PreferenceService.open(database)
    await other.import_recipes(images(EIGHT), batch="mine")

    noticed = (await service.recommend("a lighthouse", FIFTY)).follows_images
    await other.undo_import("mine")
    await other.close()

    assert noticed
    assert not (await service.recommend("a lighthouse", FIFTY)).follows_images


async def test_a_renamed_checkpoint_keeps_its_habit(
    sqlite_service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The images that are there name it as it was."""
    monkeypatch.setattr(habits, "_LOOK_AGAIN_S", 0.0)
    await sqlite_service.import_recipes(images(EIGHT), batch="mine")
    await sqlite_service.meet_files({name: f"fingerprint of {name}" for name in FIFTY})
    assert (await sqlite_service.recommend("a lighthouse", FIFTY)).checkpoints[0] == EIGHT[0]
    renamed = {EIGHT[0]: "moved/new.safetensors"}
    names = [renamed.get(name, name) for name in FIFTY]

    await sqlite_service.meet_files({renamed.get(name, name): f"fingerprint of {name}" for name in FIFTY})

    assert (await sqlite_service.recommend("a lighthouse", names)).checkpoints[0] == "moved/new.safetensors"


async def test_only_the_newest_images_are_read(service: PreferenceService, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a question does not wait for a hundred thousand; they are of all batches."""
    monkeypatch.setattr("context_checkpoint.learning.store.imports.MOST_USES", 30)
    await service.import_recipes(images(EIGHT)[:40], batch="old")
    await service.import_recipes(images(EIGHT)[40:], batch="new")

    habit = await service._habits.current()

    assert habit is not None
    assert habit._count == 30


async def test_the_sentence_says_what_comes_from_images_that_were_there(service: PreferenceService) -> None:
    """Uses and verdicts apart."""
    await service.import_recipes(images(EIGHT), batch="mine")
    cold = await service.recommend("a lighthouse", FIFTY, seed=1)
    rated = [
        (
            Recipe(model=name, positive="a lighthouse", seed=number, made_at=NOON + timedelta(days=number)),
            float(not place),
        )
        for number in range(12)
        for place, name in enumerate(EIGHT[:2])
    ]
    await service.import_recipes(rated, batch="stars")
    judged = await service.recommend("a lighthouse", EIGHT, seed=1)
    explained = await service.explain("a lighthouse", EIGHT, seed=1)

    assert cold.explanation.endswith(
        "no verdict on a prompt like this one is known yet; what is compared follows images that you had."
    )
    assert (
        f"12 verdicts on {'it' if judged.strategy != 'explore' else 'checkpoint-03'} are from images"
        in judged.explanation
    )
    assert explained["grounds"] is not None
    assert explained["grounds"]["imported_verdicts"] == 12
    assert (await service.recommend("a lighthouse", EIGHT, policy="counts")).follows_images is False
