"""Files that a real ComfyUI has saved say what made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.recipes import Recipe, examine_file, read_file

SAVERS = {
    "SaveImage": {},
    "SaveAnimatedPNG": {"fps": 1.0, "compress_level": 4},
    "SaveAnimatedWEBP": {"fps": 1.0, "lossless": True, "quality": 80, "method": "default"},
}


def files_of(server: ComfyServer, graph: ApiGraph) -> dict[str, Path]:
    """The last file of each node that saves one."""
    outputs = server.run(graph)["outputs"]
    saved = {node_id: output["images"][-1] for node_id, output in outputs.items() if output.get("images")}
    folder = server.base_directory / "output"
    return {node_id: folder / file["subfolder"] / file["filename"] for node_id, file in saved.items()}


@pytest.mark.parametrize("saver", SAVERS)
def test_what_was_queued_is_read_from_the_file(comfy: ComfyServer, saver: str) -> None:
    """In each format that ComfyUI's own nodes write."""
    graph = by_hand("teal.safetensors", prompt="a lighthouse, テスト", negative="blurry", seed=2**63 + 7, save=True)
    graph["shown"] = node(saver, images=["decoded", 0], filename_prefix="recipes/kept", **SAVERS[saver])

    (file,) = files_of(comfy, graph).values()

    assert read_file(file) == Recipe(
        model="teal.safetensors",
        loras=(),
        positive="a lighthouse, テスト",
        negative="blurry",
        steps=4,
        cfg=2.0,
        sampler="euler",
        scheduler="normal",
        denoise=1.0,
        seed=2**63 + 7,
        width=128,
        height=128,
        tool="ComfyUI",
    )


def test_each_file_of_a_graph_with_two_branches_has_its_own_model(comfy: ComfyServer) -> None:
    """Both files hold the whole graph; the prefix of its name tells which branch one is of."""
    graph = by_hand("teal.safetensors", save=True)
    for name, entry in by_hand("pink.safetensors", save=True).items():
        links = {key: [f"other_{v[0]}", v[1]] if isinstance(v, list) else v for key, v in entry["inputs"].items()}
        graph[f"other_{name}"] = {"class_type": entry["class_type"], "inputs": links}
    graph["other_shown"]["inputs"]["filename_prefix"] = "other_hand"

    files = files_of(comfy, graph)

    assert read_file(files["shown"]).model == "teal.safetensors"
    assert read_file(files["other_shown"]).model == "pink.safetensors"


def test_a_file_of_our_nodes_says_all_where_there_was_one_checkpoint(comfy: ComfyServer) -> None:
    """The stock SaveImage writes the queued prompt, where the plan is still open."""
    graph = {
        "plan": node("ContextCheckpointRecommender", prompt="a lighthouse", include="teal*", stage="final"),
        "sampler": node(
            "MultiCheckpointSampler",
            plan=["plan", 0],
            positive="",
            negative="blurry",
            width=128,
            height=128,
            seed=5,
            steps=4,
            cfg=2.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
            images_per_prompt=1,
        ),
        "shown": node("SaveImage", images=["sampler", 0], filename_prefix="ours"),
    }

    reading = examine_file(files_of(comfy, graph)["shown"])

    assert reading.recipe is not None
    recipe = reading.recipe
    assert (recipe.model, recipe.positive, recipe.seed) == ("teal.safetensors", "a lighthouse", 5)
    assert reading.unread == ()
    assert reading.prompt is not None
    assert reading.prompt["plan"]["class_type"] == "ContextCheckpointRecommender"  # type: ignore[index]
