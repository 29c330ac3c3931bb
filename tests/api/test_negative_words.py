"""`POST /suggest/negative`: words that a negative prompt lacks, as JSON."""

from __future__ import annotations

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client


async def test_it_suggests_words_with_their_reasons(client: Client, runtime: Runtime) -> None:
    """The reason comes in parts too."""

    async def judge(service: PreferenceService) -> None:
        for _ in range(3):
            recommendation = await service.recommend("portrait of a judge", [CANDIDATES[0]], negative="bad hands, text")
            generation = await service.log_generation(
                recommendation, {CANDIDATES[0]: 2}, recipes=[Recipe(steps=20)] * 2
            )
            await service.record_feedback(generation, {CANDIDATES[0]: 2})

    await runtime.run(judge)
    body = {"prompt": "portrait of a cat", "negative": "text", "checkpoint": CANDIDATES[0]}

    status, answer = await client.post("/suggest/negative", body)

    assert status == 200
    [word] = answer["words"]
    assert word["word"] == "bad hand"
    assert word["reason"] == "6 of 6 images that you kept of such prompts have it."
    assert word["reason_parts"][0]["key"] == "negative_used"
    assert word["score"] == pytest.approx(word["share"] + 2.0 * word["gain"])


async def test_nothing_known_is_an_empty_list(client: Client) -> None:
    """And no error."""
    assert await client.post("/suggest/negative", {"prompt": "portrait"}) == (200, {"words": []})
