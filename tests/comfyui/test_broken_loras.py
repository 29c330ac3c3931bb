"""LoRAs that cannot be applied: they are left out and named, the images are made without them and never credit them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, node
from context_checkpoint.demo.tiny_models.checkpoints import write_lora

from .conftest import assert_same
from .test_lora_recommender import advised, loras, shown
from .test_loras import (
    PAINT,
    RED,
    by_stock,
    drawn,
    logged_loras,
    message,
    one,
    own_graph,
    stock,
    with_stack,
)

GOOD = "good.safetensors"
LAYER = "diffusion_model.final_layer.linear"


@pytest.fixture(autouse=True)
def folder(comfy: ComfyServer) -> Iterator[Path]:
    """ComfyUI's folder with one LoRA that works; empty afterwards."""
    place = comfy.base_directory / "models" / "loras"
    write_lora(place / GOOD, "sd3", seed=1)
    yield place
    for file in place.iterdir():
        if file.is_file():
            file.unlink()


def bytes_of(suffix: str, content: bytes) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        (folder / f"bad{suffix}").write_bytes(content)
        return f"bad{suffix}"

    return write


def cut_off(folder: Path) -> str:
    """The first half of a good file."""
    whole = (folder / GOOD).read_bytes()
    return bytes_of(".safetensors", whole[: len(whole) // 2])(folder)


def overlapping(folder: Path) -> str:
    """A whole header whose tensors lie where no reader accepts them."""
    place = {"dtype": "F16", "shape": [64, 1], "data_offsets": [0, 64]}
    header = json.dumps({f"{LAYER}.lora_A.weight": place, f"{LAYER}.lora_B.weight": place}).encode()
    return bytes_of(".safetensors", struct.pack("<Q", len(header)) + header + bytes(128))(folder)


def tensors(**shapes: tuple[int, ...]) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        parts = {f"{LAYER}.{name}.weight": np.ones(shape, np.float16) for name, shape in shapes.items()}
        save_file(parts, folder / "bad.safetensors")
        return "bad.safetensors"

    return write


BREAKAGES: dict[str, tuple[Callable[[Path], str], str]] = {
    "cut off": (cut_off, "it is still being written"),
    "empty": (bytes_of(".safetensors", b""), "it is still being written"),
    "garbage": (bytes_of(".safetensors", b"\xff" * 3000), "it is not a safetensors file"),
    "whole header, broken tensors": (overlapping, "Error while deserializing header"),
    "pickle cut off": (bytes_of(".pt", b"PK\x03\x04" + bytes(2000)), ""),
    "empty pickle": (bytes_of(".pt", b""), ""),
    "garbage pickle": (bytes_of(".pt", b"\xff" * 3000), ""),
    "other shapes": (tensors(lora_A=(1, 7), lora_B=(5, 1)), f"fits no layer of {RED}"),
    "ranks that differ": (tensors(lora_A=(1, 64), lora_B=(64, 2)), f"fits no layer of {RED}"),
    "no layer of it": (tensors(nobody=(3, 3)), f"fits no layer of {RED}"),
}


def said_of(name: str, said: str) -> str:
    """What is said of one LoRA."""
    assert said.count(name) == 1
    return said[said.index(f"The LoRA {name} ") :]


@pytest.mark.parametrize(("break_it", "reason"), BREAKAGES.values(), ids=BREAKAGES)
def test_the_sampler_draws_without_a_broken_lora(
    comfy: ComfyServer, folder: Path, break_it: Callable[[Path], str], reason: str
) -> None:
    """The others are applied, the node and the recorder name it, and the log credits those that were applied."""
    bad = break_it(folder)
    graph = with_stack(one(RED), (bad, 1.0, 1.0), (GOOD, 0.7, 0.7))

    entry = comfy.run(graph)

    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED, (GOOD, 0.7, 0.7)))
    assert reason in said_of(bad, message(entry))
    assert logged_loras(comfy) == [(RED, [[GOOD, 0.7, 0.7]])]


