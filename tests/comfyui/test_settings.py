"""Each checkpoint's own settings in a real ComfyUI: in the sampler, in the plan, and in a person's own graph."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, Picture
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.demo.tiny_models.checkpoints import NINE_COLORS, made_by
from context_checkpoint.recipes import read_file

from .conftest import assert_same, preferences_file

RED, GREEN, INK, PAINT = "red.safetensors", "green.safetensors", "text/ink.safetensors", "sd15/paint.safetensors"
PROFILES = "/context_checkpoint/profiles"

Put = Callable[..., None]


@pytest.fixture
def put_sidecar(comfy: ComfyServer) -> Iterator[Put]:
    """Write a Lora-Manager file beside a checkpoint, with one sample image; it is deleted afterwards."""
    written = []

    def put(checkpoint: str, **meta: Any) -> None:
        file = (comfy.checkpoints / checkpoint).with_suffix(".metadata.json")
        file.write_text(json.dumps({"civitai": {"images": [{"meta": meta}]}}))
        written.append(file)

    yield put
    for file in written:
        file.unlink()


@pytest.fixture
def set_profile(comfy: ComfyServer) -> Iterator[Put]:
    """Set a checkpoint's settings as a person does; they are taken back afterwards."""
    names = []

    def put(checkpoint: str, **settings: Any) -> None:
        names.append(checkpoint)
        comfy.post(PROFILES, {"checkpoint": checkpoint, "settings": settings})

    yield put
    for name in names:
        comfy.post(PROFILES, {"checkpoint": name, "clear": True})


def of_checkpoint(comfy: ComfyServer, entry: Mapping[str, Any], checkpoint: str, shown: str) -> list[Picture]:
    names = [image["checkpoint"] for each in generations(entry) for image in each["images"]]
    return [picture for name, picture in zip(names, comfy.images(entry, shown), strict=True) if name == checkpoint]


def two_branches(**sampler: Any) -> ApiGraph:
    return three_nodes(seed=5, images=2, sampler=sampler, recommender={"include": "red.*, green.*", "max_branches": 2})


def test_each_branch_equals_the_graph_wired_by_hand_with_its_own_settings(
    comfy: ComfyServer, put_sidecar: Put, set_profile: Put
) -> None:
    """One checkpoint's from its sidecar, the other's as its person set them; the node's own for the rest."""
    put_sidecar(RED, steps=2, cfgScale=1.5, sampler="DPM++ 2M Karras", Size="64x64")
    set_profile(GREEN, steps=3, sampler="heun", width=96, height=64)

    entry = comfy.run(two_branches())

    red = by_hand(RED, seed=5, steps=2, cfg=1.5, sampler="dpmpp_2m", scheduler="karras")
    green = by_hand(GREEN, seed=5, steps=3, cfg=2.0, sampler="heun", scheduler="normal", size=96, height=64)
    for name, stock in ((RED, red), (GREEN, green)):
        assert_same(of_checkpoint(comfy, entry, name, "recorder"), comfy.images(comfy.run(stock)))


def test_as_set_here_means_the_nodes_own_values(comfy: ComfyServer, put_sidecar: Put, set_profile: Put) -> None:
    """Whatever is known, and whatever the plan says."""
    put_sidecar(RED, steps=2, cfgScale=1.5)
    set_profile(GREEN, steps=3, before="x")
    graph = two_branches(settings="as set here")
    through = with_settings(two_branches(settings="as set here"))

    entries = [comfy.run(graph), comfy.run(through)]

    for entry in entries:
        for name in (RED, GREEN):
            by_stock = comfy.images(comfy.run(by_hand(name, seed=5)))
            assert_same(of_checkpoint(comfy, entry, name, "recorder"), by_stock)


