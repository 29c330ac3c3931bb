"""The settings of images that a real ComfyUI made are learned."""

from __future__ import annotations

from context_checkpoint.demo.comfyui.pack_graph import three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer

PARAMETER = "/context_checkpoint/recommend/parameter"


def test_what_kept_images_were_drawn_with_is_recommended(comfy: ComfyServer) -> None:
    """By the sampler's own values; rejected images say nothing for theirs."""
    kept = {"seed": 1, "size": 64, "recommender": {"include": "red.*"}}
    comfy.run(three_nodes("a red barn", steps=3, cfg=1.5, selected="all", **kept))
    comfy.run(three_nodes("a red barn", steps=5, cfg=4.0, rejected="all", **kept))

    answers = {
        name: comfy.post(
            PARAMETER,
            {"prompt": "a red barn", "name": name, "default": default, "checkpoint": "red.safetensors"},
        )
        for name, default in (("steps", 20), ("cfg", 7), ("sampler", "heun"), ("size", [512, 512]), ("clip_skip", 1))
    }

    assert {name: answer["value"] for name, answer in answers.items()} == {
        "steps": 3,
        "cfg": 1.5,
        "sampler": "euler",
        "size": [64, 64],
        "clip_skip": 1,
    }
    assert answers["steps"]["reason"] == "steps 3: 1 of your 1 images with red.safetensors have it."
    assert answers["clip_skip"]["source"] == "default"
