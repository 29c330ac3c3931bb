"""Learning from a folder of images over HTTP: dry run, import with progress, cancelling, undoing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.standalone import build_app
from context_checkpoint.images import image_import
from context_checkpoint.images.models import ModelFile
from context_checkpoint.images.progress import OnProgress, Progress
from context_checkpoint.images.sources import ImageSources
from context_checkpoint.runtime.runtime import Runtime
from tests.images.conftest import Gallery

from .conftest import CANDIDATES, Client, error


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Each candidate made one image; the first is starred."""
    root = tmp_path / "output"
    root.mkdir()
    gallery = Gallery(root)
    for number, (name, stars) in enumerate(zip(CANDIDATES, (5, 1, None), strict=True)):
        gallery.add(f"day/{number}.png", name, stars=stars, minutes=number)
    return gallery


@pytest.fixture
async def client(runtime: Runtime, gallery: Gallery) -> AsyncIterator[Client]:
    sources = ImageSources({"output": gallery.root}, lambda: [ModelFile(name) for name in CANDIDATES])
    async with TestClient(TestServer(build_app(runtime, images=sources))) as http:
        yield Client(http)


async def ended(client: Client, job: Any) -> Any:
    """Ask for an import until it has ended."""
    for _ in range(500):
        status, job = await client.get(f"/images/import/{job['id']}")
        assert status == 200
        if job["state"] != "running":
            return job
        await asyncio.sleep(0.02)
    raise AssertionError(job)


async def test_a_dry_run_says_what_is_there(client: Client) -> None:
    """It is what happens if nothing else is asked for."""
    status, started = await client.post("/images/import", {})

    assert (status, started["dry_run"]) == (202, True)
    job = await ended(client, started)
    assert (job["state"], job["batch"], job["result"]["learned"]) == ("done", "output", None)
    survey = job["result"]["survey"]
    assert (survey["images"], survey["new"], survey["kept"], survey["rejected"]) == (3, 3, 1, 1)
    assert {count["name"] for count in survey["matched"]} == set(CANDIDATES)
    _, listed = await client.get("/images/imports")
    assert listed["imports"] == []
    assert [each["id"] for each in listed["running"]] == [job["id"]]


async def test_an_import_is_learned_listed_and_undone(client: Client, gallery: Gallery) -> None:
    """And its best checkpoint leads the next prompt."""
    _, started = await client.post("/images/import", {"folder": "day", "dry_run": False, "batch": "my images/1"})
    job = await ended(client, started)

    assert job["result"]["learned"] == {"added": 3, "rated": 2, "too_old": 0, "vanished": 0}
    assert job["progress"] == {"phase": "learning", "done": 3, "of": 3}
    _, listed = await client.get("/images/imports")
    assert [(batch["name"], batch["images"], batch["rated"]) for batch in listed["imports"]] == [("my images/1", 3, 2)]
    assert listed["roots"] == [{"name": "output", "path": str(gallery.root)}]
    _, plan = await client.post("/recommend", {"prompt": "a castle", "candidates": CANDIDATES})
    assert plan["checkpoints"][0] == CANDIDATES[0]
    assert await client.delete("/images/imports/my%20images%2F1") == (200, {"name": "my images/1", "generations": 1})
    status, refused = await client.delete("/images/imports/my%20images%2F1")
    assert (status, error(refused)["code"]) == (404, "unknown_import")


