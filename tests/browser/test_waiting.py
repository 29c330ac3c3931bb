"""A workflow that waits for a pick, where that is not straightforward: elsewhere, cut off, late, or given up.

Each test runs in the classic canvas and in Nodes 2.0, on the example workflow with the three nodes alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

from .conftest import one_canvas
from .test_gallery import PENDING, banner, ended, images, load, press, queue, saved_line, verdicts

pytestmark = [pytest.mark.asyncio(loop_scope="session"), one_canvas]

PUT_RECORDER_IN_SUBGRAPH = """() => {
  const { rootGraph } = window.app;
  const recorder = rootGraph.nodes.find((node) => node.type === "FeedbackRecorder");
  rootGraph.convertToSubgraph(new Set([recorder]));
}"""
ENTER_SUBGRAPH = """() => {
  const { rootGraph, canvas } = window.app;
  const holder = rootGraph.nodes.find((node) => node.subgraph);
  canvas.openSubgraph(holder.subgraph, holder);
}"""
INSIDE_IN_SIGHT = """() => {
  const { canvas } = window.app;
  const [recorder] = canvas.graph.nodes.filter((node) => node.type === "FeedbackRecorder");
  canvas.ds.scale = 1;
  canvas.ds.offset = [300 - recorder.pos[0], 150 - recorder.pos[1]];
  canvas.setDirty(true, true);
}"""


async def waiting(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str, **recorder: Any) -> dict[str, Any]:
    """Run the example in mode pause until its banner is there; return what waits."""
    await load(comfyui, workflow, prompt, mode="pause", **recorder)
    await queue(comfyui)
    await expect(banner(comfyui)).to_be_visible(timeout=30_000)
    [pick] = comfyui.server.get(PENDING)["pending"]
    return dict(pick)


@pytest_asyncio.fixture(loop_scope="session")
async def second_tab(comfyui: ComfyPage) -> AsyncIterator[ComfyPage]:
    """Another tab of the same browser."""
    page = await comfyui.page.context.new_page()
    other = ComfyPage(comfyui.server, page)
    page.on("pageerror", lambda error: other.errors.append(str(error)))
    await other.open()
    yield other
    await page.close()
    await comfyui.page.bring_to_front()
    assert other.errors == []


async def test_a_second_tab_with_the_workflow_answers_too(
    comfyui: ComfyPage, second_tab: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Both show that it waits; picked in the one, the other stops asking."""
    pick = await waiting(comfyui, three_nodes, "a portrait for two tabs")
    workflow = await comfyui.page.evaluate("window.app.rootGraph.serialize()")

    await second_tab.page.bring_to_front()
    await second_tab.load(workflow)
    await second_tab.show_all()
    await expect(banner(second_tab)).to_be_visible()
    await images(second_tab).first.focus()
    await press(second_tab, "2", "Shift+Enter")

    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    await expect(banner(second_tab)).to_have_count(0)
    await expect(banner(comfyui)).to_have_count(0)
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None, "selected", None]


async def test_a_recorder_in_a_subgraph_waits_and_is_answered_there(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """The pick belongs to the node inside, whose id has the subgraph's before it."""
    await load(comfyui, three_nodes, "a portrait in a subgraph", mode="pause")
    await comfyui.page.evaluate(PUT_RECORDER_IN_SUBGRAPH)
    await comfyui.settle()
    await queue(comfyui)
    pick = await next_waiting(comfyui)
    assert ":" in pick["node_id"]

    await comfyui.page.evaluate(ENTER_SUBGRAPH)
    await comfyui.settle()
    await comfyui.page.evaluate(INSIDE_IN_SIGHT)
    await expect(banner(comfyui)).to_be_visible()
    await images(comfyui).first.focus()
    await press(comfyui, "3", "Shift+Enter")

    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None, None, "selected"]
    await expect(banner(comfyui)).to_have_count(0)


async def next_waiting(comfyui: ComfyPage) -> dict[str, Any]:
    for _ in range(300):
        for pick in comfyui.server.get(PENDING)["pending"]:
            return dict(pick)
        await asyncio.sleep(0.1)
    raise AssertionError("No run waits")


IN_API_FORMAT = """async () => {
  const { output } = await window.app.graphToPrompt();
  await window.app.loadApiJson(output, "from a script.json");
}"""


def listed(comfyui: ComfyPage) -> Locator:
    """What waits, in the panel."""
    return comfyui.page.locator(".cc-waiting").get_by_role("region", name="The workflow waits for your pick")


async def open_panel(comfyui: ComfyPage) -> None:
    await comfyui.page.keyboard.press("Alt+Shift+C")
    await expect(comfyui.page.locator(".cc-panel")).to_be_visible()


