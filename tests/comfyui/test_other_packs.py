"""Savers of other packs as people have them installed: what their files say, and what is learned from them.

`CC_OTHER_PACKS` names the folder that has the packs, laid out like `custom_nodes`, and in `site-packages` what they
need. A saver whose pack is not there is skipped.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, HistoryEntry
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.recipes import Recipe, read_file
from context_checkpoint.recipes.samplers import sampler_and_scheduler

from .conftest import ComfyFactory, forget, preferences_file, with_other_packs
from .test_image_import import imported, move, recommended
from .test_saving import drawn_by, files, run_with, save

pytestmark = pytest.mark.packs

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}
FORMATS = ("png", "webp", "jpeg")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a saver is told of an image."""

    folder: str
    extension: str = "png"
    prompt: str = "a lighthouse in a storm"
    seed: int = 1
    checkpoint: str | list[object] = "teal.safetensors"


def settings(wanted: Wanted, scheduler: str) -> dict[str, Any]:
    texts = {"positive": wanted.prompt, "negative": "blurry"}
    return {"steps": 4, "cfg": 2.0, "sampler_name": "euler", scheduler: "normal", "width": 128, "height": 128, **texts}


def image_saver(wanted: Wanted) -> dict[str, Any]:
    place = {"path": wanted.folder, "filename": "image_saver_%seed", "extension": wanted.extension}
    known = {"modelname": wanted.checkpoint, "seed_value": wanted.seed, "download_civitai_data": False}
    return {**settings(wanted, "scheduler_name"), **place, **known}


def save_image_with_metadata(wanted: Wanted) -> dict[str, Any]:
    """It overwrites files of the same name: the model tells them apart."""
    place = {"path": wanted.folder, "filename": "w_metadata_%seed_%model", "extension": wanted.extension}
    known = {"modelname": wanted.checkpoint, "seed_value": wanted.seed}
    needed = {"lossless_webp": True, "quality_jpeg_or_webp": 95, "counter": 0, "time_format": "%Y"}
    return {**settings(wanted, "scheduler"), **place, **known, **needed}


def sd_prompt_saver(wanted: Wanted) -> dict[str, Any]:
    place = {"path": wanted.folder, "filename": "sd_prompt_%seed", "extension": wanted.extension}
    return {**settings(wanted, "scheduler"), **place, "model_name": wanted.checkpoint, "seed": wanted.seed}


def lora_manager(wanted: Wanted) -> dict[str, Any]:
    """It finds out by itself what made the image."""
    return {"filename_prefix": f"{wanted.folder}/lora_manager", "file_format": wanted.extension}


def universal(wanted: Wanted) -> dict[str, Any]:
    """It finds out by itself, too."""
    chosen = {"sampler_selection_method": "Farthest", "sampler_selection_node_id": 0}
    return {"filename_prefix": f"{wanted.folder}/universal", "file_format": wanted.extension, **chosen}


TAKE_A_NAME: dict[str, Callable[[Wanted], dict[str, Any]]] = {
    "Image Saver": image_saver,
    "Save Image w/Metadata": save_image_with_metadata,
    "SDPromptSaver": sd_prompt_saver,
}
SAVERS = {**TAKE_A_NAME, "Save Image (LoraManager)": lora_manager, "SaveImageWithMetaDataUniversal": universal}


@pytest.fixture(scope="module")
def comfy(comfy_factory: ComfyFactory) -> ComfyServer:
    """A server with all packs of the folder, and a home of its own, where some of them write."""
    return with_other_packs(comfy_factory(start=False)).start()


@pytest.fixture
def saver(request: pytest.FixtureRequest, comfy: ComfyServer) -> str:
    name = str(request.param)
    if name not in comfy.get("/object_info"):
        pytest.skip(f"NOT RUN: no pack in CC_OTHER_PACKS has the node {name}")
    return name


def saved_by(saver: str, wanted: Wanted) -> ApiGraph:
    """ComfyUI's own nodes, and a saver behind them."""
    graph = by_hand(str(wanted.checkpoint), prompt=wanted.prompt, negative="blurry", seed=wanted.seed)
    graph["shown"] = node(saver, images=["decoded", 0], **SAVERS[saver](wanted))
    return graph


def run(comfy: ComfyServer, graph: ApiGraph) -> HistoryEntry:
    return run_with(comfy, graph, {"workflow": {"nodes": [], "links": []}})


def model_of(recipe: Recipe) -> str | None:
    return None if recipe.model is None else recipe.model.removesuffix(".safetensors") + ".safetensors"


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("saver", SAVERS, indirect=True)
def test_a_file_says_what_made_it(comfy: ComfyServer, saver: str, extension: str) -> None:
    """With the graph beside it or without, as each saver writes it."""
    wanted = Wanted(f"said_{extension}", extension, seed=7)

    [file] = files(comfy, run(comfy, saved_by(saver, wanted)), "shown")

    recipe = read_file(file)
    assert model_of(recipe) == "teal.safetensors" == drawn_by(file)
    assert (recipe.positive, recipe.negative, recipe.seed) == (wanted.prompt, "blurry", 7)
    assert (recipe.steps, recipe.cfg, recipe.width, recipe.height) == (4, 2.0, 128, 128)
    assert sampler_and_scheduler(recipe.sampler or "", recipe.scheduler or "")[0] == "euler"


