"""Each checkpoint's own settings, as a person sees and sets them in ComfyUI's page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.pack_graph import three_nodes as three_nodes_in_api_form
from context_checkpoint.demo.comfyui.server import ComfyServer

from .conftest import one_canvas

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER, SETTINGS, SAMPLER = "ContextCheckpointRecommender", "ContextSettingsRecommender", "MultiCheckpointSampler"
SMALL = {"width": 128, "height": 128, "steps": 4}
RED = "red.safetensors"
PROFILES = "/context_checkpoint/profiles"


@pytest.fixture
def profile_of_red(comfy: ComfyServer) -> Iterator[None]:
    """What a person set for one checkpoint; a part of it would be markup."""
    values = {"steps": 2, "before": "<b onclick=window.hacked=1>score_9</b>"}
    comfy.post(PROFILES, {"checkpoint": RED, "settings": values})
    yield
    comfy.post(PROFILES, {"checkpoint": RED, "clear": True})


async def with_settings_node(comfyui: ComfyPage) -> None:
    await comfyui.build(
        {
            "recommender": {"type": RECOMMENDER, "pos": [0, 60], "widgets": {"prompt": "a lighthouse", "include": RED}},
            "settings": {
                "type": SETTINGS,
                "pos": [500, 60],
                "widgets": {"cfg": 2.0},
                "inputs": {"plan": "recommender.plan"},
            },
            "sampler": {"type": SAMPLER, "pos": [1000, 60], "widgets": SMALL, "inputs": {"plan": "settings.plan"}},
            "shown": {"type": "PreviewImage", "pos": [1500, 60], "inputs": {"images": "sampler.images"}},
        }
    )
    await comfyui.show_all()


def shown_settings(comfyui: ComfyPage) -> Locator:
    return comfyui.page.get_by_role("list", name="Checkpoints with their settings")


@pytest.mark.usefixtures("profile_of_red")
async def test_the_settings_node_shows_each_value_with_its_source(comfyui: ComfyPage) -> None:
    """After a run, and again after a reload."""
    await with_settings_node(comfyui)
    await expect(comfyui.page.get_by_text("After a run, each checkpoint is shown here")).to_be_visible()

    entry = await comfyui.run()

    assert entry["status"]["status_str"] == "success", entry["status"]
    (row,) = await shown_settings(comfyui).get_by_role("listitem").all()
    await expect(row).to_contain_text("2 steps, before: “<b onclick=window.hacked=1>score_9</b>” (you set it)")
    await expect(row).to_contain_text("cfg 2, euler, simple, clip skip 1 (this node)")
    assert await comfyui.page.evaluate("window.hacked") is None
    await comfyui.page.reload()
    await comfyui.page.wait_for_function("window.app?.extensionManager?.workflow?.activeWorkflow")
    await comfyui.show_all()
    await expect(shown_settings(comfyui)).to_contain_text("2 steps")


@one_canvas
@pytest.mark.usefixtures("profile_of_red")
async def test_the_recommender_shows_what_is_known_before_and_after_a_run(comfyui: ComfyPage) -> None:
    """Under each checkpoint's name."""
    await with_settings_node(comfyui)
    plan = comfyui.page.get_by_role("list", name="Checkpoints, best first")

    await comfyui.page.get_by_role("button", name="What would you pick?").click()
    await expect(plan).to_contain_text("(you set it)")
    await comfyui.set_widgets(RECOMMENDER, prompt="a lighthouse at night")
    await comfyui.run()

    await expect(plan).to_contain_text("2 steps, before:")


