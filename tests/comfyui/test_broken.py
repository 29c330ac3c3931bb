"""Checkpoints that cannot be loaded: they drop out of the round, are told, and are not recommended again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

FOLDER = "test_broken"


@pytest.fixture
def folder(comfy: ComfyServer) -> Iterator[Path]:
    """A folder among the shared server's checkpoints, with one good one in it; gone afterwards."""
    place = comfy.checkpoints / FOLDER
    place.mkdir()
    tiny_checkpoints.write(place / "good.safetensors", "sd3", color=(0.8, 0.2, 0.2))
    yield place
    for file in place.iterdir():
        file.unlink()
    place.rmdir()


def not_a_model(path: Path) -> Path:
    """Valid tensors that no architecture has."""
    save_file({"some.weight": np.ones((4, 4), np.float32)}, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


def truncated_pickle(path: Path) -> Path:
    """An old .ckpt that was cut off: only loading tells."""
    path.with_suffix(".ckpt").write_bytes(b"PK\x03\x04" + b"\0" * 2000)
    return path.with_suffix(".ckpt")


BREAKAGES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "not a model": (not_a_model, ""),
    "truncated pickle": (truncated_pickle, ""),
}


@pytest.mark.parametrize(("break_it", "reason"), BREAKAGES.values(), ids=BREAKAGES)
def test_a_broken_checkpoint_drops_out_while_the_others_go_on(
    comfy: ComfyServer, folder: Path, break_it: Callable[[Path], Path], reason: str
) -> None:
    """Told on the sampler, at the recorder and in the log; and not recommended again."""
    broken = f"{FOLDER}/{break_it(folder / 'bad').name}"
    pool = {"family": "all", "include": f"{FOLDER}/*", "stage": "draft"}

    entry = comfy.run(three_nodes("a boat", recommender=pool))
    again = comfy.run(three_nodes("a castle", recommender=pool))

    assert names(entry) == [f"{FOLDER}/good.safetensors"]
    assert f"{broken} dropped out of this generation: " in generations(entry)[0]["message"]
    [dropped] = dropped_out(entry)
    assert dropped["checkpoint"] == broken
    assert reason in dropped["reason"]
    assert len(dropped["reason"]) < 400
    assert f"Checkpoint {broken} drops out of this generation" in comfy.log
    assert recommended(again) == [f"{FOLDER}/good.safetensors"]
    assert generations(again)[0]["message"] == ""


def test_a_mended_checkpoint_is_recommended_again(comfy: ComfyServer, folder: Path) -> None:
    """What was broken is remembered by size and time of change."""
    pool = {"family": "all", "include": f"{FOLDER}/*", "stage": "draft"}
    path = not_a_model(folder / "bad")
    comfy.run(three_nodes("a boat", recommender=pool))

    tiny_checkpoints.write(path, "sd3", color=(0.2, 0.2, 0.8))
    entry = comfy.run(three_nodes("a castle", recommender=pool))

    assert sorted(names(entry)) == [f"{FOLDER}/bad.safetensors", f"{FOLDER}/good.safetensors"]


def test_when_none_is_left_the_prompt_fails_with_what_to_do(comfy: ComfyServer, folder: Path) -> None:
    """Each checkpoint with its reason; nothing is logged as a generation."""
    not_a_model(folder / "bad")
    only_bad = {"family": "all", "include": f"{FOLDER}/bad*"}

    with pytest.raises(PromptFailed) as failed:
        comfy.run(three_nodes(recommender=only_bad))

    message = str(failed.value)
    assert message.startswith("MultiCheckpointSampler")
    assert f"{FOLDER}/bad.safetensors: " in message
    assert "Queue again" in message
    assert comfy.get("/context_checkpoint/generations")["generations"] == []


def test_a_checkpoint_that_is_gone_since_it_was_recommended_drops_out(comfy: ComfyServer, folder: Path) -> None:
    """The plan comes out of ComfyUI's cache, the file does not."""
    pool = {"include": f"{FOLDER}/*", "stage": "draft", "seed": 1}
    gone = tiny_checkpoints.write(folder / "gone.safetensors", "sd3", color=(0.2, 0.2, 0.8))
    kept_plan = three_nodes("a boat", seed=1, recommender=pool)
    first = comfy.run(kept_plan)
    gone.unlink()

    entry = comfy.run(three_nodes("a boat", seed=2, recommender=pool))

    assert len(names(first)) == 2
    assert names(entry) == [f"{FOLDER}/good.safetensors"]


def test_the_loader_for_a_graph_of_ones_own_leaves_it_out_of_its_lists(comfy: ComfyServer, folder: Path) -> None:
    """Names, models and images run in parallel all the same, and the recorder says who is missing."""
    not_a_model(folder / "bad")
    graph = by_hand("red.safetensors")
    graph["recommender"] = node(
        "ContextCheckpointRecommender",
        prompt="a boat",
        family="all",
        include=f"{FOLDER}/*",
        stage="draft",
    )
    graph["loader"] = node("RecommendedCheckpointLoader", plan=["recommender", 0])
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected="",
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["loader", 3],
    )

    entry = comfy.run(graph)

    assert names(entry) == [f"{FOLDER}/good.safetensors"]
    assert f"{FOLDER}/bad.safetensors took no part" in generations(entry)[0]["message"]
    assert len(comfy.images(entry, "shown")) == 1


def names(entry: dict[str, Any]) -> list[str]:
    return [image["checkpoint"] for image in generations(entry)[0]["images"]]


def recommended(entry: dict[str, Any]) -> list[str]:
    plan: list[str] = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]["checkpoints"]
    return plan


def dropped_out(entry: dict[str, Any]) -> list[dict[str, str]]:
    """What the nodes say has dropped out."""
    return [dropped for output in entry["outputs"].values() for dropped in output.get("context_checkpoint_dropped", ())]
