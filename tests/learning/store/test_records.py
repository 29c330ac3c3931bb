"""What a verdict compares: checkpoints, each by the settings with which it did best."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.recipes import Recipe

from .test_rebuild import assert_all_is_counted_once

SLOW, FAST = Recipe(steps=30), Recipe(steps=12)


async def judge(
    service: PreferenceService, images: Sequence[tuple[str, Recipe]], selected: list[int], rejected: list[int]
) -> str:
    """Log images of these checkpoints and settings, and record a verdict on them."""
    recommendation = await service.recommend("a cat", ["a", "b"], seed=1)
    files = [ImageFile(name) for name, _ in images]
    generation = await service.log_generation(recommendation, files, recipes=[recipe for _, recipe in images])
    await service.record_feedback(generation, selected_images=selected, rejected_images=rejected)
    return generation


async def counts(service: PreferenceService) -> dict[str, tuple[float, float]]:
    return {row.checkpoint: (row.selected, row.total) for row in await service.checkpoints()}


async def test_a_choice_between_settings_is_none_against_their_checkpoint(service: PreferenceService) -> None:
    """It did as well as with the better one, and everything says so: a rebuild, and another database."""
    await judge(service, [("a", SLOW), ("a", FAST)], [0], [1])

    assert await counts(service) == {"a": (1.0, 1.0)}
    await service.rebuild()
    assert await counts(service) == {"a": (1.0, 1.0)}
    await assert_all_is_counted_once(service)


async def test_images_of_the_same_settings_all_count(service: PreferenceService) -> None:
    """As before there were settings."""
    await judge(service, [("a", SLOW), ("a", SLOW), ("b", SLOW)], [0], [1, 2])
    assert await counts(service) == {"a": (1.0, 2.0), "b": (0.0, 1.0)}


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
async def test_a_changed_verdict_leaves_no_trace(service: PreferenceService, order: list[int]) -> None:
    """Whichever settings did best before, and wherever their images stand."""
    images = [(("a", SLOW), ("b", SLOW), ("a", FAST))[place] for place in order]
    generation = await judge(service, images, [order.index(0)], [order.index(1), order.index(2)])
    await assert_all_is_counted_once(service)
    await service.record_feedback(
        generation, selected_images=[order.index(2)], rejected_images=[order.index(0), order.index(1)]
    )
    assert await counts(service) == {"a": (1.0, 1.0), "b": (0.0, 1.0)}
    await assert_all_is_counted_once(service)
    await service.record_feedback(generation)
    assert await counts(service) == {}
