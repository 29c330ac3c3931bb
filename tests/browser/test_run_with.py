"""From *Try* into the open workflow: this prompt with one of the checkpoints that would be picked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

from .conftest import one_canvas
from .test_panel import RECOMMENDER, SMALL, close_panel, tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAMPLER = "MultiCheckpointSampler"


async def tried(comfyui: ComfyPage, prompt: str) -> Locator:
    """The checkpoints that *Try* names for a prompt."""
    shown = await tab(comfyui, "Try")
    await shown.get_by_role("textbox", name="Prompt").fill(prompt)
    await shown.get_by_role("button", name="What would it pick?").click()
    names = shown.get_by_role("list", name="Checkpoints").get_by_role("listitem")
    await expect(names).to_have_count(3)
    return names


async def newest(comfyui: ComfyPage, prompt: str) -> dict[str, Any]:
    """The generation of a prompt, once it is logged."""
    for _ in range(600):
        (found, *_) = comfyui.server.get("/context_checkpoint/generations?limit=1")["generations"] or [{"prompt": ""}]
        if found["prompt"] == prompt:
            return dict(found)
        await asyncio.sleep(0.1)
    raise AssertionError("The run did not end.")


async def inputs_of(comfyui: ComfyPage, node_type: str) -> dict[str, Any]:
    return dict(
        await comfyui.page.evaluate(
            """(type) => Object.fromEntries(window.app.rootGraph.nodes.find((node) => node.type === type)
              .widgets.map(({ name, value }) => [name, typeof value === "object" ? null : value]))""",
            node_type,
        )
    )


async def test_a_prompt_is_run_with_one_checkpoint_and_the_workflow_stays_as_it_is(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """But for the prompt. A checkpoint that is not the first, and a text that the sampler has of its own."""
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(SAMPLER, **SMALL, positive="something else")
    before = await inputs_of(comfyui, RECOMMENDER)
    names = await tried(comfyui, "a lighthouse in autumn")
    last = names.last
    name = await last.locator("[title]").first.get_attribute("title")

    await last.get_by_role("button", name="Run this prompt with").click()
    await expect(comfyui.page.locator(".cc-try").get_by_role("status")).to_contain_text("Queued in the open workflow")
    generation = await newest(comfyui, "a lighthouse in autumn")

    assert {image["file"]["checkpoint"] for image in generation["images"]} == {name}
    assert generation["strategy"] == "exploit"
    assert "something" not in {word["text"] for word in generation["keywords"]}
    now = await inputs_of(comfyui, RECOMMENDER)
    assert now == {**before, "prompt": "a lighthouse in autumn"}
    await close_panel(comfyui)


@one_canvas
async def test_without_a_recommender_it_says_what_to_do(comfyui: ComfyPage) -> None:
    """Also where it is bypassed; and where its prompt is computed, nothing is queued either."""
    await comfyui.build({"other": {"type": "EmptyLatentImage", "pos": [0, 0]}})
    names = await tried(comfyui, "a lighthouse in winter")
    status = comfyui.page.locator(".cc-try").get_by_role("status")

    await names.first.get_by_role("button", name="Run this prompt with").click()
    await expect(status).to_contain_text("The open workflow has no Context Checkpoint Recommender that is on.")

    await comfyui.build({"recommender": {"type": RECOMMENDER, "pos": [0, 0]}})
    await comfyui.page.evaluate(
        "(type) => { window.app.rootGraph.nodes.find((node) => node.type === type).mode = 4; }", RECOMMENDER
    )
    await names.first.get_by_role("button", name="Run this prompt with").click()
    await expect(status).to_contain_text("no Context Checkpoint Recommender that is on")
    assert comfyui.server.get("/queue")["queue_running"] == []
    await close_panel(comfyui)
