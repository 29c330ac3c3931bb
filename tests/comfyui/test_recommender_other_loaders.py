"""`ckpt_name` in the loaders of ComfyUI itself and of other packs, whatever type they declare for it."""

from __future__ import annotations

import pytest

from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import node

from .learned import plan_of


@pytest.mark.parametrize("loader", ["PlainListLoader", "ComboLoader", "TextLoader", "OptionalLoader"])
def test_loaders_of_other_packs_run_once_per_checkpoint(comfy: ComfyServer, loader: str) -> None:
    """ComfyUI accepts the link and hands them one name at a time, each of an existing file."""
    graph = {
        "recommender": node("ContextCheckpointRecommender", prompt="a quiet lake", family="sd3"),
        "loader": node(loader, ckpt_name=["recommender", 1]),
        "shown": node("PreviewAny", source=["loader", 0]),
    }

    entry = comfy.run(graph)

    names = plan_of(entry)["checkpoints"]
    assert len(names) == 3
    assert entry["outputs"]["shown"]["text"] == [str(comfy.checkpoints / name) for name in names]


@pytest.mark.parametrize("loader", ["ImageOnlyCheckpointLoader", "unCLIPCheckpointLoader"])
def test_comfyuis_own_loaders_take_the_link(comfy: ComfyServer, loader: str) -> None:
    """Validation passes for each of them; `test_wiring_own_graph` has the one that most people use."""
    graph = {
        "recommender": node("ContextCheckpointRecommender", prompt="a quiet lake", include="red.*"),
        "loader": node(loader, ckpt_name=["recommender", 1]),
        "shown": node("PreviewAny", source=["loader", 0]),
    }

    prompt_id = comfy.post_prompt(graph)  # a refusal raises

    assert plan_of(comfy.wait(prompt_id))["checkpoints"] == ["red.safetensors"]
