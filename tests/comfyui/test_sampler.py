"""`MultiCheckpointSampler` in a real ComfyUI: how many images each checkpoint makes, and exactly which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, Picture
from context_checkpoint.demo.comfyui.stock_graph import by_hand, node
from context_checkpoint.demo.tiny_models.checkpoints import NINE_COLORS, made_by

from .conftest import assert_same

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*"}


def drawn(pictures: Sequence[Picture]) -> list[str]:
    """The checkpoint of each image, by its colour."""
    return [f"{made_by(picture.mean_color, NINE_COLORS)}.safetensors" for picture in pictures]


def names(entry: Mapping[str, Any]) -> list[str]:
    """The checkpoint of each image, from the recorder."""
    return [image["checkpoint"] for shown in generations(entry) for image in shown["images"]]


@pytest.mark.parametrize(("branches", "strategy"), [(3, "explore"), (1, "exploit")])
def test_a_plan_of_three_or_one_checkpoints_makes_one_image_with_each(
    comfy: ComfyServer, branches: int, strategy: str
) -> None:
    """The images' colours are those of the checkpoints that the recorder names, in the plan's order."""
    graph = three_nodes(recommender={**RED_GREEN_BLUE, "max_branches": branches})

    entry = comfy.run(graph)

    plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
    assert plan["strategy"] == strategy
    assert len(plan["checkpoints"]) == branches
    assert names(entry) == plan["checkpoints"]
    assert drawn(comfy.images(entry, "recorder")) == plan["checkpoints"]


def test_ten_images_are_divided_seven_to_three_when_it_is_fairly_sure(comfy: ComfyServer) -> None:
    """Exploit + explore: 70/30."""
    teach_red(comfy)
    fairly_sure = {**RED_GREEN_BLUE, "exploit_threshold": 1.0, "explore_threshold": 0.0}

    entry = comfy.run(three_nodes("a red barn", seed=50, images=10, size=64, recommender=fairly_sure))

    pictures = drawn(comfy.images(entry, "recorder"))
    assert pictures == names(entry)
    assert pictures[:7] == ["red.safetensors"] * 7
    assert len(pictures) == 10
    assert len(set(pictures[7:]) - {"red.safetensors"}) == 1


def test_an_empty_positive_prompt_is_the_recommenders(comfy: ComfyServer) -> None:
    """Nobody has to write the prompt twice."""
    ink = {"include": "text/ink.safetensors"}

    written = comfy.run(three_nodes("an owl in the snow", recommender=ink))
    left_out = comfy.run(three_nodes("an owl in the snow", recommender=ink, sampler={"positive": ""}))

    (first,), (second,) = comfy.images(written, "recorder"), comfy.images(left_out, "recorder")
    assert np.array_equal(first.pixels, second.pixels)
    (other,) = comfy.images(comfy.run(three_nodes("a red barn", recommender=ink)), "recorder")
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("checkpoint", ["red.safetensors", "sd15/paint.safetensors"])
def test_a_branch_makes_the_images_of_the_same_graph_wired_by_hand(comfy: ComfyServer, checkpoint: str) -> None:
    """Pixel for pixel, for each image of the branch's batch, with 16 and with 4 latent channels."""
    prompt, size = "an owl in the snow", 64
    ours = comfy.run(
        three_nodes(
            prompt,
            negative="blurry",
            seed=7,
            size=size,
            images=3,
            sampler={"sampler_name": "dpmpp_2m", "scheduler": "karras"},
            recommender={"include": checkpoint},
        )
    )
    stock = comfy.run(
        by_hand(
            checkpoint,
            prompt=prompt,
            negative="blurry",
            seed=7,
            size=size,
            batch=3,
            sampler="dpmpp_2m",
            scheduler="karras",
        )
    )

    assert_same(comfy.images(ours, "recorder"), comfy.images(stock))


def test_every_branch_equals_its_own_hand_wired_graph(comfy: ComfyServer) -> None:
    """The order in which branches run leaves no trace in any of them."""
    ours = comfy.run(three_nodes(seed=11, images=6, recommender=RED_GREEN_BLUE))

    for position, checkpoint in enumerate(dict.fromkeys(names(ours))):
        by_stock = comfy.run(by_hand(checkpoint, seed=11, batch=2))
        mine = comfy.images(ours, "recorder")[2 * position : 2 * position + 2]
        assert_same(mine, comfy.images(by_stock))


def test_latents_and_names_run_in_parallel_with_the_images(comfy: ComfyServer) -> None:
    """Saving each image under its checkpoint's name needs no more than the two lists."""
    graph = three_nodes(images=6, recommender=RED_GREEN_BLUE)
    graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix=["sampler", 2])

    entry = comfy.run(graph)

    saved = comfy.images(entry, "saved")
    assert [picture.filename.split(".")[0] for picture in saved] == [name.split(".")[0] for name in names(entry)]
    assert drawn(saved) == names(entry)


def test_two_prompts_queued_at_once_are_two_generations(comfy: ComfyServer) -> None:
    """Neither waits for the other's images, and neither takes the other's id."""
    first = comfy.post_prompt(three_nodes("a boat", seed=1, recommender=RED_GREEN_BLUE))
    second = comfy.post_prompt(three_nodes("a boat", seed=2, recommender=RED_GREEN_BLUE))

    entries = [comfy.wait(first), comfy.wait(second)]

    ids = [generations(entry)[0]["generation_id"] for entry in entries]
    assert len(set(ids)) == 2
    for entry in entries:
        assert drawn(comfy.images(entry, "recorder")) == names(entry)


def test_two_samplers_on_one_plan_are_two_generations(comfy: ComfyServer) -> None:
    """Identical nodes do not share one output, so a verdict on one says nothing of the other."""
    graph = three_nodes(recommender=RED_GREEN_BLUE)
    again = three_nodes(recommender=RED_GREEN_BLUE)
    graph["sampler_2"], graph["recorder_2"] = again["sampler"], again["recorder"]
    graph["recorder_2"]["inputs"] |= {"images": ["sampler_2", 0], "generation": ["sampler_2", 3]}

    entry = comfy.run(graph)

    assert generations(entry)[0]["generation_id"] != generations(entry, "recorder_2")[0]["generation_id"]


def test_the_same_queued_twice_is_one_generation_from_the_cache(comfy: ComfyServer) -> None:
    """Nothing is sampled and nothing logged when ComfyUI serves all from its cache."""
    graph = three_nodes(seed=77, recommender={**RED_GREEN_BLUE, "seed": 5})

    first, second = comfy.run(graph), comfy.run(graph)

    assert generations(first)[0]["generation_id"] == generations(second)[0]["generation_id"]
    assert len(comfy.get("/context_checkpoint/generations")["generations"]) == 1


def teach_red(comfy: ComfyServer) -> None:
    """Prefer red for barns, once."""
    entry = comfy.run(three_nodes("a red barn", size=64, recommender={**RED_GREEN_BLUE, "stage": "draft"}))
    red = names(entry).index("red.safetensors")
    verdict = {"selected_images": [red], "rejected_images": [place for place in range(3) if place != red]}
    comfy.post("/context_checkpoint/feedback", {"generation_id": generations(entry)[0]["generation_id"], **verdict})
