"""Images that were imported say which settings a person uses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe

BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def drawn(number: int, steps: int, prompt: str = "a red barn", model: str = "a") -> Recipe:
    return Recipe(
        model=model, positive=prompt, steps=steps, cfg=5.0, seed=number, made_at=BORN + timedelta(days=number)
    )


async def test_without_a_rating_they_say_what_is_used(service: PreferenceService) -> None:
    """And nothing any more once the import is taken back."""
    await service.import_recipes([(drawn(number, 28), None) for number in range(6)], batch="mine")

    known = await service.recommend_parameter("a barn", "steps", 20, "a")
    await service.undo_import("mine")

    assert (known.value, known.source, known.reason) == (
        28,
        "checkpoint",
        "steps 28: 6 of your 6 images with a have it.",
    )
    assert (await service.recommend_parameter("a barn", "steps", 20, "a")).source == "default"


async def test_rated_ones_of_one_prompt_and_time_that_differ_in_one_setting_are_a_comparison(
    service: PreferenceService,
) -> None:
    """Their ratings are verdicts on its values."""
    pairs = [(drawn(number, steps), rating) for number in range(8) for steps, rating in ((30, 1.0), (12, 0.0))]
    await service.import_recipes(pairs, batch="rated")

    answer = await service.recommend_parameter("a red barn", "steps", 20, "a")

    assert (answer.value, answer.source) == (30, "verdicts")
    assert {(known.value, known.selected, known.total) for known in answer.values} >= {(30, 8, 8), (12, 0, 8)}
