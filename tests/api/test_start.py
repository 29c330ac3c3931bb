"""`GET /start`: what a person has who has just installed the pack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import PREFIX, build_routes
from context_checkpoint.api.schemas.start import start_response
from context_checkpoint.checkpoints.pool import CheckpointFile
from context_checkpoint.demo.tiny_models.checkpoints import write_lora
from context_checkpoint.runtime.runtime import Runtime

from .conftest import Client, FolderHost, error


async def ask(runtime: Runtime, host: FolderHost, path: str) -> tuple[int, Any]:
    app = web.Application()
    app.add_routes(build_routes(runtime, host))
    async with TestClient(TestServer(app)) as http:
        response = await http.get(PREFIX + path)
        return response.status, await response.json()


async def test_models_are_counted_and_no_database_is_opened(runtime: Runtime, tmp_path: Path) -> None:
    """With the LoRAs that fit them; a broken file counts apart."""
    folder = tmp_path / "models" / "checkpoints"
    folder.mkdir(parents=True)
    for name in ("one.ckpt", "two.ckpt"):
        (folder / name).write_bytes(b"")
    (folder / "cut.safetensors").write_bytes(b"\x00")
    write_lora(folder.parent / "loras" / "ink.safetensors", "sd3")

    status, found = await ask(runtime, FolderHost(folder), "/start")

    assert status == 200
    assert found["unusable"] == 1
    assert found["folders"] == [str(folder)]
    assert found["models"] == [
        {"folder": "checkpoints", "family": "unknown", "files": 2, "whole": 2, "text_alone": True, "loras": 1}
    ]
    assert not runtime.is_open


def test_the_most_frequent_family_comes_first() -> None:
    """Each folder and family once, with what a guide needs to know of it."""
    files = [
        CheckpointFile("a", "sd15"),
        CheckpointFile("b", "sdxl"),
        CheckpointFile("c", "sdxl", lacks=("vae",)),
        CheckpointFile("d", "sdxl_inpaint"),
        CheckpointFile("e", "sdxl", broken="cut short"),
        CheckpointFile("f", "sdxl", unfinished="still being written"),
        CheckpointFile("g", "flux", folder="diffusion_models"),
    ]

    found = start_response(files, {"sdxl": 3}, ["/models"])

    rows = [(row.folder, row.family, row.files, row.whole, row.text_alone, row.loras) for row in found.models]
    assert rows == [
        ("checkpoints", "sdxl", 2, 1, True, 3),
        ("checkpoints", "sd15", 1, 1, True, 0),
        ("checkpoints", "sdxl_inpaint", 1, 1, False, 0),
        ("diffusion_models", "flux", 1, 1, True, 0),
    ]
    assert found.unusable == 2


async def test_outside_of_comfyui_there_are_no_models_to_count(client: Client) -> None:
    """The page of `serve` has no guide."""
    status, answer = await client.get("/start")

    assert status == 409
    assert error(answer)["code"] == "no_comfyui_files"


async def test_images_are_counted_without_being_opened(runtime: Runtime, tmp_path: Path) -> None:
    """By their names alone, in all folders below; a folder that is not there has none."""
    host = FolderHost(tmp_path / "models")
    assert await ask(runtime, host, "/start/images") == (200, {"images": 0, "root": "output"})
    for name in ("a.png", "below/b.JPG", "below/.hidden.png", "note.txt"):
        file = tmp_path / "output" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"no image")

    assert await ask(runtime, host, "/start/images") == (200, {"images": 2, "root": "output"})


async def test_a_server_without_folders_has_no_images(client: Client) -> None:
    """`serve` reads only folders that it was started with."""
    assert await client.get("/start/images") == (200, {"images": 0, "root": ""})
