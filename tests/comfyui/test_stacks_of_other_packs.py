"""LoRA stacks between our nodes and those of other packs as people have them installed, both ways, and logged.

`CC_OTHER_PACKS` names the folder that has the packs (docs/development.md). A node whose pack is not there is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, Lora, node
from context_checkpoint.demo.tiny_models.checkpoints import write_lora

from .conftest import ComfyFactory, forget, with_other_packs
from .test_lora_recommender import advised, loras, shown
from .test_loras import (
    GRAIN,
    INK,
    LORAS,
    PAINT,
    RED,
    WASH,
    assert_same,
    by_stock,
    differ,
    drawn,
    logged_loras,
    message,
    one,
    own_graph,
    stock,
)

pytestmark = pytest.mark.packs


def efficiency(*loras: Lora) -> dict[str, Any]:
    """Its node has fifty places, and shows as many as `lora_count` says."""
    inputs: dict[str, Any] = {"input_mode": "advanced", "lora_count": len(loras) + 1}
    for number, (name, model, clip) in enumerate([*loras, *[("None", 1.0, 1.0)] * (50 - len(loras))], start=1):
        values = {"lora_name": name, "lora_wt": 0.9, "model_str": model, "clip_str": clip}
        inputs |= {f"{key}_{number}": value for key, value in values.items()}
    return inputs


def comfyroll(*loras: Lora) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for number, (name, model, clip) in enumerate([*loras, *[("None", 1.0, 1.0)] * (3 - len(loras))], start=1):
        values = {"switch": "On", "lora_name": name, "model_weight": model, "clip_weight": clip}
        inputs |= {f"{key}_{number}": value for key, value in values.items()}
    return inputs


def lora_manager(*loras: Lora) -> dict[str, Any]:
    """Its list has names without folder and extension; it looks the files up by itself."""
    entries = [
        {
            "name": name.rpartition("/")[2].removesuffix(".safetensors"),
            "strength": model,
            "clipStrength": clip,
            "active": True,
        }
        for name, model, clip in loras
    ]
    return {"text": "", "loras": {"__value__": entries}}


STACKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "LoRA Stacker": efficiency,
    "CR LoRA Stack": comfyroll,
    "Lora Stacker (LoraManager)": lora_manager,
}


TRIGGERS = {WASH: ("watercolour", 0.75), GRAIN: ("film grain", 0.5), INK: ("watercolour", 0.75)}
"""Of each LoRA its trigger word, and the strength that its author prefers."""


def comfyroll_loader() -> ApiGraph:
    return {"applied": node("CR Apply LoRA Stack", model=["loader", 0], clip=["loader", 1])}


def lora_manager_loader() -> ApiGraph:
    own = {"text": "", "loras": {"__value__": []}}
    return {"applied": node("Lora Loader (LoraManager)", model=["loader", 0], clip=["loader", 1], **own)}


def efficient_loader() -> ApiGraph:
    """It loads the checkpoint too; its text encoder is the sixth of what it gives."""
    inputs = {"vae_name": "Baked VAE", "clip_skip": -1, "lora_name": "None", "positive": "", "negative": ""}
    inputs |= {"lora_model_strength": 1.0, "lora_clip_strength": 1.0, "batch_size": 1}
    inputs |= {"token_normalization": "none", "weight_interpretation": "comfy"}
    size = {"empty_latent_width": 64, "empty_latent_height": 64}
    return {"applied": node("Efficient Loader", ckpt_name=["recommender", 1], **inputs, **size)}


LOADERS: dict[str, tuple[Callable[[], ApiGraph], int, tuple[str, ...]]] = {
    "CR Apply LoRA Stack": (comfyroll_loader, 1, (RED, PAINT)),
    "Lora Loader (LoraManager)": (lora_manager_loader, 1, (RED, PAINT)),
    "Efficient Loader": (efficient_loader, 5, (PAINT,)),  # its own encoder knows no SD 3
}
"""Each with the place of the text encoder in what it gives, and checkpoints that it can load."""


@pytest.fixture(scope="module")
def server(comfy_factory: ComfyFactory) -> ComfyServer:
    """A server with all packs of the folder. Its LoRAs have trigger words, beside them as A1111 keeps them."""
    server = with_other_packs(comfy_factory(start=False))
    for seed, (name, family) in enumerate(LORAS.items()):
        file = write_lora(server.base_directory / "models" / "loras" / name, family, seed=seed)  # type: ignore[arg-type]
        words, strength = TRIGGERS[name]
        file.with_suffix(".json").write_text(json.dumps({"activation text": words, "preferred weight": strength}))
    return server.start()


@pytest.fixture
def comfy(server: ComfyServer) -> ComfyServer:
    forget(server)
    return server


def stacked(comfy: ComfyServer, stacker: str, graph: ApiGraph, target: str, *loras: Lora) -> ApiGraph:
    """Connect a pack's stacker with these LoRAs; the test is skipped where the pack is not there."""
    if stacker not in comfy.get("/object_info"):
        pytest.skip(f"NOT RUN: no pack in CC_OTHER_PACKS has the node {stacker}")
    graph["stack"] = node(stacker, **STACKERS[stacker](*loras))
    graph[target]["inputs"]["lora_stack"] = ["stack", 0]
    return graph


