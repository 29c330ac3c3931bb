"""`POST /recommend/loras`: LoRAs that were learned, as JSON."""

from __future__ import annotations

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client

PATH = "/recommend/loras"


async def teach(runtime: Runtime) -> None:
    """Eight sketches with `ink` and without, of which the first was kept."""

    async def judge(service: PreferenceService) -> None:
        for _ in range(8):
            recommendation = await service.recommend("pencil sketch", [CANDIDATES[0]])
            recipes = [Recipe(steps=20, loras=(("ink.safetensors", 0.8, 0.8),)), Recipe(steps=20, loras=())]
            generation = await service.log_generation(recommendation, {CANDIDATES[0]: 2}, recipes=recipes)
            await service.record_feedback(generation, selected_images=[0], rejected_images=[1])

    await runtime.run(judge)


async def test_it_says_which_and_why(client: Client, runtime: Runtime) -> None:
    """The reasons come in parts too, and all that is known with its counts."""
    await teach(runtime)
    body = {"prompt": "pencil sketch of a cat", "available": ["ink.safetensors", "x"], "checkpoint": CANDIDATES[0]}

    status, answer = await client.post(PATH, body)

    assert status == 200
    assert [(lora["name"], lora["strength"]) for lora in answer["loras"]] == [("ink.safetensors", 0.8)]
    assert answer["loras"][0]["reason_parts"][0]["key"].startswith("lora_by_verdicts")
    assert answer["reason"] == answer["loras"][0]["reason"]
    assert 0.4 < answer["confidence"] < 1.0
    assert [(known["name"], known["selected"], known["total"]) for known in answer["ranking"]] == [
        ("ink.safetensors", 8, 8)
    ]
    assert (await client.post(PATH, body | {"most": 0}))[1]["loras"] == []


async def test_what_files_say_counts(client: Client) -> None:
    """A trigger word and a strength."""
    file = {"name": "ink.safetensors", "trigger_words": ["inkskt"], "tags": {"paper": 0.5}, "strength": 0.6}
    _, answer = await client.post(PATH, {"prompt": "inkskt, a cat", "available": [file]})
    assert [(lora["name"], lora["strength"]) for lora in answer["loras"]] == [("ink.safetensors", 0.6)]
    assert answer["worth_trying"] == "ink.safetensors"


async def test_nothing_known_is_none(client: Client) -> None:
    """With the reason."""
    _, answer = await client.post(PATH, {"prompt": "a cat", "available": ["x"]})
    assert (answer["loras"], answer["confidence"], answer["ranking"], answer["worth_trying"]) == ([], 0.0, [], None)
    assert answer["reason_parts"][0]["key"] == "loras_nothing_known"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"available": "x"},
        {"available": [""]},
        {"available": ["x"], "most": 11},
        {"available": [{"name": "x", "strength": "strong"}]},
        {"available": [{"name": "x", "tags": {"a": -1}}]},
    ],
)
async def test_a_bad_question_is_refused(client: Client, body: dict[str, object]) -> None:
    """Before anything is read."""
    status, answer = await client.post(PATH, {"prompt": "a cat", **body})
    assert (status, answer["error"]["code"]) == (422, "invalid_request")
