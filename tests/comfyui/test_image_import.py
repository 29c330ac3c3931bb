"""The output folder of a real ComfyUI teaches on the first day, whoever saved its files."""

from __future__ import annotations

import shutil
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import by_hand, node
from tests.images.test_galleries import IIB

from .conftest import forget
from .test_saving import files, save

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}
POOL = {"include": "red.*, green.*, blue.*, teal.*, pink.*"}


@pytest.fixture
def folder(comfy: ComfyServer) -> Path:
    """A folder of this test's own below ComfyUI's output folder."""
    return comfy.base_directory / "output" / f"import_{uuid.uuid4().hex[:8]}"


def imported(comfy: ComfyServer, folder: Path, **body: Any) -> dict[str, Any]:
    """Import a folder below the output folder, and wait for its end."""
    job = comfy.post("/context_checkpoint/images/import", {"folder": folder.name, **body})
    deadline = time.monotonic() + 60
    while job["state"] == "running":
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
        job = comfy.get(f"/context_checkpoint/images/import/{job['id']}")
    assert job["state"] == "done", job
    result: dict[str, Any] = job["result"]
    return result


def recommended(comfy: ComfyServer, prompt: str) -> dict[str, Any]:
    body = {"prompt": prompt, "pool": POOL, "seed": 1}
    plan: dict[str, Any] = comfy.post("/context_checkpoint/recommend", body)
    return plan


def stock(comfy: ComfyServer, folder: Path, checkpoint: str, prompt: str, seed: int) -> Path:
    graph = by_hand(checkpoint, prompt=prompt, seed=seed, save=True)
    graph["shown"]["inputs"]["filename_prefix"] = f"{folder.name}/{checkpoint[:-12]}_{seed}"
    [file] = files(comfy, comfy.run(graph), "shown")
    return file


def move(file: Path, name: str) -> None:
    (file.parent / name).mkdir(exist_ok=True)
    shutil.move(file, file.parent / name)


def test_what_stock_savers_wrote_serves_the_next_prompt_better_than_cold(comfy: ComfyServer, folder: Path) -> None:
    """A person has images, moved the good ones into favorites, and installs the pack."""
    for seed in range(4):
        prompt = f"a lighthouse in a storm, variant {seed}"
        move(stock(comfy, folder, "teal.safetensors", prompt, seed), "favorites")
        move(stock(comfy, folder, "pink.safetensors", prompt, seed), "rejected")
    forget(comfy)
    cold = recommended(comfy, "a lighthouse in a storm")

    looked = imported(comfy, folder)
    assert looked["survey"]["matched"] == [
        {"name": "pink.safetensors", "images": 4},
        {"name": "teal.safetensors", "images": 4},
    ]
    assert (looked["survey"]["kept"], looked["survey"]["rejected"], looked["learned"]) == (4, 4, None)
    assert imported(comfy, folder, dry_run=False)["learned"]["added"] == 8

    warm = recommended(comfy, "a lighthouse in a storm")
    assert warm["checkpoints"][0] == "teal.safetensors"
    assert warm["confidence"] > cold["confidence"]
    assert len(warm["checkpoints"]) <= len(cold["checkpoints"])


def test_what_our_saver_wrote_is_learned_after_the_database_was_deleted(comfy: ComfyServer, folder: Path) -> None:
    """By the content of the checkpoints; while the database has the generation, it is no import but a verdict."""
    graph = three_nodes("a harbour at noon", images=3, recommender=RED_GREEN_BLUE)
    graph["saved"] = save(["sampler", 0], ["sampler", 3], filename_prefix=f"{folder.name}/ours")
    entry = comfy.run(graph)
    [generation] = generations(entry)
    move(files(comfy, entry)[0], "keep")

    result = imported(comfy, folder, dry_run=False)
    assert (result["survey"]["logged"], result["verdicts"], result["learned"]["added"]) == (3, 1, 0)
    address = f"/context_checkpoint/generations?id={generation['generation_id']}"
    assert [image["verdict"] for image in comfy.get(address)["generations"][0]["images"]] == ["selected", None, None]

    forget(comfy)
    result = imported(comfy, folder, dry_run=False)
    assert (result["survey"]["matched_by"], result["learned"]["added"]) == ({"content": 3}, 3)
    assert recommended(comfy, "a harbour at noon")["checkpoints"][0] == generation["images"][0]["checkpoint"]


def test_what_stock_save_image_wrote_behind_our_sampler_is_told_apart(comfy: ComfyServer, folder: Path) -> None:
    """By the numbers of the files, since each names all checkpoints of the generation."""
    graph = three_nodes("a mill by a river", images=3, recommender=RED_GREEN_BLUE)
    graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix=f"{folder.name}/stock")
    queued = {"prompt": graph, "client_id": uuid.uuid4().hex, "extra_data": {"extra_pnginfo": {"workflow": {}}}}
    entry = comfy.wait(str(comfy.post("/prompt", queued)["prompt_id"]))
    [generation] = generations(entry)
    made = [image["checkpoint"] for image in generation["images"]]
    second = sorted(files(comfy, entry))[1]
    move(second, "favorites")
    forget(comfy)

    result = imported(comfy, folder, dry_run=False)

    assert {count["name"]: count["images"] for count in result["survey"]["matched"]} == dict.fromkeys(made, 1)
    assert recommended(comfy, "a mill by a river")["checkpoints"][0] == made[1]


def test_folders_outside_of_comfyuis_own_are_not_read(comfy: ComfyServer) -> None:
    """Whoever reaches ComfyUI's port may not look at the rest of the disk."""
    roots = comfy.get("/context_checkpoint/images/imports")["roots"]

    assert [root["name"] for root in roots] == ["output", "input"]
    assert roots[0]["path"] == str(comfy.base_directory / "output")


def test_hearts_of_a_gallery_in_custom_nodes_are_ratings(comfy: ComfyServer, folder: Path) -> None:
    """infinite-image-browsing keeps its database in its own pack, not with the images."""
    file = stock(comfy, folder, "teal.safetensors", "a lighthouse", 1)
    pack = comfy.base_directory / "custom_nodes" / "sd-webui-infinite-image-browsing"
    pack.mkdir()
    try:
        with closing(sqlite3.connect(pack / "iib.db")) as database, database:
            database.executescript(IIB)
            database.execute("INSERT INTO tag VALUES (1, 'like', 0, 'custom', 1)")
            database.execute("INSERT INTO image (id, path) VALUES (1, ?)", (str(file),))
            database.execute("INSERT INTO image_tag VALUES (1, 1)")

        survey = imported(comfy, folder)["survey"]
    finally:
        shutil.rmtree(pack)

    assert survey["rated"] == [{"name": "infinite-image-browsing", "images": 1}]
    assert survey["galleries"][0]["ratings"] == 1
