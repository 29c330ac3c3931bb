"""Which images of the log have a file, and how many images generations have."""

from __future__ import annotations

from datetime import datetime, timezone

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.reports import LoggedFile
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.recipes import Recipe

NAMES = ("a.safetensors", "b.safetensors")


async def log(service: PreferenceService) -> str:
    recommendation = await service.recommend("a castle", NAMES)
    return await service.log_generation(recommendation, dict.fromkeys(NAMES, 1))


async def test_all_images_are_listed_a_page_at_a_time(service: PreferenceService) -> None:
    """Whole generations, oldest first; an imported image has an id of its own."""
    first = await log(service)
    await service.attach_files(first, [ImageFile("", "1.png", "day", "output")])
    second = await log(service)
    recipe = Recipe(model=NAMES[0], positive="a tower", made_at=datetime(2026, 1, 1, tzinfo=timezone.utc))
    await service.import_recipes([(recipe, None)], batch="mine", ids=["pixels"], files=[ImageFile("", "x.png")])

    one = await service.logged_files(0, limit=1)
    rest = await service.logged_files(one[-1].number, limit=5)

    assert one == [
        LoggedFile(one[0].number, first, 0, "1.png", "day", "output", ""),
        LoggedFile(one[0].number, first, 1, "", "", "", ""),
    ]
    assert [(file.generation_id, file.filename) for file in rest[:2]] == [(second, ""), (second, "")]
    assert (rest[2].filename, len(rest[2].source_id), len(rest)) == ("x.png", 32, 3)
    assert await service.logged_files(rest[-1].number) == []


async def test_images_are_counted_of_generations_that_are_logged(service: PreferenceService) -> None:
    """Also of more than one statement takes."""
    generation = await log(service)

    assert await service.image_counts({generation, *(f"{number:032x}" for number in range(1_200))}) == {generation: 2}
    assert await service.image_counts(()) == {}
