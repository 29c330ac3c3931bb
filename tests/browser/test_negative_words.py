"""Words for the negative prompt on the nodes: shown with their reasons, and added by a click."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.pack_graph import three_nodes as graph_of

from .conftest import one_canvas

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER, SAMPLER = "ContextCheckpointRecommender", "MultiCheckpointSampler"


def teach(comfyui: ComfyPage, prompt: str) -> None:
    """Two generations that were kept, with the same negative prompt."""
    for seed in (1, 2):
        graph = graph_of(prompt, seed=seed, steps=1, size=64, selected="all", recommender={"max_branches": 1})
        graph["recommender"]["inputs"].update(negative="bad hands, fog", seed=seed)
        comfyui.server.run(graph)


async def ask(comfyui: ComfyPage) -> Locator:
    await comfyui.show_all()
    plan = comfyui.page.locator(".cc-plan").first
    await plan.get_by_role("button", name="Negative words").click()
    await expect(plan.get_by_role("list", name="Negative words")).to_be_visible()
    await comfyui.show_all()  # the node has grown
    return plan


async def negative_of(comfyui: ComfyPage) -> str:
    return str(
        await comfyui.page.evaluate(
            """(type) => window.app.rootGraph.nodes.find((node) => node.type === type)
              .widgets.find(({ name }) => name === "negative").value""",
            SAMPLER,
        )
    )


async def test_a_click_adds_a_word_to_the_negative_prompt(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """That of the sampler behind the recommender; each word has its reason."""
    teach(comfyui, "a harbour without flaws")
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(RECOMMENDER, prompt="a harbour without flaws")
    await comfyui.set_widgets(SAMPLER, negative="blurry")

    plan = await ask(comfyui)
    words = plan.get_by_role("list", name="Negative words").get_by_role("listitem")
    await expect(words).to_have_count(2)
    await expect(words.first).to_contain_text("2 of 2 images that you kept of such prompts have it.")
    await words.get_by_role("button", name="bad hand").click()

    await expect(plan.get_by_role("status")).to_contain_text("bad hand")
    await expect(words).to_have_count(1)
    assert await negative_of(comfyui) == "blurry, bad hand"


@one_canvas
async def test_a_word_is_copied_where_the_negative_prompt_is_typed_nowhere(comfyui: ComfyPage) -> None:
    """And the node says so."""
    teach(comfyui, "a canal without flaws")
    await comfyui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await comfyui.build({"recommender": {"type": RECOMMENDER, "pos": [0, 0]}})
    await comfyui.set_widgets(RECOMMENDER, prompt="a canal without flaws")

    plan = await ask(comfyui)
    await plan.get_by_role("button", name="fog").click()

    await expect(plan.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert await comfyui.page.evaluate("navigator.clipboard.readText()") == "fog"