async def pick_in_the_panel(comfyui: ComfyPage) -> None:
    """Pick the second image of the only run that waits, and let it go on; then close the panel."""
    await open_panel(comfyui)
    await expect(listed(comfyui)).to_be_visible()
    shown = comfyui.page.locator(".cc-waiting")
    await expect(shown.locator("img.cc-thumbnail")).to_have_count(3)
    await shown.get_by_role("button", name="Pick image 2").click()
    await shown.get_by_role("button", name="Continue").click()
    await expect(listed(comfyui)).to_have_count(0)
    await comfyui.page.keyboard.press("Alt+Shift+C")


def badge(comfyui: ComfyPage) -> Locator:
    """The number on the panel's icon in ComfyUI's sidebar."""
    return comfyui.page.locator(".context-checkpoint-tab-button")


async def test_a_graph_in_api_format_is_answered_in_the_panel_after_a_reload(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Its workflow has another id then, and no node shows that it waits: a badge and a notification do."""
    await load(comfyui, three_nodes, "a portrait in API format", mode="pause")
    await comfyui.page.evaluate(IN_API_FORMAT)
    await comfyui.settle()
    await queue(comfyui)
    pick = await next_waiting(comfyui)

    await comfyui.page.reload()
    await comfyui.open()
    await comfyui.load({**three_nodes, "id": "00000000-0000-4000-8000-000000000001"})
    await expect(comfyui.toast("A run waits for your pick")).to_be_visible()
    await expect(badge(comfyui)).to_contain_text("1")
    await pick_in_the_panel(comfyui)

    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None, "selected", None]
    await expect(badge(comfyui)).not_to_contain_text("1")


async def test_a_run_whose_tab_is_gone_waits_for_any_other_tab(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """It was queued there, began after the tab had been closed, and is answered here."""
    await load(comfyui, three_nodes, "a portrait of a closed tab", mode="pause")
    prompt = await comfyui.page.evaluate("window.app.graphToPrompt()")
    await comfyui.load({**three_nodes, "id": "00000000-0000-4000-8000-000000000002"})
    extra = {"extra_pnginfo": {"workflow": prompt["workflow"]}}
    body = {"prompt": prompt["output"], "client_id": "a tab that was closed", "extra_data": extra}
    prompt_id = comfyui.server.post("/prompt", body)["prompt_id"]
    pick = await next_waiting(comfyui)

    await pick_in_the_panel(comfyui)

    assert (await ended(comfyui, prompt_id))["status"]["status_str"] == "success"
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None, "selected", None]


async def test_after_a_lost_connection_it_shows_what_is_true(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """A verdict that found no server is told and tried again; an end that the page missed is seen."""
    pick = await waiting(comfyui, three_nodes, "a portrait behind a bad connection")
    context, generation = comfyui.page.context, pick["rounds"][0]["generation_id"]
    await context.set_offline(True)
    await comfyui.page.evaluate("window.app.api.socket.close()")

    await images(comfyui).first.focus()
    await press(comfyui, "1")
    await expect(saved_line(comfyui)).to_contain_text("Not saved: ")
    assert verdicts(comfyui, generation) == [None] * 3
    comfyui.server.post(f"{PENDING}/{pick['id']}", {"send_all": True})
    await ended(comfyui, pick["prompt_id"])
    await expect(banner(comfyui)).to_be_visible()

    await context.set_offline(False)
    await expect(banner(comfyui)).to_have_count(0, timeout=30_000)
    await comfyui.page.get_by_role("button", name="Try again").click()
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 0 rejected.")
    assert verdicts(comfyui, generation) == ["selected", None, None]


async def test_when_the_time_is_over_it_goes_on_with_what_was_picked(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """The banner says when, and goes by itself."""
    pick = await waiting(comfyui, three_nodes, "a portrait in a hurry", timeout_s=6.0)
    await expect(banner(comfyui)).to_contain_text("It continues by itself at")
    await expect(banner(comfyui)).to_contain_text("or with all images and no verdict.")
    await images(comfyui).first.focus()
    await press(comfyui, "2")

    await expect(banner(comfyui)).to_have_count(0, timeout=15_000)
    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None, "selected", None]


async def test_cancelled_in_the_frontend_it_ends_and_the_next_run_is_free(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """By ComfyUI's own command; nothing is judged, and what is queued next runs."""
    pick = await waiting(comfyui, three_nodes, "a portrait to give up")

    await comfyui.page.evaluate("window.app.extensionManager.command.execute('Comfy.Interrupt')")

    await expect(banner(comfyui)).to_have_count(0)
    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == "error"
    await comfyui.set_widgets("FeedbackRecorder", mode="record")
    after = await comfyui.run()
    assert after["status"]["status_str"] == "success"
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None] * 3
