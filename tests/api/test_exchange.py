"""`GET export` and `POST import`: streamed, bounded, and closed to other pages."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.api import requests
from context_checkpoint.api.routes import PREFIX
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client, error, log_generation

LINES = {"Content-Type": "application/jsonl"}


async def exported(client: Client, **params: str) -> bytes:
    async with client.http.get(PREFIX + "/export", params=params) as response:
        assert response.status == 200
        assert response.content_type == "application/jsonl"
        return await response.read()


async def imported(client: Client, body: bytes | io.BytesIO, headers: Any = None, **params: Any) -> tuple[int, Any]:
    response = await client.http.post(PREFIX + "/import", data=body, headers=headers or LINES, params=params)
    return response.status, await response.json()


async def test_what_is_exported_can_be_imported_again(client: Client, runtime: Runtime) -> None:
    """Twice: nothing changes."""
    await log_generation(runtime)
    lines = await exported(client)

    status, answer = await imported(client, lines)

    assert (status, answer) == (200, {"generations": 1, "added": 0, "verdicts_replaced": 0})
    assert await exported(client) == lines


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
async def test_where_there_is_no_room_for_what_is_imported_it_is_told(
    client: Client, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real full disk, where the system keeps temporary files; nothing of it is stored, and later it is."""
    await log_generation(runtime)
    head, line = (await exported(client)).decode().splitlines()
    more = [json.dumps(json.loads(line) | {"id": f"{number:032x}", "prompt": "x" * 40_000}) for number in range(150)]
    body = "\n".join([json.dumps(json.loads(head) | {"generations": 150}), *more]).encode()
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)  # noqa: ASYNC221
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    try:
        status, answer = await imported(client, io.BytesIO(body))
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: ASYNC221
    assert (status, error(answer)["code"]) == (503, "store_full")
    assert str(disk) in error(answer)["message"]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert await imported(client, io.BytesIO(body)) == (
        200,
        {"generations": 150, "added": 150, "verdicts_replaced": 0},
    )


async def test_more_than_one_part_is_streamed(client: Client, runtime: Runtime) -> None:
    """Lines leave a hundred at a time."""
    for _ in range(205):
        await log_generation(runtime)

    lines = (await exported(client)).splitlines()

    assert json.loads(lines[0])["generations"] == len(lines) - 1 == 205


async def test_checkpoints_are_renamed_on_the_way_in(client: Client, runtime: Runtime) -> None:
    """By `map`, once per name."""
    await log_generation(runtime)
    head, line = (await exported(client)).decode().splitlines()
    other = json.loads(line) | {"id": "f" * 32}
    names = [f"{CANDIDATES[0]}=b.safetensors", f"{CANDIDATES[1]}=new.safetensors"]

    status, answer = await imported(client, f"{head}\n{json.dumps(other)}\n".encode(), map=names)

    assert (status, answer["added"]) == (200, 1)
    _, page = await client.get("/generations", id="f" * 32)
    shown = {image["file"]["checkpoint"] for image in page["generations"][0]["images"]}
    assert "new.safetensors" in shown
    assert not {CANDIDATES[0], CANDIDATES[1]} & shown


async def test_an_anonymous_export_has_no_prompt(client: Client, runtime: Runtime) -> None:
    """The query asks for it."""
    await log_generation(runtime)

    assert b'"prompt"' in await exported(client)
    assert b'"prompt"' not in await exported(client, anonymous="true")


async def test_a_bad_line_is_422_with_its_number(client: Client, runtime: Runtime) -> None:
    """Nothing of it is imported."""
    await log_generation(runtime)
    lines = await exported(client)

    status, answer = await imported(client, lines + b"{}\n")

    assert (status, error(answer)["code"]) == (422, "bad_line")
    assert "Line 3" in error(answer)["message"]


async def test_a_map_without_a_new_name_is_422(client: Client) -> None:
    """Told with an example."""
    status, answer = await imported(client, b"", map="old.safetensors")

    assert status == 422
    assert "OLD=NEW" in error(answer)["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
)
async def test_what_a_form_of_another_page_can_send_is_415(client: Client, runtime: Runtime, kind: str) -> None:
    """Only a type that makes a browser ask this server first is read."""
    await log_generation(runtime)
    lines = await exported(client)

    status, answer = await imported(client, lines, {"Content-Type": kind})

    assert (status, error(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/export", "/import"])
async def test_another_pages_origin_is_refused(client: Client, path: str) -> None:
    """Neither reading nor adding."""
    ask = client.http.get if path == "/export" else client.http.post
    response = await ask(PREFIX + path, headers=LINES | {"Origin": "https://example.com"})

    assert response.status == 403


@pytest.mark.parametrize("chunked", [True, False])
async def test_too_large_a_body_is_413(client: Client, monkeypatch: pytest.MonkeyPatch, chunked: bool) -> None:
    """Whether or not it says how long it is."""
    monkeypatch.setattr(requests, "LARGEST_IMPORT", 1000)

    async def parts() -> Any:
        for _ in range(20):
            yield b"x" * 100

    body: Any = parts() if chunked else b"x" * 2000
    status, answer = await imported(client, body)

    assert (status, error(answer)["code"]) == (413, "body_too_large")