@pytest.mark.parametrize("shared_encoder", [False, True])
def test_words_and_clip_skip_are_a_branchs_own(comfy: ComfyServer, set_profile: Put, shared_encoder: bool) -> None:
    """With the checkpoint's own text encoder, and with one that is connected for all."""
    set_profile(PAINT, clip_skip=2, before="ink drawing", after="masterpiece", negative="photo")
    sampler = {"clip": ["encoder", 1]} if shared_encoder else {}
    graph = three_nodes("an owl", negative="blurry", seed=7, size=64, sampler=sampler, recommender={"include": PAINT})
    if shared_encoder:
        graph["encoder"] = node("CheckpointLoaderSimple", ckpt_name=PAINT)
    plain = three_nodes(
        "an owl",
        negative="blurry",
        seed=7,
        size=64,
        sampler={"settings": "as set here"},
        recommender={"include": PAINT},
    )

    ours, without = comfy.run(graph), comfy.run(plain)

    positive, negative = "ink drawing, an owl, masterpiece", "blurry, photo"
    stock = comfy.run(by_hand(PAINT, prompt=positive, negative=negative, seed=7, size=64, clip_skip=2))
    assert_same(comfy.images(ours, "recorder"), comfy.images(stock))
    (mine,), (other,) = comfy.images(ours, "recorder"), comfy.images(without, "recorder")
    assert not np.array_equal(mine.pixels, other.pixels)


def test_another_clip_skip_is_never_taken_for_the_former(comfy: ComfyServer, set_profile: Put) -> None:
    """Encoded texts are kept between prompts; a layer is part of what they are."""
    images = []
    for skip in (1, 2):
        set_profile(PAINT, clip_skip=skip)
        entry = comfy.run(three_nodes("an owl", seed=7, size=64, recommender={"include": PAINT}))
        images += comfy.images(entry, "recorder")
        assert_same(
            images[-1:], comfy.images(comfy.run(by_hand(PAINT, prompt="an owl", seed=7, size=64, clip_skip=skip)))
        )

    assert not np.array_equal(images[0].pixels, images[1].pixels)


def test_with_a_latent_the_size_is_the_latents(comfy: ComfyServer, set_profile: Put) -> None:
    """A person's image is not stretched."""
    set_profile(RED, width=256, height=256, steps=2)
    graph = three_nodes(seed=3, sampler={"latent": ["empty", 0]}, recommender={"include": RED})
    graph["empty"] = node("EmptyLatentImage", width=64, height=96, batch_size=1)

    pictures = comfy.images(comfy.run(graph), "recorder")

    assert_same(pictures, comfy.images(comfy.run(by_hand(RED, seed=3, steps=2, size=64, height=96))))


def test_a_change_of_a_profile_draws_again(comfy: ComfyServer, set_profile: Put) -> None:
    """ComfyUI's cache does not serve the images of the former settings."""
    graph = three_nodes(seed=9, recommender={"include": RED, "seed": 1})
    first = comfy.run(graph)
    set_profile(RED, steps=2)

    second = comfy.run(graph)

    ids = {generations(entry)[0]["generation_id"] for entry in (first, second)}
    assert len(ids) == 2
    assert_same(comfy.images(second, "recorder"), comfy.images(comfy.run(by_hand(RED, seed=9, steps=2))))


def with_settings(graph: ApiGraph, **inputs: Any) -> ApiGraph:
    """Put the settings node between recommender and sampler."""
    own = {
        "may_change": "all, the size only where you set it",
        "steps": 4,
        "cfg": 2.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "width": 128,
        "height": 128,
        "clip_skip": 1,
    }
    graph["settings"] = node("ContextSettingsRecommender", plan=["recommender", 0], **{**own, **inputs})
    graph["sampler"]["inputs"]["plan"] = ["settings", 0]
    return graph


def shown_settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    (record,) = entry["outputs"]["settings"]["context_checkpoint_settings"]
    return {branch["checkpoint"]: branch for branch in record["branches"]}


def test_a_plan_with_settings_is_drawn_with_them(comfy: ComfyServer, put_sidecar: Put, set_profile: Put) -> None:
    """What is not known comes from the settings node; the node shows each value with its source."""
    put_sidecar(RED, steps=2, Size="64x96")
    set_profile(GREEN, cfg=1.5)

    entry = comfy.run(
        with_settings(two_branches(), may_change="all, the size too", steps=3, cfg=1.0, width=96, height=64)
    )

    red = by_hand(RED, seed=5, steps=2, cfg=1.0, size=64, height=96)
    green = by_hand(GREEN, seed=5, steps=3, cfg=1.5, size=96, height=64)
    for name, stock in ((RED, red), (GREEN, green)):
        assert_same(of_checkpoint(comfy, entry, name, "recorder"), comfy.images(comfy.run(stock)))
    shown = shown_settings(entry)
    assert shown[RED]["settings"]["steps"] == 2
    assert shown[RED]["sources"]["steps"] == "its sidecar file red.metadata.json"
    assert shown[RED]["sources"]["cfg"] == "this node"
    assert shown[GREEN]["sources"] | {"cfg": "you set it"} == shown[GREEN]["sources"]
    assert shown[GREEN]["source_parts"]["cfg"] == [{"text": "you set it", "key": "profile_by_person", "values": {}}]


