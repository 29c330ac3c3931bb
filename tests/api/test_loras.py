"""`POST /recommend/loras`: LoRAs that were learned, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import build_routes
from context_checkpoint.checkpoints.pool import CheckpointFile
from context_checkpoint.demo.tiny_models.checkpoints import write_lora
from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client, FolderHost, error

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
        {"available": "x"},
        {"available": ["x"], "include": "styles/*"},
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


class FamilyHost(FolderHost):
    """A host that knows the families of its checkpoints, as ComfyUI does."""

    def files(self) -> Sequence[CheckpointFile]:
        return [CheckpointFile("models/new.ckpt", "sd15"), CheckpointFile("other.ckpt", "unknown")]


async def answer_of_comfyui(runtime: Runtime, tmp_path: Path, **body: object) -> tuple[int, dict[str, Any]]:
    app = web.Application()
    app.add_routes(build_routes(runtime, FamilyHost(tmp_path / "checkpoints")))
    async with TestClient(TestServer(app)) as http:
        return await Client(http).post(PATH, {"prompt": "watercolour of a cat", **body})


async def ranked(runtime: Runtime, tmp_path: Path, **body: object) -> list[str]:
    status, answer = await answer_of_comfyui(runtime, tmp_path, **body)
    assert status == 200
    return sorted(known["name"] for known in answer["ranking"])


async def test_comfyuis_own_files_are_meant_where_none_are_named(runtime: Runtime, tmp_path: Path) -> None:
    """Those that fit the checkpoint's architecture and the globs, with what their files say."""
    for seed, (family, name) in enumerate((("sd15", "wash"), ("sd15", "styles/ink"), ("sd3", "grain"))):
        file = tmp_path / "loras" / f"{name}.safetensors"
        write_lora(file, family, seed=seed)  # type: ignore[arg-type]
        file.with_suffix(".civitai.info").write_text(json.dumps({"trainedWords": ["watercolour"]}))
    ink, wash, grain = "styles/ink.safetensors", "wash.safetensors", "grain.safetensors"

    assert await ranked(runtime, tmp_path) == [grain, ink, wash]
    assert await ranked(runtime, tmp_path, checkpoint="other.ckpt") == [grain, ink, wash]
    assert await ranked(runtime, tmp_path, checkpoint="models\\new.ckpt") == [ink, wash]
    assert await ranked(runtime, tmp_path, include="styles/*, grain*", exclude="gr*") == [ink]
    assert await ranked(runtime, tmp_path, available=["x"]) == []


async def test_a_comfyui_without_a_lora_that_fits_says_what_to_do(runtime: Runtime, tmp_path: Path) -> None:
    """It is no failure: none is recommended."""
    (tmp_path / "loras").mkdir()

    for body, key in (
        ({}, "loras_no_files"),
        ({"checkpoint": "other.ckpt"}, "loras_none_fit"),
        ({"exclude": "*"}, "loras_none_match"),
    ):
        status, answer = await answer_of_comfyui(runtime, tmp_path, **body)
        assert (status, answer["loras"], answer["ranking"]) == (200, [], [])
        assert answer["reason_parts"][0]["key"] == key


async def test_a_server_without_comfyui_needs_the_names(client: Client) -> None:
    """It knows no LoRA files."""
    status, answer = await client.post(PATH, {"prompt": "a cat"})
    assert (status, error(answer)["code"]) == (422, "available_required")