@one_canvas
async def test_a_workflow_saved_without_the_newer_inputs_opens_with_its_values(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """The values of the other widgets keep their places, and the new ones have their defaults."""
    newer = {"settings": "each checkpoint's own, where known", "lora_tags": "apply"}
    (sampler,) = [node for node in three_nodes["nodes"] if node["type"] == SAMPLER]
    for name, value in reversed(newer.items()):
        assert sampler["widgets_values"].pop() == value
        sampler["widgets_values_named"].pop(name)
    sampler["inputs"] = [slot for slot in sampler["inputs"] if slot["name"] not in (*newer, "lora_stack")]

    await comfyui.load(three_nodes)

    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    (inputs,) = [node["inputs"] for node in prompt.values() if node["class_type"] == SAMPLER]
    assert {name: inputs[name] for name in newer} == newer
    expected = {"width": 512, "height": 512, "steps": 20, "cfg": 6, "sampler_name": "dpmpp_2m", "images_per_prompt": 1}
    assert {name: inputs[name] for name in expected} == expected
    entry = await run_small(comfyui)
    assert entry["status"]["status_str"] == "success", entry["status"]


async def run_small(comfyui: ComfyPage) -> Any:
    await comfyui.set_widgets(SAMPLER, **SMALL)
    return await comfyui.run()


@one_canvas
async def test_a_checkpoints_settings_are_set_in_the_sidebar(comfyui: ComfyPage) -> None:
    """By keyboard; ComfyUI's samplers are suggested, and its own keys stay out of it."""
    page = comfyui.page
    await page.keyboard.press("Alt+Shift+C")
    panel = page.locator(".cc-panel")
    await panel.get_by_role("tab", name="Checkpoints").click()
    opener = panel.get_by_role("button", name=f"Settings of {RED}")
    await opener.focus()
    await page.keyboard.press("Enter")
    form = panel.get_by_role("form", name=f"Settings of {RED}")
    try:
        await expect(form.locator("datalist option[value=dpmpp_2m]")).to_have_count(1)
        await form.get_by_label("Steps").focus()
        await page.keyboard.type("7")
        await page.keyboard.press("Enter")
        await expect(form.locator(".cc-status")).to_have_text("Saved.")
        (profile,) = comfyui.server.get(f"{PROFILES}?checkpoint={RED}")["profiles"]
        assert profile["set"]["steps"] == 7
    finally:
        comfyui.server.post(PROFILES, {"checkpoint": RED, "clear": True})
        await page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.TogglePanel')")


@one_canvas
async def test_the_settings_node_shows_the_words_that_it_adds_and_why(comfyui: ComfyPage) -> None:
    """Below the settings, as text."""
    for seed in (1, 2):
        kept = three_nodes_in_api_form("a lighthouse", seed=seed, steps=1, selected="all", recommender={"include": RED})
        kept["recommender"]["inputs"]["negative"] = "fog <b onclick=window.hacked=1>"
        comfyui.server.run(kept)
    await with_settings_node(comfyui)
    await comfyui.set_widgets(SETTINGS, suggest_negative=True)

    entry = await comfyui.run()

    assert entry["status"]["status_str"] == "success", entry["status"]
    words = comfyui.page.get_by_role("list", name="Negative words").get_by_role("listitem")
    await expect(words.first).to_contain_text("2 of 2 images that you kept of such prompts have it.")
    await expect(comfyui.page.get_by_role("list", name="Negative words").get_by_role("button")).to_have_count(0)


@one_canvas
async def test_the_settings_node_shows_what_a_second_image_asks_about(comfyui: ComfyPage) -> None:
    """The same checkpoint twice, with the value to compare and why."""
    for seed, steps in ((1, 2), (2, 3)):
        kept = three_nodes_in_api_form(
            "a lighthouse", seed=seed, steps=steps, selected="all", recommender={"include": RED}
        )
        comfyui.server.run(kept)
    await with_settings_node(comfyui)
    await comfyui.set_widgets(SETTINGS, explore=True)

    entry = await comfyui.run()

    assert entry["status"]["status_str"] == "success", entry["status"]
    rows = await shown_settings(comfyui).get_by_role("listitem").all()
    assert len(rows) == 2
    await expect(rows[1]).to_contain_text("(another value, to compare)")
    await expect(rows[0]).not_to_contain_text("to compare")
