"""`pending`: which runs wait for a pick, and answering them. The waiting itself is held in a real ComfyUI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import build_routes
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.runtime.pending_picks import PendingGeneration, PendingPicks, Pick, PickAnswer
from context_checkpoint.runtime.runtime import Runtime

from .conftest import Client, FolderHost

PICK = Pick(
    id="waits",
    node_id="5:2",
    workflow_id="w",
    prompt_id="p",
    session_id="s",
    waiting_since=datetime(2026, 1, 31, 12, tzinfo=timezone.utc),
    waits_until=None,
    rounds=(PendingGeneration("g", 0, (ImageFile("a.ckpt", "a.png", "", "temp"), ImageFile("b.ckpt"))),),
)


@dataclass(slots=True)
class WaitingHost(FolderHost):
    """The real registry, with one run that waits."""

    picks: PendingPicks = field(default_factory=PendingPicks)

    def pending(self) -> Sequence[Pick]:
        return self.picks.list()

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        return self.picks.answer(pick_id, answer)


@pytest.fixture
def host(tmp_path: Path) -> WaitingHost:
    host = WaitingHost(tmp_path)
    host.picks.open(PICK)
    return host


@pytest.fixture
async def waiting(runtime: Runtime, host: WaitingHost) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(build_routes(runtime, host))
    async with TestClient(TestServer(app)) as http:
        yield Client(http)


async def test_a_waiting_run_is_listed_with_the_images_to_pick_from(waiting: Client) -> None:
    """A script needs nothing else to judge: files, who drew them, and their numbers."""
    status, answer = await waiting.get("/pending")

    [listed] = answer["pending"]
    assert (status, listed["id"], listed["node_id"], listed["waits_until"]) == (200, "waits", "5:2", None)
    [part] = listed["rounds"]
    assert (part["generation_id"], part["first"]) == ("g", 0)
    assert part["images"][0] == {"checkpoint": "a.ckpt", "filename": "a.png", "subfolder": "", "type": "temp"}


async def test_the_first_answer_counts_and_the_second_finds_nothing(waiting: Client, host: WaitingHost) -> None:
    """Two tabs, one run."""
    first = await waiting.post("/pending/waits", {"selected_images": [1], "rejected_images": [0]})
    second = await waiting.post("/pending/waits", {"send_all": True})

    assert (first[0], first[1]["id"]) == (200, "waits")
    assert (second[0], second[1]["error"]["code"]) == (404, "unknown_pick")
    assert host.picks.close("waits") == PickAnswer(frozenset({1}), frozenset({0}))
    assert await waiting.get("/pending") == (200, {"pending": []})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"selected_images": [], "rejected_images": []},
        {"selected_images": [0], "send_all": True},
        {"selected_images": [2]},
        {"selected_images": [0], "rejected_images": [0]},
        {"selected_images": [-1]},
    ],
)
async def test_an_answer_that_makes_no_sense_is_refused_and_the_run_waits_on(
    waiting: Client, host: WaitingHost, body: dict[str, Any]
) -> None:
    """Nothing is guessed of what would throw images away."""
    status, _ = await waiting.post("/pending/waits", body)

    assert status == 422
    assert len(host.picks.list()) == 1


async def test_outside_of_comfyui_nothing_waits(client: Client) -> None:
    """An empty list, and no pick to be found."""
    assert await client.get("/pending") == (200, {"pending": []})
    status, answer = await client.post("/pending/any", {"send_all": True})
    assert (status, answer["error"]["code"]) == (404, "unknown_pick")