def test_what_may_not_change_stays_the_samplers(comfy: ComfyServer, put_sidecar: Put, set_profile: Put) -> None:
    """The plan says nothing of it, and the lists have the settings node's values."""
    put_sidecar(RED, steps=2, cfgScale=3, Size="64x64")
    set_profile(RED, after="x", clip_skip=2)
    graph = three_nodes(seed=5, recommender={"include": RED})

    entry = comfy.run(with_settings(graph, may_change="steps, cfg, sampler, scheduler", width=512, height=512))

    assert shown_settings(entry)[RED]["settings"] == {"steps": 2, "cfg": 3.0, "sampler": "euler", "scheduler": "normal"}
    assert_same(comfy.images(entry, "recorder"), comfy.images(comfy.run(by_hand(RED, seed=5, steps=2, cfg=3.0))))


def test_a_persons_own_graph_takes_the_lists(comfy: ComfyServer, put_sidecar: Put, set_profile: Put) -> None:
    """Beside the recommender's `ckpt_name`: ComfyUI runs it once per checkpoint, each with its own settings."""
    put_sidecar(RED, steps=2, cfgScale=1.5, sampler="DPM++ 2M Karras")
    set_profile(GREEN, steps=3, width=64, height=96, negative="photo")
    graph = by_hand("", seed=5, save=True)
    ours = with_settings(two_branches(), negative="blurry")
    graph |= {name: ours[name] for name in ("recommender", "settings")}
    graph["loader"]["inputs"]["ckpt_name"] = ["recommender", 1]
    for slot, name in enumerate(("steps", "cfg", "sampler_name", "scheduler"), start=1):
        graph["sampler"]["inputs"][name] = ["settings", slot]
    for slot, name in enumerate(("width", "height"), start=5):
        graph["latent"]["inputs"][name] = ["settings", slot]
    graph["positive"]["inputs"]["text"] = ["settings", 7]
    graph["negative"]["inputs"]["text"] = ["settings", 8]
    graph["recorder"] = node(
        "FeedbackRecorder",
        mode="record",
        selected="",
        rejected="",
        images=["decoded", 0],
        plan=["settings", 0],
        ckpt_names=["recommender", 1],
    )

    entry = comfy.run(graph)

    pictures = {made_by(picture.mean_color, NINE_COLORS): picture for picture in comfy.images(entry, "shown")}
    red = by_hand(RED, seed=5, steps=2, cfg=1.5, sampler="dpmpp_2m", scheduler="karras", negative="blurry")
    green = by_hand(GREEN, seed=5, steps=3, size=64, height=96, negative="blurry, photo")
    assert_same([pictures["red"]], comfy.images(comfy.run(red)))
    assert_same([pictures["green"]], comfy.images(comfy.run(green)))
    with closing(sqlite3.connect(preferences_file(comfy))) as database:
        rows = database.execute(
            "SELECT name, settings FROM generation_images JOIN checkpoints ON checkpoints.id = checkpoint_id "
            "JOIN image_settings ON image_settings.id = settings_id"
        )
        logged = {name: json.loads(settings) for name, settings in rows}
    assert logged[RED] == {
        "steps": 2,
        "cfg": 1.5,
        "sampler": "dpmpp_2m",
        "scheduler": "karras",
        "width": 128,
        "height": 128,
        "denoise": 1.0,
        "loras": [],
    }
    assert (logged[GREEN]["steps"], logged[GREEN]["width"], logged[GREEN]["height"]) == (3, 64, 96)


