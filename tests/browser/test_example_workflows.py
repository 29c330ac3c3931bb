"""Every example workflow is listed, opens in the frontend and runs, on checkpoints that it never heard of."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.server import ComfyServer, Refused
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

FOLDER = Path(__file__).parents[2] / "example_workflows"
EXAMPLES = sorted(FOLDER.glob("*.json"))
OUR_NODES = {
    "ContextCheckpointRecommender",
    "ContextLoraRecommender",
    "ContextSettingsRecommender",
    "FeedbackRecorder",
    "MultiCheckpointSampler",
    "RecommendedCheckpointLoader",
    "SavePickedImages",
}
SMALL = {
    "MultiCheckpointSampler": {"width": 128, "height": 128, "steps": 4},
    "EmptyLatentImage": {"width": 128, "height": 128},
    "KSampler": {"steps": 4},
    "ContextSettingsRecommender": {"width": 128, "height": 128, "steps": 6},
    "ImageScaleToTotalPixels": {"megapixels": 0.02},
}
PICKS = ("save_picked", "draft_then_final")
"""Those that wait for a pick."""


@pytest.fixture(scope="module", autouse=True)  # before the page asks which files there are
def chosen(comfy: ComfyServer) -> Mapping[str, Mapping[str, str]]:
    """Three diffusion models, and what a person chooses for them and for the examples that begin with an image."""
    models = comfy.base_directory / "models"
    for seed in range(3):
        files = tiny_checkpoints.write_parts(models, f"part{seed}.safetensors", seed=seed)
    pixels = np.full((90, 150, 4), 160, np.uint8)
    pixels[:, :75, 3] = 0  # what the mask editor makes of the painted part
    inputs = comfy.base_directory / "input"
    Image.fromarray(pixels).save(inputs / "my holiday.png")
    shutil.copy(comfy.installation.path / "input" / "example.png", inputs)  # the input folder of every ComfyUI has it
    return {
        "LoadImage": {"image": "my holiday.png"},
        "CLIPLoader": {"clip_name": files["text_encoders"].name},
        "VAELoader": {"vae_name": files["vae"].name},
    }


@pytest.fixture(scope="module", autouse=True)
def lora(comfy: ComfyServer) -> Iterator[str]:
    """A LoRA that fits the checkpoints, whose trigger word is in the examples' prompt."""
    file = comfy.base_directory / "models" / "loras" / "skin.safetensors"
    sidecar = file.with_suffix(".json")
    tiny_checkpoints.write_lora(file, "sd3")
    sidecar.write_text('{"activation text": "freckles"}', "utf-8")
    yield file.name
    file.unlink()
    sidecar.unlink()


