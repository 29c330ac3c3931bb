"""Pools over diffusion models, and over checkpoints that lack a text encoder or a VAE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

SD3 = ("d1.safetensors", "d2.safetensors")
FLUX = ("f1.safetensors", "f2.safetensors")
HELPER = "red.safetensors"
"""The checkpoint that gives the graphs their text encoder and their VAE."""


@pytest.fixture
def diffusion_models(comfy: ComfyServer) -> Iterator[Path]:
    """Two of each family, without text encoder and VAE; gone afterwards."""
    folder = comfy.base_directory / "models" / "diffusion_models"
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate((*SD3, *FLUX)):
        path = tiny_checkpoints.write(folder / name, "sd3" if name in SD3 else "flux", seed=seed)
        for prefix in ("first_stage_model.", "vae.", "text_encoders."):
            hide(path, prefix)
    yield folder
    for name in (*SD3, *FLUX):
        (folder / name).unlink()


def hide(path: Path, prefix: str) -> None:
    """Rename the tensors of this prefix in a file's header, which hides them from ComfyUI."""
    content = path.read_bytes()
    path.write_bytes(content.replace(f'"{prefix}'.encode(), f'"{"x" * len(prefix)}'.encode()))


def by_hand_with(unet: Any, **options: Any) -> ApiGraph:
    graph = by_hand(HELPER, **options)
    graph["unet"] = node("UNETLoader", unet_name=unet, weight_dtype="default")
    graph["sampler"]["inputs"]["model"] = ["unet", 0]
    return graph


def plan(entry: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
    return shown


@pytest.mark.parametrize(("family", "names"), [("sd3", SD3), ("flux", FLUX)])
def test_a_persons_own_graph_runs_once_for_each_recommended_diffusion_model(
    comfy: ComfyServer, diffusion_models: Path, family: str, names: tuple[str, str]
) -> None:
    """`ckpt_name` in UNETLoader's `unet_name`: the same pixels as with each by hand, and a verdict on them."""
    graph = by_hand_with(["recommender", 1])
    pool = {"folder": "diffusion_models", "family": family, "stage": "draft"}
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a boat", **pool)
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected="0",
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["recommender", 1],
    )
    entry = comfy.run(graph)
    [generation] = generations(entry)
    shown = [image["checkpoint"] for image in generation["images"]]
    assert sorted(shown) == sorted(names)
    assert [image["verdict"] for image in generation["images"]] == ["selected", None]
    for name, picture in zip(shown, comfy.images(entry, "shown"), strict=True):
        (alone,) = comfy.images(comfy.run(by_hand_with(name)))
        assert np.array_equal(picture.pixels, alone.pixels)


@pytest.mark.parametrize(("family", "names"), [("sd3", SD3), ("flux", FLUX)])
def test_the_sampler_draws_them_with_a_linked_text_encoder_and_vae(
    comfy: ComfyServer, diffusion_models: Path, family: str, names: tuple[str, str]
) -> None:
    """The same pixels as by hand; without the links it says what is missing."""
    pool = {"folder": "diffusion_models", "family": family, "stage": "draft"}
    links = {"clip": ["helper", 1], "vae": ["helper", 2]}
    graph = three_nodes(recommender=pool, sampler=links)
    graph["helper"] = node("CheckpointLoaderSimple", ckpt_name=HELPER)
    entry = comfy.run(graph)
    images = generations(entry)[0]["images"]
    assert sorted(image["checkpoint"] for image in images) == sorted(names)
    for image, picture in zip(images, comfy.images(entry, "recorder"), strict=True):
        (alone,) = comfy.images(comfy.run(by_hand_with(image["checkpoint"])))
        assert np.array_equal(picture.pixels, alone.pixels)

    with pytest.raises(PromptFailed, match="holds no text encoder"):
        comfy.run(three_nodes(recommender=pool))
    again = comfy.run(graph)
    assert len(generations(again)[0]["images"]) == 2, "they are not broken"


def test_the_loader_for_a_persons_own_graph_gives_their_model(comfy: ComfyServer, diffusion_models: Path) -> None:
    """CLIP and VAE come from elsewhere."""
    graph = by_hand(HELPER)
    pool = {"folder": "diffusion_models", "family": "sd3", "stage": "draft", "needs": "model only"}
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a boat", **pool)
    graph["lists"] = node("RecommendedCheckpointLoader", plan=["recommender", 0])
    graph["sampler"]["inputs"]["model"] = ["lists", 0]
    assert len(comfy.images(comfy.run(graph))) == 2


def test_a_checkpoint_that_lacks_a_part_is_only_in_pools_that_do_not_need_it(comfy: ComfyServer) -> None:
    """Read from its header: nobody has to run into it first."""
    folder = comfy.checkpoints / "parts"
    whole = tiny_checkpoints.write(folder / "whole.safetensors", "sd3", seed=1)
    no_clip = tiny_checkpoints.write(folder / "no_clip.safetensors", "sd3", seed=2)
    no_vae = tiny_checkpoints.write(folder / "no_vae.safetensors", "sd3", seed=3)
    hide(no_clip, "text_encoders.")
    hide(no_vae, "first_stage_model.")
    expected = {
        "CLIP and VAE": {whole},
        "CLIP": {whole, no_vae},
        "VAE": {whole, no_clip},
        "model only": {whole, no_clip, no_vae},
    }
    try:
        for needs, files in expected.items():
            graph = {
                "recommender": node(
                    "ContextCheckpointRecommender", prompt=needs, include="parts/*", stage="draft", needs=needs
                ),
                "shown": node("PreviewAny", source=["recommender", 4]),
            }
            recommended = plan(comfy.run(graph))["checkpoints"]
            assert {Path(name).name for name in recommended} == {file.name for file in files}
    finally:
        for file in (whole, no_clip, no_vae):
            file.unlink()
        folder.rmdir()
