"""The settings of images that a real ComfyUI made are learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node

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


def asked_about(comfy: ComfyServer, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of each branch, as the settings node shows them."""
    (shown,) = entry["outputs"]["settings"]["context_checkpoint_settings"]
    return list(shown["branches"])


def with_settings_node(graph: ApiGraph, **inputs: Any) -> ApiGraph:
    sampler = graph["sampler"]["inputs"]
    own = {name: sampler[name] for name in ("steps", "cfg", "sampler_name", "scheduler", "width", "height")}
    settings = node(
        "ContextSettingsRecommender",
        plan=["recommender", 0],
        may_change="all, the size only where you set it",
        clip_skip=1,
        **own,
        **inputs,
    )
    graph["sampler"]["inputs"]["plan"] = ["settings", 0]
    return {**graph, "settings": settings}


def value(comfy: ComfyServer, name: str, default: object) -> dict[str, Any]:
    body = {"prompt": "a red barn", "name": name, "default": default, "checkpoint": "red.safetensors"}
    return dict(comfy.post(PARAMETER, body))


def test_what_kept_images_used_is_drawn_before_what_the_nodes_say(comfy: ComfyServer) -> None:
    """As the second source of a checkpoint's settings, where it is sure."""
    graph = {"size": 64, "recommender": {"include": "red.*"}}
    for seed in range(4):
        comfy.run(three_nodes("a red barn", seed=seed, steps=3, cfg=1.5, selected="all", **graph))

    entry = comfy.run(with_settings_node(three_nodes("a red barn", seed=9, steps=5, cfg=4.0, **graph)))

    (branch,) = asked_about(comfy, entry)
    assert (branch["settings"]["steps"], branch["settings"]["cfg"]) == (3, 1.5)
    assert branch["sources"]["steps"] == branch["sources"]["cfg"] == "your kept images"
    stock = comfy.run(by_hand("red.safetensors", seed=9, size=64, steps=3, cfg=1.5))
    for mine, other in zip(comfy.images(entry, "recorder"), comfy.images(stock), strict=True):
        np.testing.assert_array_equal(mine.pixels, other.pixels)


def test_a_spare_branch_asks_about_one_value_and_the_verdict_teaches_it_alone(comfy: ComfyServer) -> None:
    """The checkpoint's own counts are those of the better image."""
    graph = {"size": 64, "recommender": {"include": "red.*"}}
    comfy.run(three_nodes("a red barn", seed=1, steps=3, selected="all", **graph))
    comfy.run(three_nodes("a red barn", seed=2, steps=5, selected="all", **graph))
    for seed in range(3, 7):
        asking = with_settings_node(three_nodes("a red barn", seed=seed, steps=3, **graph), explore=True)
        asking["recorder"]["inputs"].update(selected="1", rejected="0")
        entry = comfy.run(asking)
        first, second = asked_about(comfy, entry)
        differing = {name for name in first["settings"] if first["settings"][name] != second["settings"][name]}
        assert differing == {"steps"}
        assert second["sources"]["steps"] == "another value, to compare"
        names = [image["checkpoint"] for shown in generations(entry) for image in shown["images"]]
        assert names == ["red.safetensors"] * 2
        before, after = comfy.images(entry, "recorder")
        assert not np.array_equal(before.pixels, after.pixels)

    answer = value(comfy, "steps", 3)
    compared = {known["value"]: (known["selected"], known["total"]) for known in answer["values"]}
    assert sum(total for _, total in compared.values()) == 8
    assert value(comfy, "cfg", 2.0)["source"] == "checkpoint"
    assert {known["total"] for known in value(comfy, "cfg", 2.0)["values"]} == {0}
    (row,) = comfy.get("/context_checkpoint/statistics")["checkpoints"]
    assert (row["selected"], row["total"]) == (6, 6)


def test_a_persons_own_graph_draws_both_and_teaches_too(comfy: ComfyServer) -> None:
    """ComfyUI runs it twice with the one checkpoint; the recorder reads what each image was drawn with."""
    graph = {"size": 64, "recommender": {"include": "red.*"}}
    comfy.run(three_nodes("a red barn", seed=1, steps=3, selected="all", **graph))
    comfy.run(three_nodes("a red barn", seed=2, steps=5, selected="all", **graph))
    asking = with_settings_node(three_nodes("a red barn", seed=3, steps=3, **graph), explore=True)
    own = by_hand(["recommender", 1], seed=3, size=64)
    own |= {name: asking[name] for name in ("recommender", "settings")}
    own["sampler"]["inputs"]["steps"] = ["settings", 1]
    images = {"images": ["decoded", 0], "plan": ["settings", 0], "ckpt_names": ["recommender", 1]}
    own["recorder"] = node("FeedbackRecorder", mode="record", selected="1", rejected="0", **images)

    entry = comfy.run(own)

    names = [image["checkpoint"] for shown in generations(entry) for image in shown["images"]]
    assert names == ["red.safetensors"] * 2
    answer = value(comfy, "steps", 3)
    assert sorted(known["selected"] for known in answer["values"] if known["total"]) == [0, 1]


def test_suggested_words_follow_the_persons_and_the_checkpoints_own(comfy: ComfyServer) -> None:
    """In the list, in what the sampler draws, and in what is logged; without the switch nothing is added."""
    red = "red.safetensors"
    comfy.post("/context_checkpoint/profiles", {"checkpoint": red, "settings": {"negative": "photo"}})
    try:
        kept = three_nodes("a red barn", seed=1, steps=2, size=64, selected="all", recommender={"include": red})
        kept["recommender"]["inputs"]["negative"] = "fog, people, lowres"
        for seed in (1, 2, 3):
            kept["recommender"]["inputs"]["seed"] = seed
            comfy.run(kept)
        graph = three_nodes("a red barn", negative="lowres", seed=4, steps=2, size=64, recommender={"include": red})

        without = comfy.run(watched(with_settings_node(graph, negative="lowres")))
        entry = comfy.run(watched(with_settings_node(graph, negative="lowres", suggest_negative=True)))

        assert without["outputs"]["watched"]["text"] == ["lowres, photo"]
        assert entry["outputs"]["watched"]["text"] == ["lowres, photo, fog, people"]
        (shown,) = entry["outputs"]["settings"]["context_checkpoint_settings"]
        assert [word["word"] for word in shown["negative_words"]] == ["fog", "people"]
        assert shown["negative_words"][0]["reason"] == "3 of 3 images that you kept of such prompts have it."
        stock = by_hand(red, prompt="a red barn", negative="lowres, photo, fog, people", seed=4, steps=2, size=64)
        np.testing.assert_array_equal(
            comfy.images(entry, "recorder")[0].pixels, comfy.images(comfy.run(stock))[0].pixels
        )
        (generation,) = generations(entry)
        (logged,) = comfy.get(f"/context_checkpoint/generations?id={generation['generation_id']}")["generations"]
        assert {"-lowres", "-fog", "-people"} <= {word["text"] for word in logged["keywords"]}
    finally:
        comfy.post("/context_checkpoint/profiles", {"checkpoint": red, "clear": True})


def watched(graph: ApiGraph) -> ApiGraph:
    """With a node that shows the settings node's negative prompts."""
    return {**graph, "watched": node("PreviewAny", source=["settings", 8])}
