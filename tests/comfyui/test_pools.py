"""Pools over real files in a real ComfyUI: families as its own model detection sees them, odd names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import forget, other_checkpoints
from .learned import plan_of

WITHOUT_TEXT_ENCODER = {"needs": "VAE"}  # as the tiny Flux file is
AWKWARD = ["ein Ordner/[1] été, ポニー (v2).safetensors", "ein Ordner/tiefer/a&b #3 100%.safetensors"]


@pytest.fixture(scope="module")
def server(shared_comfy: ComfyServer) -> Iterator[ComfyServer]:
    """One file of each family that we can write, some that are none, and names as people give them."""
    forget(shared_comfy)
    with other_checkpoints(shared_comfy) as folder:
        for family in ("sd15", "sdxl", "sd3", "flux"):
            tiny_checkpoints.write(folder / f"{family}.safetensors", family, seed=1)
        for seed, name in enumerate(AWKWARD):
            tiny_checkpoints.write(folder / name, "sd3", seed=10 + seed)
        (folder / "torn.safetensors").write_bytes((folder / "sd3.safetensors").read_bytes()[:-500_000])
        os.utime(folder / "torn.safetensors", (0, 0))  # a new one could still be written
        (folder / "page.safetensors").write_bytes(b"<!DOCTYPE html><html>Log in first</html>")
        (folder / "pickled.ckpt").write_bytes(b"\x80\x02csystem\nexit\n")
        tiny_checkpoints.write_lora(folder / "lora.safetensors", "sd15")
        yield shared_comfy


def recommended(server: ComfyServer, **inputs: Any) -> list[str]:
    graph = {
        "recommender": node("ContextCheckpointRecommender", prompt="a cat", **inputs),
        "shown": node("PreviewAny", source=["recommender", 4]),
    }
    return list(plan_of(server.run(graph))["checkpoints"])


@pytest.mark.parametrize("family", ["sd15", "sdxl", "flux"])
def test_each_family_holds_the_files_that_comfyui_takes_for_it(server: ComfyServer, family: str) -> None:
    """By its own model detection over the header, the same that the loader uses."""
    assert recommended(server, family=family, **WITHOUT_TEXT_ENCODER) == [f"{family}.safetensors"]


def test_a_family_spans_folders_and_names_of_any_kind(server: ComfyServer) -> None:
    """Subfolders, spaces, brackets, commas, per cent signs, other scripts."""
    assert sorted(recommended(server, family="sd3")) == sorted([*AWKWARD, "sd3.safetensors"])


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_is_found_and_loads(server: ComfyServer, name: str) -> None:
    """What the recommender gives out is what the stock loader takes."""
    graph = by_hand(name)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a cat", include=name)
    graph["loader"]["inputs"]["ckpt_name"] = ["recommender", 1]

    entry = server.run(graph)

    assert plan_of(entry)["checkpoints"] == [name]
    assert len(server.images(entry, "shown")) == 1


def test_auto_follows_the_first_included_checkpoint(server: ComfyServer) -> None:
    """Naming one file is enough to say which architecture a graph is for."""
    assert recommended(server, include="s*") == ["sd15.safetensors"]
    assert recommended(server, include="sdxl*, flux*", **WITHOUT_TEXT_ENCODER) == ["flux.safetensors"]


def test_files_that_cannot_be_checkpoints_are_left_out_with_their_reasons(server: ComfyServer) -> None:
    """Known from their headers, before anybody waits for them to load."""
    with pytest.raises(PromptFailed) as failed:
        recommended(server, include="torn*, page*, pickled*, lora*", family="sd3")

    message = str(failed.value)
    assert "cut short" in message
    assert "a web page" in message
    assert "architecture not known" in message


def test_health_counts_families_and_names_what_is_broken(server: ComfyServer) -> None:
    """What the doctor shows of a running ComfyUI."""
    host = server.get("/context_checkpoint/health")["host"]

    assert host["families"] == {"sd3": 3, "unknown": 2, "flux": 1, "sd15": 1, "sdxl": 1}
    assert set(host["broken"]) == {"torn.safetensors", "page.safetensors"}


def test_the_pool_grows_from_no_checkpoint_to_three_hundred(comfy: ComfyServer) -> None:
    """Without any the message says where to put one; each new file is in the next pool, its header read once."""
    with other_checkpoints(comfy) as folder:
        with pytest.raises(PromptFailed, match="Put a checkpoint there"):
            recommended(comfy)
        tiny_checkpoints.write(folder / "000.safetensors", "sd3", seed=1)
        assert recommended(comfy) == ["000.safetensors"]
        content = (folder / "000.safetensors").read_bytes()
        for number in range(1, 300):
            (folder / f"{number:03}.safetensors").write_bytes(content[:-4] + number.to_bytes(4, "little"))

        assert len(recommended(comfy)) == 3
        assert comfy.get("/context_checkpoint/health")["host"]["checkpoints"] == 300