@pytest.mark.parametrize("stacker", STACKERS)
def test_our_sampler_draws_what_a_stacker_gives(comfy: ComfyServer, stacker: str) -> None:
    """Pixel for pixel as a chain of stock loaders, with both strengths; and logged."""
    loras = (WASH, 0.8, 0.25), (GRAIN, -0.5, 1.0)

    entry = comfy.run(stacked(comfy, stacker, one(RED), "sampler", *loras))

    assert message(entry) == ""
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED, *loras))
    assert logged_loras(comfy) == [(RED, sorted(map(list, loras)))]


@pytest.mark.parametrize("stacker", STACKERS)
def test_our_loader_loads_what_a_stacker_gives(comfy: ComfyServer, stacker: str) -> None:
    """Each checkpoint with the LoRAs of its architecture; what the graph says is logged as it was drawn."""
    graph = own_graph(f"{RED}, {PAINT}")
    graph["recommender"]["inputs"]["family"] = "all"

    entry = comfy.run(stacked(comfy, stacker, graph, "loader", (WASH, 0.8, 0.8), (INK, 0.75, 0.5)))

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "shown"), strict=True))
    assert_same([pictures[RED]], by_stock(comfy, RED, (WASH, 0.8, 0.8)))
    assert_same([pictures[PAINT]], by_stock(comfy, PAINT, (INK, 0.75, 0.5)))
    assert dict(logged_loras(comfy)) == {RED: [[WASH, 0.8, 0.8]], PAINT: [[INK, 0.75, 0.5]]}


def test_stackers_in_a_row_are_one_stack(comfy: ComfyServer) -> None:
    """Of different packs."""
    graph = stacked(comfy, "CR LoRA Stack", one(RED), "sampler", (WASH, 1.0, 1.0))
    graph = stacked(comfy, "LoRA Stacker", graph | {"first": graph["stack"]}, "sampler", (GRAIN, 0.5, 0.5))
    graph["stack"]["inputs"]["lora_stack"] = ["first", 0]

    ours = drawn(comfy, graph)

    assert_same(ours, by_stock(comfy, RED, (GRAIN, 0.5, 0.5), (WASH, 1.0, 1.0)))
    assert differ(ours, by_stock(comfy, RED))


@pytest.mark.parametrize("stacker", STACKERS)
def test_an_empty_stacker_changes_nothing(comfy: ComfyServer, stacker: str) -> None:
    """Nothing is chosen in it."""
    ours = drawn(comfy, stacked(comfy, stacker, one(RED), "sampler"))

    assert_same(ours, drawn(comfy, stock(RED), "shown"))
    assert logged_loras(comfy) == [(RED, [])]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_packs_loader_loads_what_our_recommender_gives(comfy: ComfyServer, loader: str) -> None:
    """A stack for each checkpoint, pixel for pixel as a chain of stock loaders; the log has each checkpoint's own."""
    if loader not in comfy.get("/object_info"):
        pytest.skip(f"NOT RUN: no pack in CC_OTHER_PACKS has the node {loader}")
    applied, clip, checkpoints = LOADERS[loader]
    prompt = "an owl, watercolour, film grain"
    graph = own_graph(", ".join(checkpoints))
    graph["recommender"]["inputs"] |= {"family": "all", "prompt": prompt}
    graph = advised(graph) | applied()
    graph["loader"] = node("CheckpointLoaderSimple", ckpt_name=["recommender", 1])
    graph["applied"]["inputs"]["lora_stack"] = ["loras", 1]
    graph["recorder"]["inputs"]["ckpt_names"] = ["recommender", 1]
    graph["positive"]["inputs"] |= {"clip": ["applied", clip], "text": prompt}
    graph["negative"]["inputs"]["clip"] = ["applied", clip]
    graph["sampler"]["inputs"]["model"] = ["applied", 0]

    entry = comfy.run(graph)

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "shown"), strict=True))
    own = {branch["checkpoint"]: loras(branch) for branch in shown(entry)}
    expected = {RED: {(WASH, 0.75, 0.75), (GRAIN, 0.5, 0.5)}, PAINT: {(INK, 0.75, 0.75)}}
    assert {checkpoint: set(stack) for checkpoint, stack in own.items()} == {
        checkpoint: expected[checkpoint] for checkpoint in checkpoints
    }
    for checkpoint in checkpoints:
        with_them = by_stock(comfy, checkpoint, *own[checkpoint], prompt=prompt)
        assert_same([pictures[checkpoint]], with_them)
        assert differ(with_them, by_stock(comfy, checkpoint, prompt=prompt))
    assert dict(logged_loras(comfy)) == {name: sorted(map(list, stack)) for name, stack in own.items()}
