"""People at one ComfyUI with `--multi-user`: each teaches a memory of their own, in the real server."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import pytest

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer

from .conftest import ComfyFactory, preferences_file

pytestmark = pytest.mark.comfyui


@pytest.fixture(scope="module")
def studio(comfy_factory: ComfyFactory) -> ComfyServer:
    return comfy_factory("--multi-user")


@pytest.fixture(scope="module")
def people(studio: ComfyServer) -> tuple[str, str]:
    """Two users as ComfyUI makes them."""
    ids = [ask(studio, "/users", {"username": name}, None)[1] for name in ("anna", "../ben")]
    return ids[0], ids[1]


def ask(server: ComfyServer, path: str, body: Any = None, user: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"comfy-user": user} if user is not None else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url.rstrip("/") + path, data, headers)  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            content = answer.read()
            return answer.status, json.loads(content) if content else None
    except urllib.error.HTTPError as refusal:
        content = refusal.read()
        return refusal.code, json.loads(content) if content else None


def run_as(server: ComfyServer, user: str | None, prompt: str, **extra: Any) -> dict[str, Any]:
    """Queue the three nodes as this user, and wait for the end."""
    graph = three_nodes(prompt, images=2)
    status, queued = ask(server, "/prompt", {"prompt": graph, "extra_data": extra}, user)
    assert status == 200, queued
    return server.wait(queued["prompt_id"])


def known(server: ComfyServer, user: str) -> int:
    _, answer = ask(server, f"{PREFIX}/statistics", user=user)
    generations: int = answer["overview"]["generations"]
    return generations


def test_a_verdict_is_learned_for_the_user_who_queued_the_prompt_and_nobody_else(
    studio: ComfyServer, people: tuple[str, str]
) -> None:
    """By the header of `POST /prompt`; the other one's panel shows nothing of it."""
    anna, ben = people
    entry = run_as(studio, anna, "a lighthouse")
    [made] = generations(entry)
    verdict = {"generation_id": made["generation_id"], "selected_images": [0]}

    others = ask(studio, f"{PREFIX}/feedback", verdict, ben)
    own = ask(studio, f"{PREFIX}/feedback", verdict, anna)

    assert (others[0], others[1]["error"]["code"]) == (404, "unknown_generation")
    assert own[0] == 200
    assert (known(studio, anna), known(studio, ben)) == (1, 0)
    folder = preferences_file(studio).parent
    assert not preferences_file(studio).exists()
    files = {file.parent.name for file in folder.glob("people/*/preferences.db")}
    assert anna in files
    assert all("/" not in name and ".." not in name for name in files)


def test_a_user_that_a_client_writes_into_the_prompt_is_ignored(studio: ComfyServer, people: tuple[str, str]) -> None:
    """Only the header counts, as for all that ComfyUI keeps per user."""
    anna, ben = people
    before = known(studio, anna), known(studio, ben)
    run_as(studio, ben, "a harbour", context_checkpoint_user=anna)

    assert (known(studio, anna), known(studio, ben)) == (before[0], before[1] + 1)


@pytest.mark.parametrize("user", ["nobody_known", "__context_checkpoint", "", None])
def test_an_unknown_user_is_refused_with_a_message(studio: ComfyServer, user: str | None) -> None:
    """Each route says what to do; nothing is read or written."""
    for path, body in (
        (f"{PREFIX}/statistics", None),
        (f"{PREFIX}/metrics", None),
        (f"{PREFIX}/recommend", {"prompt": "anime", "candidates": ["a"]}),
        (f"{PREFIX}/forget", {"everything": True}),
        (f"{PREFIX}/settings", {"policy": "counts"}),
    ):
        status, answer = ask(studio, path, body, user)
        assert (status, answer["error"]["code"]) == (403, "unknown_user")
        assert "comfy-user" in answer["error"]["message"]


def test_a_prompt_of_an_unknown_user_makes_its_images_and_says_that_nothing_is_learned(
    studio: ComfyServer, people: tuple[str, str]
) -> None:
    """A workflow never fails because learning cannot tell whose it is."""
    before = [known(studio, person) for person in people]
    entry = run_as(studio, "nobody_known", "a castle")
    [made] = generations(entry)

    assert entry["status"]["status_str"] == "success"
    assert made["generation_id"] == ""
    assert "--multi-user" in made["message"]
    assert [known(studio, person) for person in people] == before


def test_settings_are_each_persons_own(studio: ComfyServer, people: tuple[str, str]) -> None:
    """Another policy for one is no other policy for the other."""
    anna, _ = people
    assert ask(studio, f"{PREFIX}/settings", {"policy": "counts"}, anna)[0] == 200
    policies = [ask(studio, f"{PREFIX}/recommend", {"prompt": "sea"}, who)[1]["policy"] for who in people]
    assert ask(studio, f"{PREFIX}/settings", {"policy": "bayesian"}, anna)[0] == 200

    assert policies == ["counts", "bayesian"]


def test_a_run_that_waits_is_seen_and_answered_by_its_own_person(studio: ComfyServer, people: tuple[str, str]) -> None:
    """Somebody else's pick is unknown to others."""
    anna, ben = people
    graph = three_nodes("a bridge", images=2)
    graph["recorder"]["inputs"] |= {"mode": "pause", "timeout_s": 60.0, "wait_without_browser": True}
    _, queued = ask(studio, "/prompt", {"prompt": graph}, anna)
    deadline = time.monotonic() + 60
    while not (waiting := ask(studio, f"{PREFIX}/pending", user=anna)[1]["pending"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pick = waiting[0]

    seen = ask(studio, f"{PREFIX}/pending", user=ben)[1]["pending"]
    refused = ask(studio, f"{PREFIX}/pending/{pick['id']}", {"selected_images": [0]}, ben)[0]
    answered = ask(studio, f"{PREFIX}/pending/{pick['id']}", {"selected_images": [0]}, anna)[0]
    studio.wait(queued["prompt_id"])

    assert (seen, refused, answered) == ([], 404, 200)


def test_all_users_share_what_is_learned_if_that_is_chosen(comfy_factory: ComfyFactory) -> None:
    """CONTEXT_CHECKPOINT_SHARED=1: as a house style; who asks does not matter."""
    server = comfy_factory("--multi-user", environment={"CONTEXT_CHECKPOINT_SHARED": "1"})
    _, anna = ask(server, "/users", {"username": "anna"})
    run_as(server, anna, "a lighthouse")

    assert known(server, "nobody_known") == known(server, anna) == 1
    with closing(sqlite3.connect(preferences_file(server))) as database:
        assert database.execute("SELECT COUNT(*) FROM generation_logs").fetchone() == (1,)