class Held:
    """Holds the reading of a folder until it is let go, as thousands of images would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        read = image_import.read_images

        def held(folder: Any, on_progress: OnProgress) -> Any:
            on_progress(Progress("reading", 1, 3))
            self.reached.set()
            assert self.go.wait(20)
            on_progress(Progress("reading", 2, 3))
            return read(folder, on_progress)

        monkeypatch.setattr(image_import, "read_images", held)


async def test_an_import_can_be_cancelled(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its progress is seen meanwhile, and another one has to wait."""
    held = Held(monkeypatch)
    _, started = await client.post("/images/import", {"dry_run": False})
    await asyncio.to_thread(held.reached.wait, 20)
    _, running = await client.get(f"/images/import/{started['id']}")
    assert running["progress"] == {"phase": "reading", "done": 1, "of": 3}
    status, refused = await client.post("/images/import", {})
    assert (status, error(refused)["code"]) == (409, "already_importing")

    threading.Timer(0.1, held.go.set).start()
    status, cancelled = await client.delete(f"/images/import/{started['id']}")

    assert (status, cancelled["state"], cancelled["result"]) == (200, "cancelled", None)
    assert (await client.get(f"/images/import/{started['id']}"))[0] == 404
    monkeypatch.undo()
    _, again = await client.post("/images/import", {"dry_run": False})
    assert (await ended(client, again))["result"]["learned"]["added"] == 3


async def test_an_import_that_fails_says_why(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the reason is a bug, whose trace is in the log."""

    def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(image_import, "read_images", fails)
    _, started = await client.post("/images/import", {})

    job = await ended(client, started)
    assert (job["state"], job["result"]) == ("failed", None)
    assert "ZeroDivisionError" in job["problem"]
    assert "".join(part["text"] for part in job["parts"]) == job["problem"]


@pytest.mark.parametrize(
    "body",
    [
        {"root": "etc"},
        {"folder": "../"},
        {"folder": "day/../../x"},
        {"folder": "/etc"},
        {"folder": "C:\\Windows"},
        {"folder": "..\\x"},
        {"folder": "day/0.png"},
        {"folder": "nothing"},
    ],
    ids=str,
)
async def test_only_folders_that_the_server_has_are_read(client: Client, body: dict[str, str]) -> None:
    """Whatever the request says; each refusal is the same, so that nothing is told of other folders."""
    status, refused = await client.post("/images/import", body)

    assert (status, error(refused)["code"]) == (404, "unknown_folder")


async def test_a_server_without_folders_reads_none(runtime: Runtime) -> None:
    """`context-checkpoint serve` reads only what it was started with."""
    async with TestClient(TestServer(build_app(runtime))) as http:
        client = Client(http)

        status, refused = await client.post("/images/import", {})
        assert (status, error(refused)["code"]) == (404, "unknown_folder")
        assert (await client.get("/images/imports"))[1]["roots"] == []


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_an_unknown_import_is_refused(client: Client, method: str) -> None:
    """Or one that an earlier start of the server made."""
    status, refused = await getattr(client, method)("/images/import/nothing")

    assert (status, error(refused)["code"]) == (404, "unknown_import")


async def test_imports_of_other_people_are_not_seen(client: Client, tmp_path: Path) -> None:
    """Each has the ids of their own data alone."""
    _, started = await client.post("/images/import", {})
    await ended(client, started)
    other = Runtime(tmp_path / "other")
    try:
        async with TestClient(TestServer(build_app(other))) as http:
            assert (await Client(http).get(f"/images/import/{started['id']}"))[0] == 404
    finally:
        other.close()


async def test_only_the_newest_imports_are_kept(client: Client) -> None:
    """In memory, until the server ends."""
    for _ in range(6):
        _, started = await client.post("/images/import", {})
        await ended(client, started)

    assert len((await client.get("/images/imports"))[1]["running"]) == 5


async def test_checkpoints_that_only_the_database_knows_match_too(runtime: Runtime, gallery: Gallery) -> None:
    """A server that knows no files has their names."""
    recommendation = await runtime.run(lambda service: service.recommend("a castle", CANDIDATES[:1]))
    await runtime.run(lambda service: service.log_generation(recommendation, {CANDIDATES[0]: 1}))
    async with TestClient(TestServer(build_app(runtime, images=ImageSources({"mine": gallery.root})))) as http:
        client = Client(http)
        _, started = await client.post("/images/import", {"root": "mine"})

        survey = (await ended(client, started))["result"]["survey"]
    assert survey["matched"] == [{"name": CANDIDATES[0], "images": 1}]
    assert survey["missing_images"] == 2