@pytest.mark.parametrize(("break_it", "reason"), BREAKAGES.values(), ids=BREAKAGES)
def test_the_loader_loads_without_a_broken_lora(
    comfy: ComfyServer, folder: Path, break_it: Callable[[Path], str], reason: str
) -> None:
    """The checkpoint stays in the plan, for a graph of one's own."""
    bad = break_it(folder)
    graph = with_stack(own_graph(RED), (bad, 1.0, 1.0), (GOOD, 0.7, 0.7))

    entry = comfy.run(graph)

    assert_same(comfy.images(entry, "shown"), by_stock(comfy, RED, (GOOD, 0.7, 0.7)))
    assert reason in said_of(bad, message(entry))
    assert logged_loras(comfy) == [(RED, [[GOOD, 0.7, 0.7]])]


@pytest.mark.parametrize("break_it", [overlapping, BREAKAGES["other shapes"][0]])
@pytest.mark.parametrize("make", [one, own_graph])
def test_a_mended_lora_is_applied_without_another_seed(
    comfy: ComfyServer, folder: Path, make: Callable[[str], ApiGraph], break_it: Callable[[Path], str]
) -> None:
    """The same graph, queued again, is not served from ComfyUI's cache; and the sampler says nothing any more."""
    bad = break_it(folder)
    graph = with_stack(make(RED), (bad, 0.9, 0.9))
    shown = "recorder" if make is one else "shown"
    before = drawn(comfy, graph, shown)
    write_lora(folder / "mended.safetensors", "sd3", seed=5)
    (folder / "mended.safetensors").replace(folder / bad)

    entry = comfy.run(graph)

    assert_same(before, by_stock(comfy, RED))
    assert_same(comfy.images(entry, shown), by_stock(comfy, RED, (bad, 0.9, 0.9)))
    assert message(entry) == ""


def test_a_lora_that_vanishes_after_the_plan_is_left_out(comfy: ComfyServer, folder: Path) -> None:
    """Between the moment when its name was found and the moment when it is read."""
    write_lora(folder / "gone.safetensors", "sd15", seed=2)
    graph = with_stack(one(PAINT), ("gone.safetensors", 1.0, 1.0))
    graph["encoder"] = node("CheckpointLoaderSimple", ckpt_name=PAINT)
    graph["deletes"] = node("DeletesLora", clip=["encoder", 1], name="gone.safetensors")
    graph["sampler"]["inputs"]["clip"] = ["deletes", 0]

    entry = comfy.run(graph)

    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, PAINT))
    assert "There is no LoRA gone.safetensors in ComfyUI's folders" in message(entry)
    assert logged_loras(comfy) == [(PAINT, [])]


def test_a_broken_lora_is_not_recommended_again(comfy: ComfyServer, folder: Path) -> None:
    """Until its file changes, like a broken checkpoint."""
    bad = spoil(write_lora(folder / "wash.safetensors", "sd3", seed=3, tags={"watercolour": 20}))
    (folder / "wash.metadata.json").write_text(json.dumps({"civitai": {"trainedWords": ["watercolour"]}}))
    graph = advised(one(RED, "an owl, watercolour"))

    entry = comfy.run(graph)
    graph["sampler"]["inputs"]["seed"] = 8
    again = comfy.run(graph)

    assert names_of(entry) == [bad]
    assert f"The LoRA {bad} cannot be applied" in message(entry)
    assert logged_loras(comfy) == [(RED, []), (RED, [])]
    assert names_of(again) == []
    assert message(again) == ""


def spoil(path: Path) -> str:
    """Keep the header with its trigger words, and put the tensors where no reader accepts them."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    for entry in header.values():
        if "data_offsets" in entry:
            entry["data_offsets"] = [0, 2]
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return path.name


def names_of(entry: dict[str, Any]) -> list[str]:
    """The LoRAs that the plan has."""
    return [lora[0] for branch in shown(entry) for lora in loras(branch)]


def test_a_stock_loader_still_fails(comfy: ComfyServer, folder: Path) -> None:
    """What this file tests is not ComfyUI's own doing."""
    bad = overlapping(folder)
    with pytest.raises(PromptFailed):
        comfy.run(stock(RED, (bad, 1.0, 1.0)))
