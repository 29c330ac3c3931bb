"""People at one ComfyUI with `--multi-user`: each teaches a memory of their own, in the real server."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, node

from .conftest import ComfyFactory, preferences_file
from .learned import plan_of

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
    return queue_as(server, user, three_nodes(prompt, images=2), **extra)


def queue_as(server: ComfyServer, user: str | None, graph: ApiGraph, **extra: Any) -> dict[str, Any]:
    """Queue a graph as this user, and wait for the end."""
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
    """A workflow never fails because learning cannot tell whose it is, whatever its nodes ask."""
    before = [known(studio, person) for person in people]
    graph = three_nodes("a castle", images=2)
    own = {"steps": 4, "cfg": 2.0, "sampler_name": "euler", "scheduler": "normal", "width": 64, "height": 64}
    graph["settings"] = node(
        "ContextSettingsRecommender", plan=["recommender", 0], may_change="all, the size too", clip_skip=1, **own
    )
    graph["loras"] = node(
        "ContextLoraRecommender", plan=["settings", 0], include="", exclude="", most_loras=2, explore=True
    )
    graph["sampler"]["inputs"]["plan"] = ["loras", 0]

    entry = queue_as(studio, "nobody_known", graph)

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


COAST, SKY = ("red", "green", "blue"), ("orange", "violet", "pink")
"""Checkpoints of two subjects: what is taught of the ones says nothing of the others."""
FROM_OTHERS = "what others taught (people who share)"


def draw_as(server: ComfyServer, user: str, prompt: str, names: Sequence[str], **recommender: Any) -> dict[str, Any]:
    include = ", ".join(f"{name}.safetensors" for name in names)
    settings = {"include": include, **recommender}
    return queue_as(server, user, three_nodes(prompt, images=3, size=64, steps=1, recommender=settings))


def teach_as(server: ComfyServer, user: str, prompt: str, names: Sequence[str]) -> None:
    """Draw with all of the checkpoints, twice, and keep what the first one made."""
    for seed in range(2):
        [made] = generations(draw_as(server, user, prompt, names, stage="draft", seed=seed))
        kept = [image["checkpoint"] for image in made["images"]].index(f"{names[0]}.safetensors")
        verdict = {
            "generation_id": made["generation_id"],
            "selected_images": [kept],
            "rejected_images": [place for place in range(3) if place != kept],
        }
        status, answer = ask(server, f"{PREFIX}/feedback", verdict, user)
        assert status == 200, answer


def test_what_three_people_share_is_the_start_of_everybody_until_one_of_them_leaves(studio: ComfyServer) -> None:
    """Chosen, taught and taken back over HTTP. Who does not share adds nothing to what is counted, and receives it."""
    names = ("cleo", "dora", "emil", "frida", "gustav")
    cleo, dora, emil, frida, gustav = (ask(studio, "/users", {"username": name})[1] for name in names)
    for user in (cleo, dora, emil):
        assert ask(studio, f"{PREFIX}/settings", {"share": True}, user)[0] == 200
        teach_as(studio, user, "lighthouse, sea", COAST)
    for user in (cleo, dora, frida):  # of whom two share
        teach_as(studio, user, "zeppelin", SKY)
    studio.restart()  # it counts when it starts, and then every ten minutes

    plans = [plan_of(draw_as(studio, user, "lighthouse, sea", COAST, seed=1)) for user in (gustav, frida)]
    of_two = plan_of(draw_as(studio, gustav, "zeppelin", SKY, seed=1))

    assert [plan["checkpoints"][0] for plan in plans] == ["red.safetensors"] * 2
    assert all(FROM_OTHERS in plan["explanation"] for plan in plans)
    assert FROM_OTHERS not in of_two["explanation"]
    assert ask(studio, f"{PREFIX}/settings", {"share": False}, emil)[0] == 200
    studio.restart()

    after = plan_of(draw_as(studio, gustav, "lighthouse, sea", COAST, seed=2))

    assert FROM_OTHERS not in after["explanation"]
    assert after["confidence"] == 0.0
    assert ask(studio, f"{PREFIX}/adopt", user=gustav)[1]["adopted"] == []


@pytest.fixture(scope="module")
def house(comfy_factory: ComfyFactory) -> ComfyServer:
    """People who share what is learned, as a house style, in a ComfyUI that logs decisions as the document does."""
    environment = {"CONTEXT_CHECKPOINT_SHARED": "1", "CONTEXT_CHECKPOINT_LOG": "document"}
    return comfy_factory("--multi-user", environment=environment)


def test_all_users_share_what_is_learned_if_that_is_chosen(house: ComfyServer) -> None:
    """Who asks does not matter."""
    _, anna = ask(house, "/users", {"username": "anna"})
    run_as(house, anna, "a lighthouse")

    assert known(house, "nobody_known") == known(house, anna) == 1
    with closing(sqlite3.connect(preferences_file(house))) as database:
        assert database.execute("SELECT COUNT(*) FROM generation_logs").fetchone() == (1,)


def test_decisions_are_logged_as_the_document_prints_them_if_that_is_chosen(house: ComfyServer) -> None:
    """Two lines for each."""
    entry = run_as(house, None, "cyberpunk cityscape at night")
    names = plan_of(entry)["checkpoints"]

    assert f"recommendation: {names[0]} (confidence: 0.00) for prompt: cyberpunk cityscape at night" in house.log
    assert f"Low confidence (0.00), exploring {len(names)} checkpoints: {names}" in house.log


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_people_export_what_they_taught_themselves(studio: ComfyServer, browser: Browser, tmp_path: Path) -> None:
    """From the panel: a link would carry no header, and be refused."""
    _, user = ask(studio, "/users", {"username": "clara"})
    context = await browser.new_context(viewport={"width": 1500, "height": 1000})
    known_user = json.dumps({"Comfy.userId": user, "Comfy.userName": "clara"})
    await context.add_init_script(f"Object.assign(localStorage, {known_user})")
    page = await context.new_page()
    await page.goto(studio.url)
    await page.wait_for_function("window.app?.extensionManager?.setting && window.app.rootGraph")
    await page.evaluate("window.app.extensionManager.setting.set('Comfy.TutorialCompleted', true)")
    await page.reload()
    await page.wait_for_function(
        "window.app?.extensionManager?.command?.commands?.some(({ id }) => id === 'ContextCheckpoint.TogglePanel')"
    )
    await page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.TogglePanel')")
    panel = page.locator(".cc-panel")
    await panel.get_by_role("tab", name="Settings").click()
    shown = panel.get_by_role("tabpanel", name="Settings")
    await expect(shown.locator(".cc-database")).to_contain_text(user, timeout=20_000)
    async with page.expect_download() as download:
        await shown.get_by_role("link", name="Export").click()
    await (await download.value).save_as(tmp_path / "exported.jsonl")
    await context.close()

    assert '"format"' in (tmp_path / "exported.jsonl").read_text("utf-8").splitlines()[0]