def read(file: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return workflow


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
async def test_it_opens_without_a_missing_node_and_runs(
    comfyui: ComfyPage, chosen: Mapping[str, Mapping[str, str]], lora: str, file: Path
) -> None:
    """Three checkpoints are compared, and the recorder shows and logs what each of them made."""
    workflow = read(file)
    await comfyui.load(workflow)
    for node_type, values in [*chosen.items(), *SMALL.items()]:
        if any(node["type"] == node_type for node in workflow["nodes"]):
            await comfyui.set_widgets(node_type, **values)
    missing = await comfyui.page.evaluate(
        """() => window.app.rootGraph.nodes
          .filter((node) => node.has_errors || !(node.type in LiteGraph.registered_node_types))
          .map((node) => node.type)"""
    )

    running = asyncio.create_task(comfyui.run())
    if file.stem in PICKS:
        await pick_first(comfyui)
    entry = await running

    assert missing == []
    assert entry["status"]["status_str"] == "success", entry["status"]
    recorded = [r for output in entry["outputs"].values() for r in output.get("context_checkpoint", ())]
    (generation,) = recorded
    assert len({image["checkpoint"] for image in generation["images"]}) == 3
    check = CHECKS.get(file.stem)
    if check is not None:
        check(comfyui.server, entry)
    if file.stem == "loras":
        (advised,) = [r for output in entry["outputs"].values() for r in output.get("context_checkpoint_loras", ())]
        assert [[name for name, *_ in branch["loras"]] for branch in advised["branches"]] == [[lora]] * 3
    held = comfyui.server.get(f"/context_checkpoint/generations?id={generation['generation_id']}")
    assert [image["file"]["filename"] for image in held["generations"][0]["images"]] == [
        image["filename"] for image in generation["images"]
    ]


def check_settings(comfy: ComfyServer, entry: Mapping[str, Any]) -> None:
    """A file whose name says Turbo has its maker's few steps and no guidance beside the others' settings."""
    [shown] = [each for output in entry["outputs"].values() for each in output.get("context_checkpoint_settings", ())]
    settings = {branch["checkpoint"]: branch["settings"] for branch in shown["branches"]}
    assert {"Turbo" in name: (known["steps"], known["cfg"]) for name, known in settings.items()} == {
        True: (4, 1.0),
        False: (6, 6.0),
    }


def check_final(comfy: ComfyServer, entry: Mapping[str, Any]) -> None:
    """The picked draft alone is made again in twice its size, and its file says which it is."""
    [generation] = [each for output in entry["outputs"].values() for each in output.get("context_checkpoint", ())]
    [saved] = [file for output in entry["outputs"].values() for file in output.get("images", ())]
    with Image.open(comfy.base_directory / "output" / saved["subfolder"] / saved["filename"]) as final:
        origin = json.loads(final.info["context_checkpoint"])
        assert final.size == (256, 256)
    picked = generation["images"][origin["position"]]
    assert (origin["generation"], origin["checkpoint"]) == (generation["generation_id"], picked["checkpoint"])
    assert picked["verdict"] == "selected"


def check_painted(comfy: ComfyServer, entry: Mapping[str, Any]) -> None:
    """What was painted arrives; the node would say that the mask is empty."""
    [generation] = [each for output in entry["outputs"].values() for each in output.get("context_checkpoint", ())]
    assert generation["message"] == ""


CHECKS = {"settings": check_settings, "draft_then_final": check_final, "inpainting": check_painted}
"""What an example shows besides that it runs."""


async def pick_first(comfyui: ComfyPage) -> None:
    """Answer the run that waits, as a person does in the gallery."""
    await expect(comfyui.page.get_by_role("button", name="Continue")).to_be_visible(timeout=60_000)
    images = comfyui.page.get_by_role("list", name="Images of this run").get_by_role("listitem")
    await images.first.get_by_role("button", name="Pick").click()
    await comfyui.page.get_by_role("button", name="Continue").click()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_examples_have_every_input_of_our_nodes(comfyui: ComfyPage) -> None:
    """In the nodes' own order, and a value for each widget: they are made again when a node gets another input."""
    saved = {
        (file.stem, node["type"]): (
            [entry["name"] for entry in node["inputs"]],
            len(node.get("widgets_values", ())),
        )
        for file in EXAMPLES
        for node in read(file)["nodes"]
        if node["type"] in OUR_NODES
    }

    new = await comfyui.page.evaluate(
        """(types) => Object.fromEntries(types.map((type) => {
          const node = LiteGraph.createNode(type);
          const values = (node.widgets ?? []).filter(({ serialize }) => serialize !== false);
          return [type, [node.inputs.map(({ name }) => name), values.length]];
        }))""",
        sorted(OUR_NODES),
    )

    assert {node_type for _, node_type in saved} == OUR_NODES
    assert saved == {(stem, node_type): tuple(new[node_type]) for stem, node_type in saved}


@pytest.mark.asyncio(loop_scope="session")
async def test_a_workflow_saved_before_the_recorder_gave_names_gets_them(comfyui: ComfyPage) -> None:
    """Its outputs keep their places, and the new ones are there."""
    workflow = read(FOLDER / "save_picked.json")
    [recorder] = [node for node in workflow["nodes"] if node["type"] == "FeedbackRecorder"]
    del recorder["outputs"][3:]

    await comfyui.load(workflow)

    outputs = await comfyui.page.evaluate(
        """() => window.app.rootGraph.nodes
          .find((node) => node.type === "FeedbackRecorder")
          .outputs.map(({ name, links }) => [name, (links ?? []).length])"""
    )
    assert outputs == [
        ["selected_images", 1],
        ["rejected_images", 0],
        ["generation", 1],
        ["selected_names", 0],
        ["rejected_names", 0],
        ["selected_plan", 0],
    ]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("format_name", ["png", "webp"])
async def test_a_saved_file_opens_its_workflow_in_comfyuis_page(comfyui: ComfyPage, format_name: str) -> None:
    """What was picked is saved, and dropped on the page it brings back the workflow."""
    await comfyui.load(read(FOLDER / "save_picked.json"))
    await comfyui.set_widgets("MultiCheckpointSampler", **SMALL["MultiCheckpointSampler"])
    await comfyui.set_widgets("SavePickedImages", format=format_name, filename_prefix="browser/%checkpoint%")
    running = asyncio.create_task(comfyui.run())
    await pick_first(comfyui)
    entry = await running
    [saved] = [file for output in entry["outputs"].values() for file in output.get("images", ())]
    content = (comfyui.server.base_directory / "output" / "browser" / saved["filename"]).read_bytes()
    await comfyui.page.evaluate("window.app.rootGraph.clear()")

    await comfyui.page.evaluate(
        """async ([content, name, type]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          await window.app.handleFile(new File([bytes], name, { type }));
        }""",
        [base64.b64encode(content).decode(), saved["filename"], f"image/{format_name}"],
    )

    types = await comfyui.page.evaluate("window.app.rootGraph.nodes.map((node) => node.type)")
    assert {"ContextCheckpointRecommender", "SavePickedImages"} <= set(types)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_it_names_no_checkpoint(file: Path) -> None:
    """Pools are rules: a file name of the machine that made it would be missing on every other."""
    assert ".safetensors" not in file.read_text("utf-8")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_it_has_a_thumbnail(file: Path) -> None:
    """ComfyUI shows it in its list of templates."""
    with Image.open(file.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert max(thumbnail.size) <= 512


def test_comfyui_lists_the_examples_and_serves_them(comfy: ComfyServer) -> None:
    """In the templates dialog, with their thumbnails, also from a folder with a space in its name."""
    listed = comfy.get("/workflow_templates")

    ((pack, names),) = listed.items()
    assert " " in pack
    assert sorted(names) == [file.stem for file in EXAMPLES]
    for file in EXAMPLES:
        for name in (file.name, f"{file.stem}.jpg"):
            served = comfy.request("GET", f"/api/workflow_templates/{quote(pack)}/{name}")
            assert served == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("path", ["../__init__.py", "%2e%2e/__init__.py", "..%2f__init__.py", "nowhere.js"])
def test_nothing_outside_of_the_web_folder_is_served(comfy: ComfyServer, path: str) -> None:
    """The pack's sources are nobody's business over HTTP."""
    (pack,) = comfy.get("/workflow_templates")

    with pytest.raises(Refused) as refused:
        comfy.request("GET", f"/extensions/{quote(pack)}/{path}")

    assert refused.value.status == 404