def test_a_sampler_that_this_comfyui_lacks_is_said_and_the_nodes_own_is_used(
    comfy: ComfyServer, put_sidecar: Put, set_profile: Put
) -> None:
    """Another pack's, or one that is not installed any more."""
    put_sidecar(RED, sampler="res_9000", steps=2)
    set_profile(RED, scheduler="bong_tangent")

    entry = comfy.run(with_settings(three_nodes(seed=5, recommender={"include": RED})))

    shown = shown_settings(entry)[RED]
    assert (shown["settings"]["sampler"], shown["settings"]["scheduler"]) == ("euler", "normal")
    assert shown["problems"] == [
        "This ComfyUI has no scheduler bong_tangent (you set it).",
        "This ComfyUI has no sampler res_9000 (its sidecar file red.metadata.json).",
    ]
    assert_same(comfy.images(entry, "recorder"), comfy.images(comfy.run(by_hand(RED, seed=5, steps=2))))


def test_the_recommender_shows_what_is_known(comfy: ComfyServer, put_sidecar: Put) -> None:
    """And so does its preview, over HTTP; a profile that changes is shown with the next run."""
    put_sidecar(RED, steps=2)
    graph = three_nodes(seed=5, recommender={"include": RED, "seed": 1})

    plan = comfy.run(graph)["outputs"]["recommender"]["context_checkpoint_plan"][0]
    preview = comfy.post("/context_checkpoint/recommend", {"prompt": "a boat", "pool": {"include": RED}})

    assert [branch["settings"] for branch in plan["branches"]] == [{"steps": 2}]
    assert preview["branches"][0]["settings"]["steps"] == 2
    assert preview["branches"][0]["sources"] == plan["branches"][0]["sources"]


def test_a_saved_file_says_what_its_own_branch_was_drawn_with(
    comfy: ComfyServer, put_sidecar: Put, set_profile: Put
) -> None:
    """Not what the sampler's node shows."""
    put_sidecar(RED, steps=2, cfgScale=1.5, sampler="DPM++ 2M Karras")
    set_profile(GREEN, steps=3, width=64, height=96, before="score_9", negative="photo")
    graph = two_branches()
    graph["saved"] = node(
        "SavePickedImages", images=["sampler", 0], generation=["sampler", 3], filename_prefix="own", format="png"
    )

    shown = comfy.run(graph)["outputs"]["saved"]["images"]

    recipes = [read_file(comfy.base_directory / "output" / file["subfolder"] / file["filename"]) for file in shown]
    by_model = {recipe.model.partition(".")[0]: recipe for recipe in recipes if recipe.model}
    red, green = by_model["red"], by_model["green"]
    assert (red.steps, red.cfg, red.width) == (2, 1.5, 128)
    assert (green.steps, green.cfg, green.width, green.height) == (3, 2.0, 64, 96)
    assert (green.positive, green.negative) == ("score_9, a lighthouse at dusk", "photo")


def test_a_broken_sidecar_fails_nothing(comfy: ComfyServer, put_sidecar: Put) -> None:
    """It is said, and the node's own values are used."""
    put_sidecar(RED, steps=2)
    (comfy.checkpoints / RED).with_suffix(".metadata.json").write_text("[" * 100_000)

    entry = comfy.run(with_settings(three_nodes(seed=5, recommender={"include": RED})))

    assert shown_settings(entry)[RED]["problems"] == ["red.metadata.json: it is not JSON"]
    assert_same(comfy.images(entry, "recorder"), comfy.images(comfy.run(by_hand(RED, seed=5))))


def test_a_bypassed_recommender_fails_no_prompt(comfy: ComfyServer) -> None:
    """The settings node says that no plan arrives, and nothing that needs it runs."""
    graph = with_settings(three_nodes(recommender={"include": RED}))
    del graph["recommender"], graph["settings"]["inputs"]["plan"], graph["sampler"], graph["recorder"]
    graph["shown"] = node("PreviewAny", source=["settings", 1])
    graph["other"] = node("PreviewAny", source="still runs")

    entry = comfy.run(graph)

    assert entry["status"]["status_str"] == "success"
    (told,) = entry["outputs"]["settings"]["context_checkpoint_message"]
    assert told["message"].startswith("No plan arrives")
    assert "shown" not in entry["outputs"]
