"""`GET` and `POST /profiles`, with and without checkpoint files, and the branches of a recommendation."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.lazy_routes import add_to
from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from .conftest import Client, FolderHost, error

LIGHTNING = "xl/dream_lightning_4step.safetensors"


def application(runtime: Runtime, folder: Path) -> web.Application:
    """The routes as ComfyUI serves them, over a folder of files."""
    made, table = web.Application(), web.RouteTableDef()
    add_to(table, runtime, FolderHost(folder))
    made.add_routes(table)
    return made


@pytest.fixture
async def with_files(runtime: Runtime, tmp_path: Path) -> AsyncIterator[Client]:
    """Two files; one with a sidecar."""
    folder = tmp_path / "models"
    for name in (LIGHTNING, "plain.safetensors"):
        text = json.dumps({"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + name.encode()[:2])
    sidecar = {"images": [{"meta": {"steps": 25, "cfgScale": 5, "sampler": "DPM++ 9M"}}]}
    (folder / "plain.civitai.info").write_text(json.dumps(sidecar))
    async with TestClient(TestServer(application(runtime, folder))) as http:
        yield Client(http)


def known(profile: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in profile["settings"].items() if value is not None}


async def test_each_checkpoint_has_its_settings_with_their_sources(with_files: Client) -> None:
    """Files that are there, and checkpoints that something was set for."""
    await with_files.post("/profiles", {"checkpoint": "gone.ckpt", "settings": {"steps": 9}})

    status, answer = await with_files.get("/profiles")

    assert status == 200
    assert "euler" in answer["samplers"]
    assert "karras" in answer["schedulers"]
    profiles = {profile["checkpoint"]: profile for profile in answer["profiles"]}
    assert list(profiles) == ["plain.safetensors", LIGHTNING, "gone.ckpt"]
    assert known(profiles[LIGHTNING]) == {"steps": 4, "cfg": 1.0, "sampler": "euler", "scheduler": "sgm_uniform"}
    assert profiles["plain.safetensors"]["sources"] == dict.fromkeys(
        ("steps", "cfg"), "its sidecar file plain.civitai.info"
    )
    assert profiles["plain.safetensors"]["problems"] == ["plain.civitai.info: ComfyUI has no sampler DPM++ 9M"]
    (problem,) = profiles["plain.safetensors"]["problem_parts"]
    assert problem[0]["key"] == "sidecar_problem"


async def test_what_a_person_sets_counts_first_and_can_be_taken_back(with_files: Client) -> None:
    """One value at a time, or all of them."""
    changes = {"checkpoint": "xl\\dream_lightning_4step.safetensors", "settings": {"cfg": 2, "before": "score_9"}}
    status, changed = await with_files.post("/profiles", changes)
    _, one = await with_files.get("/profiles", checkpoint=LIGHTNING)
    _, less = await with_files.post("/profiles", {"checkpoint": LIGHTNING, "settings": {"cfg": None, "before": " "}})
    await with_files.post("/profiles", {"checkpoint": LIGHTNING, "settings": {"steps": 5}})
    _, cleared = await with_files.post("/profiles", {"checkpoint": LIGHTNING, "clear": True})

    assert status == 200
    assert known(changed) | {"steps": 4, "cfg": 2.0, "before": "score_9"} == known(changed)
    assert changed["sources"]["cfg"] == "you set it"
    assert (changed["set"]["cfg"], changed["set"]["steps"]) == (2.0, None)
    assert [known(profile) for profile in one["profiles"]] == [known(changed)]
    assert less["settings"]["cfg"] == 1.0
    assert set(cleared["set"].values()) == {None}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"cfg": 1000}, "cfg"),
        ({"vae": "x"}, "vae"),
        ({"width": 832}, "width alone is no size"),
        ({"before": "x" * 10_001}, "before"),
        ({"sampler": 3}, "sampler"),
    ],
)
async def test_values_that_make_no_sense_are_refused(client: Client, settings: dict[str, Any], message: str) -> None:
    """And change nothing."""
    status, answer = await client.post("/profiles", {"checkpoint": "a.ckpt", "settings": settings})

    assert status == 422
    assert message in json.dumps(error(answer))
    assert (await client.get("/profiles"))[1]["profiles"] == []


async def test_without_comfyui_the_name_is_known_and_what_is_set(client: Client) -> None:
    """The standalone server has no files, and ComfyUI's own samplers."""
    _, answer = await client.get("/profiles", checkpoint="sd_xl_turbo_1.0.safetensors")

    (profile,) = answer["profiles"]
    assert profile["sources"]["steps"] == "its name"
    assert "dpmpp_2m" in answer["samplers"]


