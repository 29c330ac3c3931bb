"""The recommender's `ckpt_name` in a person's own graph of stock nodes: it runs once per checkpoint."""

from __future__ import annotations

import uuid
from typing import Any

from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import COLORS
from .learned import plan_of, teach

NINE = "red*, green*, blue*, yellow*, violet*, teal*, orange*, pink*, grey*"
RED, OTHERS = "red.safetensors", ("green.safetensors", "blue.safetensors")


def own_graph(prompt: str, *, batch: int = 1, size: int = 128, **recommender: Any) -> ApiGraph:
    """Stock nodes from loader to saved image, with the recommender before them and the recorder after."""
    graph = by_hand("", prompt=prompt, batch=batch, size=size, save=True)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt=prompt, **{"include": NINE, **recommender})
    graph["loader"]["inputs"]["ckpt_name"] = ["recommender", 1]
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        plan=["recommender", 0],
        ckpt_names=["recommender", 1],
        mode="record",
        selected="",
        rejected="",
    )
    return graph


def made_by(server: ComfyServer, entry: dict[str, Any]) -> list[str]:
    """The checkpoint of each saved image, identified by its colour."""
    return [tiny_checkpoints.made_by(picture.mean_color, COLORS) for picture in server.images(entry, "shown")]


def recorded(entry: dict[str, Any]) -> dict[str, Any]:
    (generation,) = entry["outputs"]["recorder"]["context_checkpoint"]
    return dict(generation)


def fresh_prompt(subject: str = "a harbour") -> str:
    return f"{subject}, {uuid.uuid4().hex[:8]}"


def test_the_graph_runs_once_for_each_recommended_checkpoint(comfy: ComfyServer) -> None:
    """Three at the start, in the plan's order, and the recorder names the checkpoint of each image."""
    entry = comfy.run(own_graph(fresh_prompt()))

    names = plan_of(entry)["checkpoints"]
    assert len(set(names)) == 3
    assert made_by(comfy, entry) == names
    assert [image["checkpoint"] for image in recorded(entry)["images"]] == names


async def test_one_sure_checkpoint_runs_it_once(comfy: ComfyServer) -> None:
    """The compute that the document saves."""
    await teach(comfy, "a stone castle", RED, OTHERS, rounds=40)

    entry = comfy.run(own_graph(fresh_prompt("a stone castle")))

    assert made_by(comfy, entry) == [RED]


def test_an_image_is_the_same_as_without_the_recommender(comfy: ComfyServer) -> None:
    """Pixel for pixel: the recommender chooses the checkpoint and touches nothing else."""
    prompt = fresh_prompt()
    entry = comfy.run(own_graph(prompt, include="red*"))

    alone = comfy.run(by_hand(RED, prompt=prompt, save=True))

    (ours,), (theirs,) = comfy.images(entry, "shown"), comfy.images(alone, "shown")
    assert (ours.pixels == theirs.pixels).all()


def test_a_verdict_on_a_hand_wired_graph_teaches_the_next_plan(comfy: ComfyServer) -> None:
    """Queue, pick the same checkpoint's image wherever it is shown, queue again: it leads the plan."""
    subject = "a wooden ship"
    three = {"include": "red*, green*, blue*", "size": 64}
    for _ in range(6):
        entry = comfy.run(own_graph(fresh_prompt(subject), **three))
        generation = recorded(entry)
        mine = [image["index"] for image in generation["images"] if image["checkpoint"] == RED]
        rest = [image["index"] for image in generation["images"] if image["checkpoint"] != RED]
        comfy.post(
            "/context_checkpoint/feedback",
            {
                "generation_id": generation["generation_id"],
                "selected_images": mine,
                "rejected_images": rest,
            },
        )

    plan = plan_of(comfy.run(own_graph(fresh_prompt(subject), **three)))

    assert plan["checkpoints"][0] == RED
    assert plan["confidence"] > 0.3
    assert len(plan["checkpoints"]) < 3


def test_a_batch_belongs_to_the_checkpoint_that_made_it(comfy: ComfyServer) -> None:
    """A graph that makes two images at a time shows six, two for each checkpoint."""
    entry = comfy.run(own_graph(fresh_prompt(), batch=2))

    names = plan_of(entry)["checkpoints"]
    expected = [name for name in names for _ in range(2)]
    assert made_by(comfy, entry) == expected
    assert [image["checkpoint"] for image in recorded(entry)["images"]] == expected


def test_what_the_graph_has_between_loader_and_sampler_stays(comfy: ComfyServer) -> None:
    """A LoRA in the person's own graph is applied to each of the checkpoints."""
    tiny_checkpoints.write_lora(comfy.base_directory / "models" / "loras" / "shift.safetensors", "sd3")
    prompt = fresh_prompt()
    graph = own_graph(prompt, include="red*")
    reference = by_hand(RED, prompt=prompt, loras=[("shift.safetensors", 1.0, 1.0)], save=True)
    graph["lora_0"] = reference["lora_0"]
    graph["sampler"]["inputs"]["model"] = ["lora_0", 0]
    graph["positive"]["inputs"]["clip"] = graph["negative"]["inputs"]["clip"] = ["lora_0", 1]

    (ours,) = comfy.images(comfy.run(graph), "shown")
    (theirs,) = comfy.images(comfy.run(reference), "shown")

    assert (ours.pixels == theirs.pixels).all()