@pytest.mark.parametrize("picked", [(0, 2), (0, 1, 2)], ids=["some", "all"])
@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("saver", TAKE_A_NAME, indirect=True)
def test_behind_the_recorder_each_file_names_its_own_checkpoint(
    comfy: ComfyServer, saver: str, extension: str, picked: tuple[int, ...]
) -> None:
    """The recorder's names are linked to the saver, which runs once per image; an import believes them."""
    selected = ",".join(map(str, picked))
    graph = three_nodes("a mill", negative="blurry", images=3, selected=selected, recommender=RED_GREEN_BLUE)
    wanted = Wanted(f"named_{uuid.uuid4().hex[:8]}", extension, "a mill", checkpoint=["recorder", 3])
    graph["shown"] = node(saver, images=["recorder", 0], **SAVERS[saver](wanted))

    entry = run(comfy, graph)

    images = generations(entry)[0]["images"]
    saved = files(comfy, entry, "shown")
    assert [drawn_by(file) for file in saved] == [images[at]["checkpoint"] for at in picked]
    assert [model_of(read_file(file)) for file in saved] == [drawn_by(file) for file in saved]
    move(saved[0], "favorites")
    forget(comfy)
    imported(comfy, saved[0].parent, dry_run=False)
    assert recommended(comfy, "a mill")["checkpoints"][0] == images[0]["checkpoint"]


@pytest.mark.parametrize("saver", [*TAKE_A_NAME, "SaveImageWithMetaDataUniversal"], indirect=True)
@pytest.mark.parametrize("left", ["teal.safetensors", "red.safetensors"])
def test_a_name_that_was_left_in_the_saver_is_not_believed(comfy: ComfyServer, saver: str, left: str) -> None:
    """Nothing is linked to it, and that checkpoint drew none of the images, or one of them."""
    graph = three_nodes("a mill", negative="blurry", images=3, selected="0,2", recommender=RED_GREEN_BLUE)
    wanted = Wanted(f"left_{left}", prompt="a mill", checkpoint=left)
    graph["shown"] = node(saver, images=["recorder", 0], **SAVERS[saver](wanted))

    saved = files(comfy, run(comfy, graph), "shown")

    assert {read_file(file).model for file in saved} == {None}


def test_after_the_database_is_gone_what_all_savers_wrote_serves_the_next_prompt(comfy: ComfyServer) -> None:
    """Stock, ours and those of at least two other packs: images of one checkpoint were kept, of the other rejected."""
    others = [name for name in SAVERS if name in comfy.get("/object_info")]
    assert len(others) >= 2, f"CC_OTHER_PACKS has {others}: this test needs the savers of two packs"
    folder = comfy.base_directory / "output" / "kept"
    savers = ("SaveImage", "SavePickedImages", *others)
    for number, name in enumerate(savers):
        for place, checkpoint in (("favorites", "teal.safetensors"), ("rejected", "pink.safetensors")):
            wanted = Wanted(folder.name, prompt=f"a lighthouse in a storm, variant {number}", seed=number)
            move(saved(comfy, name, replace(wanted, checkpoint=checkpoint)), place)
    comfy.stop()
    for file in preferences_file(comfy).parent.glob("preferences.db*"):
        file.unlink()
    comfy.start()
    cold = recommended(comfy, "a lighthouse in a storm")

    survey = imported(comfy, folder)["survey"]
    learned = imported(comfy, folder, dry_run=False)["learned"]

    assert {each["name"]: each["images"] for each in survey["matched"]} == {
        "teal.safetensors": len(savers),
        "pink.safetensors": len(savers),
    }
    assert (survey["kept"], survey["rejected"], learned["added"]) == (len(savers), len(savers), 2 * len(savers))
    warm = recommended(comfy, "a lighthouse in a storm")
    assert warm["checkpoints"][0] == "teal.safetensors"
    assert warm["confidence"] > cold["confidence"]
    assert len(warm["checkpoints"]) <= len(cold["checkpoints"])


def saved(comfy: ComfyServer, name: str, wanted: Wanted) -> Path:
    if name in SAVERS:
        graph = saved_by(name, wanted)
    else:
        graph = by_hand(str(wanted.checkpoint), prompt=wanted.prompt, negative="blurry", seed=wanted.seed)
        prefix = f"{wanted.folder}/{name}"
        picked = save(["decoded", 0], filename_prefix=prefix)
        graph["shown"] = (
            picked if name == "SavePickedImages" else node(name, images=["decoded", 0], filename_prefix=prefix)
        )
    [file] = files(comfy, run(comfy, graph), "shown")
    return file
