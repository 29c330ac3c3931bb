"""`POST /recommend/parameter`: settings that were learned, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import build_routes
from context_checkpoint.checkpoints.pool import CheckpointFile
from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client, FolderHost


async def teach(runtime: Runtime, name: str = CANDIDATES[0]) -> None:
    """Five portraits with 30 and 12 steps, of which the first was kept."""

    async def judge(service: PreferenceService) -> None:
        for _ in range(5):
            recommendation = await service.recommend("portrait of a judge", [name])
            recipes = [Recipe(steps=steps, width=832, height=1216) for steps in (30, 12)]
            generation = await service.log_generation(recommendation, {name: 2}, recipes=recipes)
            await service.record_feedback(generation, selected_images=[0], rejected_images=[1])

    await runtime.run(judge)


async def test_it_says_the_value_and_why(client: Client, runtime: Runtime) -> None:
    """The reason comes in parts too, and all known values with their counts."""
    await teach(runtime)
    body = {"prompt": "portrait of a cat", "name": "steps", "default": 20, "checkpoint": CANDIDATES[0]}

    status, answer = await client.post("/recommend/parameter", body)

    assert status == 200
    assert (answer["value"], answer["source"], answer["default"]) == (30, "verdicts", 20)
    assert 0.0 < answer["confidence"] < 1.0
    assert answer["reason_parts"][0]["key"] == "parameter_by_verdicts_on"
    assert [(value["value"], value["selected"], value["total"]) for value in answer["values"]] == [
        (30, 5, 5),
        (20, 0, 0),
        (12, 0, 5),
    ]
    assert answer["worth_trying"] in (20, 12)


@pytest.mark.parametrize(("default", "value"), [("512x512", "832x1216"), ([512, 512], [832, 1216])])
async def test_a_size_has_the_form_of_the_default(
    client: Client, runtime: Runtime, default: object, value: object
) -> None:
    """A text or a pair."""
    await teach(runtime)
    _, answer = await client.post("/recommend/parameter", {"prompt": "portrait", "name": "size", "default": default})
    assert (answer["value"], answer["default"]) == (value, default)


async def test_nothing_known_is_the_default(client: Client) -> None:
    """With no confidence."""
    _, answer = await client.post("/recommend/parameter", {"prompt": "portrait", "name": "cfg", "default": 6.5})
    assert (answer["value"], answer["confidence"], answer["source"]) == (6.5, 0.0, "default")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "seed", "default": 1}, "invalid_request"),
        ({"name": "steps"}, "invalid_request"),
        ({"name": "steps", "default": True}, "invalid_request"),
        ({"name": "steps", "default": "many"}, "bad_parameter_value"),
        ({"name": "size", "default": [512, 512, 3]}, "invalid_request"),
        ({"name": "size", "default": [512, -1]}, "bad_parameter_value"),
    ],
)
async def test_a_bad_question_is_refused(client: Client, body: dict[str, object], code: str) -> None:
    """With what to send instead."""
    status, answer = await client.post("/recommend/parameter", {"prompt": "a cat", **body})
    assert (status, answer["error"]["code"]) == (422, code)


class FamilyHost(FolderHost):
    """A host that knows the families of its files, as ComfyUI does."""

    def files(self) -> Sequence[CheckpointFile]:
        families = {"new.ckpt": "sdxl", "slow.ckpt": "sdxl", "fast.ckpt": "sd15"}
        return [CheckpointFile(name, family) for name, family in families.items()]


async def test_the_families_of_the_files_count(runtime: Runtime, tmp_path: Path) -> None:
    """What was used with one checkpoint says more of another one of its family than of others."""

    async def keep(service: PreferenceService) -> None:
        for name, steps in (("slow.ckpt", 30), ("fast.ckpt", 12), ("fast.ckpt", 12)):
            recommendation = await service.recommend("portrait of a judge", [name])
            generation = await service.log_generation(recommendation, {name: 1}, recipes=[Recipe(steps=steps)])
            await service.record_feedback(generation, {name: 1})

    await runtime.run(keep)
    values = []
    for host in (FolderHost(tmp_path), FamilyHost(tmp_path)):
        app = web.Application()
        app.add_routes(build_routes(runtime, host))
        async with TestClient(TestServer(app)) as http:
            body = {"prompt": "a portrait", "name": "steps", "default": 20, "checkpoint": "new.ckpt"}
            _, answer = await Client(http).post("/recommend/parameter", body)
            values.append(answer["value"])
    assert values == [12, 30]
