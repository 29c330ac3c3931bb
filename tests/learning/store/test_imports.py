"""What made an image is stored with it, and goes wherever the image goes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.schema import generation_images, image_settings, import_batches
from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.values import IMPORTED, ImageSettings, import_session
from context_checkpoint.recipes import Recipe

NAMES = ["a", "b"]
SHARP = Recipe(steps=30, cfg=7, sampler="euler", loras=(("z", 1, 0.5), ("anime", 0.8, 0.8)))
FAST = Recipe(steps=4, cfg=1.0, sampler="lcm")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (("DPM++ 2M Karras", None), ("dpmpp_2m", "karras")),
        (("Euler a", "Automatic"), ("euler_ancestral", "normal")),
        (("dpmpp_2m", "sgm_uniform"), ("dpmpp_2m", "sgm_uniform")),
        (("Restart", "Align Your Steps"), ("Restart", "Align Your Steps")),
        ((None, "karras"), (None, "karras")),
    ],
)
def test_samplers_have_comfyuis_names_where_there_are_some(
    written: tuple[str | None, str | None], stored: tuple[str | None, str | None]
) -> None:
    """The same sampler of two programs is one value."""
    settings = ImageSettings.of(Recipe(sampler=written[0], scheduler=written[1]))

    assert settings is not None
    assert (settings.sampler, settings.scheduler) == stored


async def settings_stored(service: PreferenceService) -> list[ImageSettings | None]:
    """Of every image, in the order in which they were logged."""
    query = (
        select(image_settings.c.settings)
        .select_from(generation_images.outerjoin(image_settings))
        .order_by(generation_images.c.generation_number, generation_images.c.position)
    )

    async def read(connection: AsyncConnection) -> list[ImageSettings | None]:
        return [text and ImageSettings.read(text) for (text,) in await connection.execute(query)]

    return await service._database.read(read)


async def count(service: PreferenceService, table: Any) -> int:
    async def read(connection: AsyncConnection) -> int:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    return await service._database.read(read)


async def logged(service: PreferenceService, *recipes: Recipe) -> str:
    recommendation = await service.recommend("anime girl", NAMES, seed=1)
    return await service.log_generation(recommendation, {"a": len(recipes)}, recipes=recipes)


async def exported(service: PreferenceService, *, anonymous: bool = False) -> list[str]:
    return [line async for line in service.export(anonymous=anonymous)]


async def test_the_same_settings_are_stored_once_however_they_are_written(service: PreferenceService) -> None:
    """In whatever order the LoRAs are, and whether cfg is 7 or 7.0; an image of which nothing is known has none."""
    other = Recipe(steps=30, cfg=7.0, sampler="euler", loras=(("anime", 0.8, 0.8), ("z", 1.0, 0.5)), seed=5)
    await logged(service, SHARP, other, FAST, Recipe(positive="anime girl"))

    sharp, again, fast, unknown = await settings_stored(service)

    assert sharp == again == ImageSettings(30, 7.0, "euler", loras=(("anime", 0.8, 0.8), ("z", 1.0, 0.5)))
    assert fast == ImageSettings(4, 1.0, "lcm")
    assert unknown is None
    assert await count(service, image_settings) == 2


async def test_settings_of_any_length_are_stored(service: PreferenceService) -> None:
    """PostgreSQL cannot keep a long text unique by itself."""
    many = Recipe(loras=tuple((f"a LoRA with a name that is long enough {number}", 1.0, 1.0) for number in range(500)))

    await logged(service, many, many)

    assert await settings_stored(service) == [ImageSettings.of(many)] * 2


async def test_each_image_has_one_recipe(service: PreferenceService) -> None:
    """Otherwise nobody knows whose it is."""
    recommendation = await service.recommend("anime girl", NAMES)

    with pytest.raises(InvalidRequest, match="1 recipes for 2 images"):
        await service.log_generation(recommendation, {"a": 2}, recipes=[FAST])


async def test_forgotten_images_leave_no_settings(service: PreferenceService) -> None:
    """Unless other images have them too."""
    first = await logged(service, SHARP, FAST)
    await logged(service, FAST)

    await service.forget_generation(first)

    assert await settings_stored(service) == [ImageSettings.of(FAST)]
    assert await count(service, image_settings) == 1
    await service.forget_everything()
    assert await count(service, image_settings) == 0


@pytest.mark.parametrize("anonymous", [False, True])
async def test_exported_lines_hold_settings_and_batches(
    service: PreferenceService, tmp_path: Any, anonymous: bool
) -> None:
    """A merge adds them like everything else; an anonymous file has settings alone."""
    await logged(service, SHARP, Recipe())
    lines = await exported(service)
    imported = (
        lines[1]
        .replace('"bayesian"', f'"{IMPORTED}"')
        .replace('"images":[{', f'"session_id":"{import_session("mine")}","images":[{{"source_id":"{"5" * 32}",')
        .replace('"stage"', '"imported_at":"2026-01-31T12:00:00Z","stage"')
    )
    second = await PreferenceService.open(tmp_path / "second.db")
    third = await PreferenceService.open(tmp_path / "third.db")

    await second.import_lines([lines[0], imported])
    copied = await exported(second, anonymous=anonymous)
    await third.import_lines(copied)

    assert await settings_stored(third) == [ImageSettings.of(SHARP), None]
    assert await count(third, import_batches) == (0 if anonymous else 1)
    assert (await exported(third, anonymous=anonymous))[1:] == copied[1:]
    assert ("5" * 32 in copied[1]) is not anonymous
    await second.close()
    await third.close()


def test_numbers_that_are_none_are_left_out() -> None:
    """A file may say anything; what is stored can be read again."""
    recipe = Recipe(cfg=float("nan"), denoise=float("inf"), loras=(("a", float("nan"), 1.0),), sampler="a\x00b")

    settings = ImageSettings.of(recipe)

    assert settings == ImageSettings(sampler="a b", loras=())
    assert settings is not None
    assert ImageSettings.read(settings.text) == settings


def test_a_recipe_without_settings_has_none() -> None:
    """A prompt, a seed and a moment are none."""
    assert ImageSettings.of(Recipe(positive="a", seed=1, made_at=datetime.now(timezone.utc))) is None