async def test_a_recommendation_says_what_its_checkpoints_are_drawn_with(with_files: Client) -> None:
    """In the plan's order; a size only where the person set one."""
    await with_files.post("/profiles", {"checkpoint": LIGHTNING, "settings": {"width": 832, "height": 1216}})

    _, answer = await with_files.post("/recommend", {"prompt": "a castle", "pool": {"family": "all"}})

    assert [branch["checkpoint"] for branch in answer["branches"]] == answer["checkpoints"]
    branches = {branch["checkpoint"]: known(branch) for branch in answer["branches"]}
    assert branches["plain.safetensors"] == {"steps": 25, "cfg": 5.0}
    assert branches[LIGHTNING]["width"] == 832


async def keep(runtime: Runtime, name: str, recipe: Recipe, prompt: str = "a castle") -> None:
    """Four images with a checkpoint, all of them kept."""

    async def log(service: PreferenceService) -> None:
        plan = await service.recommend(prompt, [name])
        generation = await service.log_generation(plan, {name: 4}, recipes=[recipe] * 4)
        await service.record_feedback(generation, selected_images=list(range(4)), rejected_images=[])

    await runtime.run(log)


async def test_what_kept_images_used_is_shown_before_what_the_files_say(with_files: Client, runtime: Runtime) -> None:
    """By every route that shows settings, and after what the person set; of a checkpoint with such images alone."""
    await keep(runtime, "plain.safetensors", Recipe(steps=12, cfg=3.5, width=832, height=1216))
    await with_files.post("/profiles", {"checkpoint": "plain.safetensors", "settings": {"cfg": 2}})

    _, all_of_them = await with_files.get("/profiles")
    _, one = await with_files.get("/profiles", checkpoint="plain.safetensors")
    _, changed = await with_files.post("/profiles", {"checkpoint": "plain.safetensors", "settings": {"after": "grain"}})
    _, plan = await with_files.post("/recommend", {"prompt": "a castle", "pool": {"family": "all"}})

    sources = {"steps": "your kept images", "cfg": "you set it"}
    size = {"width": 832, "height": 1216}
    profiles = {profile["checkpoint"]: profile for profile in all_of_them["profiles"]}
    assert known(profiles["plain.safetensors"]) == {"steps": 12, "cfg": 2.0, **size}
    assert profiles["plain.safetensors"]["sources"] == {**sources, **dict.fromkeys(size, "your kept images")}
    assert one["profiles"] == [profiles["plain.safetensors"]]
    assert known(changed) == {"steps": 12, "cfg": 2.0, **size, "after": "grain"}
    assert known(profiles[LIGHTNING])["steps"] == 4
    (branch,) = [each for each in plan["branches"] if each["checkpoint"] == "plain.safetensors"]
    assert (known(branch), branch["sources"]) == (
        {"steps": 12, "cfg": 2.0, "after": "grain"},
        {**sources, "after": "you set it"},
    )


async def test_the_branches_have_what_was_learned_for_their_prompt(with_files: Client, runtime: Runtime) -> None:
    """Another prompt, other settings."""
    for _ in range(3):
        await keep(runtime, "plain.safetensors", Recipe(steps=12), "a pencil sketch")
        await keep(runtime, "plain.safetensors", Recipe(steps=40), "portrait of a judge")

    steps = []
    for prompt in ("a pencil sketch", "portrait of a judge"):
        _, answer = await with_files.post("/recommend", {"prompt": prompt, "candidates": ["plain.safetensors"]})
        steps.append(answer["branches"][0]["settings"]["steps"])

    assert steps == [12, 40]


async def test_a_renamed_file_keeps_what_was_chosen_for_it(runtime: Runtime, tmp_path: Path) -> None:
    """Its profile and its pin, as soon as the rename is noticed."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("one.ckpt", "two.ckpt"):
        (folder / name).write_bytes(name.encode() * 10)
    async with TestClient(TestServer(application(runtime, folder))) as http:
        client = Client(http)
        question = {"prompt": "a castle", "pool": {"family": "all"}}
        await client.post("/profiles", {"checkpoint": "one.ckpt", "settings": {"steps": 9}})
        await client.post("/settings", {"pinned": ["one.ckpt"]})
        plan = await runtime.run(lambda service: service.recommend("a castle", ["one.ckpt", "two.ckpt"]))
        await runtime.run(lambda service: service.log_generation(plan, {"one.ckpt": 1, "two.ckpt": 1}))
        await client.post("/recommend", question)
        (folder / "one.ckpt").rename(folder / "uno.ckpt")

        _, answer = await client.post("/recommend", question)

        branches = {branch["checkpoint"]: known(branch) for branch in answer["branches"]}
        assert branches["uno.ckpt"] == {"steps": 9}
        assert runtime.settings.pinned == ("uno.ckpt",)
        assert list(runtime.settings.profiles) == ["uno.ckpt"]
