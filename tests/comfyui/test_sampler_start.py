"""What the branches of `MultiCheckpointSampler` start from in a real ComfyUI: a latent, an image, a picked image."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from PIL import Image

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node

from .conftest import assert_same, preferences_file


def test_an_image_is_the_start_when_a_latent_is_given(comfy: ComfyServer) -> None:
    """Image to image: equal to the same wiring by hand, and near the image at a low denoise."""
    give_image(comfy, "start.png")
    start = {
        "image": node("LoadImage", image="start.png"),
        "encoder": node("CheckpointLoaderSimple", ckpt_name="red.safetensors"),
        "encoded": node("VAEEncode", pixels=["image", 0], vae=["encoder", 2]),
    }
    ours = three_nodes(seed=3, sampler={"denoise": 0.4, "latent": ["encoded", 0]}, recommender={"include": "red.*"})
    stock = from_latent("red.safetensors", ["encoded", 0], seed=3, denoise=0.4)

    mine = comfy.run({**start, **ours})
    theirs = comfy.run({**start, **stock})

    assert_same(comfy.images(mine, "recorder"), comfy.images(theirs, "shown"))


def test_an_inpainting_mask_holds_in_every_branch(comfy: ComfyServer) -> None:
    """Where nothing is masked, a branch keeps the image that it was given; where something is, it draws."""
    give_image(comfy, "masked.png", masked_half=True)
    start = masked_start("masked.png")
    ours = three_nodes(seed=3, sampler={"latent": ["masked", 0]}, recommender={"include": "red.*"})
    stock = from_latent("red.safetensors", ["masked", 0], seed=3, denoise=1.0)
    given = {
        "given": node("VAEDecode", samples=["encoded", 0], vae=["encoder", 2]),
        "given_shown": node("PreviewImage", images=["given", 0]),
    }

    drawn_by_us = comfy.run({**start, **ours, **given})
    drawn_by_hand = comfy.run({**start, **stock})

    [mine], [before] = comfy.images(drawn_by_us, "recorder"), comfy.images(drawn_by_us, "given_shown")
    assert_same([mine], comfy.images(drawn_by_hand, "shown"))
    changed = np.abs(mine.pixels.astype(int) - before.pixels).max(axis=(0, 2))
    assert changed[:48].min() > 2
    assert changed[-48:].max() <= 1


@pytest.mark.parametrize(("given", "images"), [(2, 3), (4, 3)])
def test_a_branch_takes_its_share_from_the_start_of_a_batch_and_starts_over(
    comfy: ComfyServer, given: int, images: int
) -> None:
    """The rule for a latent of several images; by hand it is Repeat Latent Batch and Latent From Batch."""
    graph = three_nodes(seed=3, images=images, recommender={"include": "red.*"})
    graph["empty"] = node("EmptySD3LatentImage", width=64, height=64, batch_size=given)
    graph["sampler"]["inputs"]["latent"] = ["empty", 0]
    graph["latent_seen"] = node("VAEDecode", samples=["sampler", 1], vae=["vae", 2])
    graph["vae"] = node("CheckpointLoaderSimple", ckpt_name="red.safetensors")
    graph["shown_latents"] = node("PreviewImage", images=["latent_seen", 0])

    entry = comfy.run(graph)

    pictures = comfy.images(entry, "recorder")
    assert len(pictures) == images
    assert_same(pictures, comfy.images(entry, "shown_latents"))


def test_an_image_is_encoded_with_each_checkpoints_own_vae(comfy: ComfyServer) -> None:
    """Two architectures side by side, each equal to the same wiring by hand; and the log knows the denoise."""
    give_image(comfy, "start.png")
    pair = {"family": "all", "include": "red.*, sd15/paint.*", "stage": "draft"}
    ours = three_nodes(seed=3, sampler={"denoise": 0.4, "image": ["image", 0]}, recommender=pair)
    mine = comfy.run({"image": node("LoadImage", image="start.png"), **ours})

    [shown] = generations(mine)
    assert {image["checkpoint"] for image in shown["images"]} == {"red.safetensors", "sd15/paint.safetensors"}
    for image, picture in zip(shown["images"], comfy.images(mine, "recorder"), strict=True):
        stock = encoded_by(image["checkpoint"], "start.png", seed=3, denoise=0.4)
        assert_same([picture], comfy.images(comfy.run(stock), "shown"))
    with closing(sqlite3.connect(preferences_file(comfy))) as database:
        rows = database.execute(
            "SELECT settings FROM generation_images JOIN image_settings ON image_settings.id = settings_id"
        )
        logged = [json.loads(settings) for (settings,) in rows]
    assert [(settings["denoise"], settings.get("width")) for settings in logged] == [(0.4, None)] * 2


def test_an_image_with_a_mask_equals_inpainting_by_hand(comfy: ComfyServer) -> None:
    """As Set Latent Noise Mask does it, for each image of a branch."""
    give_image(comfy, "masked.png", masked_half=True)
    start = {"image": ["image", 0], "mask": ["image", 1], "denoise": 0.8}
    ours = three_nodes(seed=3, images=2, sampler=start, recommender={"include": "red.*"})
    stock = from_latent("red.safetensors", ["twice", 0], seed=3, denoise=0.8)
    twice = {"twice": node("RepeatLatentBatch", samples=["masked", 0], amount=2)}

    mine = comfy.run({"image": node("LoadImage", image="masked.png"), **ours})
    theirs = comfy.run({**masked_start("masked.png"), **twice, **stock})

    assert_same(comfy.images(mine, "recorder"), comfy.images(theirs, "shown"))


def test_an_empty_mask_is_said_and_fails_nothing(comfy: ComfyServer) -> None:
    """Somebody forgot to paint: the images come, with what to do."""
    give_image(comfy, "start.png")
    ours = three_nodes(sampler={"image": ["image", 0], "mask": ["image", 1]}, recommender={"include": "red.*"})

    entry = comfy.run({"image": node("LoadImage", image="start.png"), **ours})

    assert "The mask is empty" in generations(entry)[0]["message"]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ({"image": ["image", 0], "latent": ["empty", 0]}, "Connect one of them"),
        ({"mask": ["image", 1]}, "Connect the image"),
    ],
)
def test_a_start_that_contradicts_itself_is_refused(comfy: ComfyServer, start: dict[str, Any], reason: str) -> None:
    """With what to connect."""
    give_image(comfy, "start.png")
    empty = node("EmptyLatentImage", width=64, height=64, batch_size=1)
    ours = three_nodes(sampler=start, recommender={"include": "red.*"})

    with pytest.raises(PromptFailed) as failed:
        comfy.run({"image": node("LoadImage", image="start.png"), "empty": empty, **ours})

    assert reason in str(failed.value)


def test_picked_drafts_are_finished_by_their_own_checkpoints(comfy: ComfyServer) -> None:
    """A second sampler gets one plan per picked image, equals the second pass by hand, and logs no generation."""
    drafts = {"include": "red.*, green.*, sd15/paint.*", "family": "all", "stage": "draft"}
    graph = three_nodes(seed=5, size=64, recommender=drafts, selected="0,2", rejected="1")
    finish = {"denoise": 0.5, "image": ["larger", 0], "plan": ["recorder", 5]}
    graph["larger"] = node("ImageScaleBy", image=["recorder", 0], upscale_method="bicubic", scale_by=2.0)
    graph["finish"] = {**graph["sampler"], "inputs": {**graph["sampler"]["inputs"], **finish}}
    graph["larger_shown"] = node("SaveImage", images=["larger", 0], filename_prefix="larger")
    graph["saved"] = node(
        "SavePickedImages",
        images=["finish", 0],
        generation=["recorder", 2],
        filename_prefix="final",
        format="png",
    )

    entry = comfy.run(graph)

    [shown] = generations(entry)
    picked = [shown["images"][0]["checkpoint"], shown["images"][2]["checkpoint"]]
    finals = comfy.images(entry, "saved")
    assert [final.pixels.shape for final in finals] == [(128, 128, 3)] * 2
    files = [Image.open(comfy.base_directory / "output" / final.filename) for final in finals]
    told = [json.loads(file.text["context_checkpoint"]) for file in files]  # type: ignore[attr-defined]
    assert [(each["generation"], each["position"], each["checkpoint"]) for each in told] == [
        (shown["generation_id"], 0, picked[0]),
        (shown["generation_id"], 2, picked[1]),
    ]
    assert len(comfy.get("/context_checkpoint/generations")["generations"]) == 1
    for name, final, larger in zip(picked, finals, comfy.images(entry, "larger_shown"), strict=True):
        copied = comfy.base_directory / "output" / larger.filename
        shutil.copyfile(copied, comfy.base_directory / "input" / larger.filename)
        [by_stock] = comfy.images(comfy.run(encoded_by(name, larger.filename, seed=5, denoise=0.5)), "shown")
        # the file between them has 8 bits
        assert np.abs(final.pixels.astype(int) - by_stock.pixels).max() <= 3


def test_the_loader_gives_the_checkpoints_of_picked_images(comfy: ComfyServer) -> None:
    """One entry per picked image, in their order, for a second pass in a graph of one's own."""
    drafts = {"include": "red.*, green.*, blue.*", "stage": "draft"}
    graph = three_nodes(seed=5, size=64, recommender=drafts, selected="2,0", rejected="1")
    graph["loader"] = node("RecommendedCheckpointLoader", plan=["recorder", 5])
    graph["encoded"] = node("VAEEncode", pixels=["recorder", 0], vae=["loader", 2])
    graph["decoded"] = node("VAEDecode", samples=["encoded", 0], vae=["loader", 2])
    graph["saved"] = node("SaveImage", images=["decoded", 0], filename_prefix=["loader", 3])

    entry = comfy.run(graph)

    shown = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    files = [picture.filename.partition("_")[0] for picture in comfy.images(entry, "saved")]
    assert files == [shown[0], shown[2]]


def give_image(comfy: ComfyServer, name: str, *, masked_half: bool = False) -> None:
    """Put a picture with a gradient into ComfyUI's input folder; the left half is transparent if masked."""
    pixels = np.zeros((128, 128, 4), np.uint8)
    pixels[..., :3] = np.linspace(40, 210, 128, dtype=np.uint8)[:, None]
    pixels[..., 3] = 255
    if masked_half:
        pixels[:, :64, 3] = 0
    Image.fromarray(pixels).save(comfy.base_directory / "input" / name)


def masked_start(name: str) -> ApiGraph:
    return {
        "image": node("LoadImage", image=name),
        "encoder": node("CheckpointLoaderSimple", ckpt_name="red.safetensors"),
        "encoded": node("VAEEncode", pixels=["image", 0], vae=["encoder", 2]),
        "masked": node("SetLatentNoiseMask", samples=["encoded", 0], mask=["image", 1]),
    }


def from_latent(checkpoint: str, latent: list[Any], *, seed: int, denoise: float) -> ApiGraph:
    """The hand-wired graph that starts from a latent."""
    graph = by_hand(checkpoint, seed=seed)
    del graph["latent"]
    graph["sampler"]["inputs"] |= {"latent_image": latent, "denoise": denoise}
    return graph


def encoded_by(checkpoint: str, image: str, *, seed: int, denoise: float) -> ApiGraph:
    """The hand-wired graph that starts from an image, encoded with the checkpoint's own VAE."""
    graph = from_latent(checkpoint, ["encoded", 0], seed=seed, denoise=denoise)
    graph["image"] = node("LoadImage", image=image)
    graph["encoded"] = node("VAEEncode", pixels=["image", 0], vae=["loader", 2])
    return graph
