"""The panel in ComfyUI's sidebar, the plan before queueing, and what the menus wire.

Tests of what is on a node run in the classic canvas and in Nodes 2.0, those of the panel in one of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage, comfy_page
from context_checkpoint.demo.comfyui.server import ComfyServer
from tests.conftest import LAYOUT_FAULTS, recomputed_elsewhere

from .conftest import one_canvas

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER = "ContextCheckpointRecommender"
SMALL = {"width": 128, "height": 128, "steps": 4}


async def run_example(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str) -> str:
    """Run the example in small; return the generation's id."""
    await comfyui.load(workflow)
    await comfyui.set_widgets(RECOMMENDER, prompt=prompt)
    await comfyui.set_widgets("MultiCheckpointSampler", **SMALL)
    await comfyui.show_all()
    entry = await comfyui.run()
    (recorded,) = [record for output in entry["outputs"].values() for record in output.get("context_checkpoint", ())]
    return str(recorded["generation_id"])


async def open_panel(comfyui: ComfyPage) -> Locator:
    """Open the panel by its keys, or leave it open."""
    panel = comfyui.page.locator(".cc-panel")
    if await panel.count() == 0:
        await comfyui.page.keyboard.press("Alt+Shift+C")
    await expect(panel).to_be_visible()
    return panel


async def tab(comfyui: ComfyPage, name: str) -> Locator:
    panel = await open_panel(comfyui)
    await panel.get_by_role("tab", name=name).click()
    shown = panel.get_by_role("tabpanel", name=name)
    await expect(shown).not_to_contain_text("Loading")
    return shown


async def close_panel(comfyui: ComfyPage) -> None:
    if await comfyui.page.locator(".cc-panel").count():
        await comfyui.page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.TogglePanel')")
        await expect(comfyui.page.locator(".cc-panel")).to_have_count(0)


async def test_the_panels_scripts_are_loaded_when_it_is_opened(browser: Browser, comfy: ComfyServer) -> None:
    """Where they cannot be, it says so and can be opened again; closed at once, it stays closed."""
    async with comfy_page(browser, comfy, nodes_2=True, size=(1500, 1000)) as opened:
        page, scripts = opened.page, "**/panel/panel.mjs"
        loaded: list[str] = []
        page.on("request", lambda request: loaded.append(request.url))
        await opened.open()
        assert any(url.endswith("/panel/sidebar.mjs") for url in loaded)
        assert not any(url.endswith("/panel/panel.mjs") for url in loaded)

        await page.route(scripts, lambda route: route.abort())
        await page.keyboard.press("Alt+Shift+C")
        await expect(page.get_by_text("The server did not answer")).to_be_visible()
        await page.keyboard.press("Alt+Shift+C")
        await page.unroute(scripts)
        for _ in range(4):
            await page.keyboard.press("Alt+Shift+C")
        await expect(page.locator(".cc-panel")).to_have_count(0)
        await page.keyboard.press("Alt+Shift+C")
        await expect(page.locator(".cc-panel").get_by_role("tab", name="Overview")).to_be_visible()


@one_canvas
async def test_the_panel_shows_generations_with_their_images_and_takes_verdicts(
    comfyui: ComfyPage, three_nodes: dict[str, Any], hostile_checkpoint: str
) -> None:
    """Opened by keys, closed by a command; a verdict that is given here reaches the server."""
    generation = await run_example(comfyui, three_nodes, "a lighthouse <b>in a storm</b>")

    shown = await tab(comfyui, "History")
    newest = shown.get_by_role("article").first
    await expect(newest).to_contain_text("a lighthouse <b>in a storm</b>")
    await expect(newest.locator("img.cc-thumbnail").first).to_be_visible()
    await newest.get_by_role("button", name="Pick image 1").click()
    await expect(newest.locator(".cc-saving .cc-status")).to_have_text("Saved: 1 picked, 0 rejected.")

    (held,) = comfyui.server.get(f"/context_checkpoint/generations?id={generation}")["generations"]
    assert held["images"][0]["verdict"] == "selected"
    checkpoints = await tab(comfyui, "Checkpoints")
    await expect(checkpoints).to_contain_text(hostile_checkpoint.removesuffix(".safetensors"))
    await expect(checkpoints).to_contain_text("sd3")
    preferences = await tab(comfyui, "Preferences")
    await expect(preferences).to_contain_text("lighthouse")
    assert await comfyui.page.evaluate("window.hacked") is None
    await close_panel(comfyui)


@one_canvas
async def test_the_panel_says_how_far_the_statistics_are_recomputed(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """After an update, on the overview, until it is done."""
    await run_example(comfyui, three_nodes, "a lighthouse while it is recomputed")
    file = comfyui.server.base_directory / "user" / "__context_checkpoint" / "preferences.db"
    with recomputed_elsewhere(file, 1):
        shown = await tab(comfyui, "Overview")
        line = shown.get_by_text("The statistics are being recomputed: 1 of")
        await expect(line).to_be_visible()
    await expect(line).to_have_count(0)
    await close_panel(comfyui)


@one_canvas
@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_nobody_is_kept_out_of_the_panel(
    comfyui: ComfyPage, serious_faults: Callable[[Any, str], Awaitable[list[str]]], palette: str
) -> None:
    """axe-core finds no serious fault in it, in both themes and in a sidebar of 300 px, and nothing is cut off."""
    set_palette = "(id) => window.app.extensionManager.setting.set('Comfy.ColorPalette', id)"
    await comfyui.page.evaluate(set_palette, palette)
    try:
        faults = {}
        for name in ("Overview", "Preferences", "History", "Checkpoints", "LoRAs", "Try", "Settings"):
            shown = await tab(comfyui, name)
            panel = comfyui.page.locator(".cc-panel")
            await panel.evaluate("(panel) => { panel.style.inlineSize = '300px'; }")
            for unfold in await shown.locator(".cc-expand:visible, .cc-map td > button:visible").all():
                await unfold.click()
                await expect(shown).not_to_contain_text("Loading")
                break
            faults[name] = await serious_faults(comfyui.page, ".cc-panel") + await panel.evaluate(LAYOUT_FAULTS)
        assert {name: found for name, found in faults.items() if found} == {}
    finally:
        await comfyui.page.evaluate(set_palette, "dark")
        await close_panel(comfyui)


@one_canvas
async def test_a_generation_is_forgotten_after_comfyuis_own_question(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Its dialog, and nothing is gone before it is answered."""
    generation = await run_example(comfyui, three_nodes, "a lighthouse to forget")
    address = f"/context_checkpoint/generations?id={generation}"
    newest = (await tab(comfyui, "History")).get_by_role("article").first
    await expect(newest).to_contain_text("a lighthouse to forget")

    await newest.get_by_role("button", name="Forget this generation").click()
    dialog = comfyui.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("This cannot be undone.")
    assert comfyui.server.get(address)["generations"]
    await dialog.get_by_role("button", name="Delete").click()

    await expect(newest).not_to_contain_text("a lighthouse to forget")
    held = comfyui.server.get("/context_checkpoint/generations?limit=500")["generations"]
    assert generation not in {one["id"] for one in held}
    await close_panel(comfyui)


async def test_the_plan_is_shown_before_queueing(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """By the button, with the node's own values, and why; nothing is queued for it."""
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(RECOMMENDER, prompt="a lighthouse", max_branches=2)
    await comfyui.show_all()
    before = comfyui.server.get("/history")
    plan = comfyui.page.locator(".cc-plan").first

    await plan.get_by_role("button", name="What would you pick?").click()

    await expect(plan.get_by_text("The plan for this prompt now")).to_be_visible()
    await expect(plan.locator(".cc-plan-section ol > li")).to_have_count(2)
    await plan.get_by_role("button", name="Why?").click()
    await expect(plan.locator(".cc-why")).to_contain_text("comparisons on such prompts")
    assert comfyui.server.get("/history") == before


async def test_the_pools_rules_are_one_line_until_somebody_wants_them(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """The line says what a workflow restricts; unfolding and folding change neither its values nor the node's size."""
    (saved,) = [node for node in three_nodes["nodes"] if node["type"] == RECOMMENDER]
    saved["widgets_values"][2] = saved["widgets_values_named"]["include"] = "r*, illustration/*"
    await comfyui.load(three_nodes)
    await comfyui.show_all()
    line = comfyui.page.locator(".cc-pool").first
    look = """() => {
      const node = window.app.rootGraph.nodes.find(({ type }) => type === "ContextCheckpointRecommender");
      const drawn = document.querySelector(`.lg-node[data-node-id="${node.id}"]`);
      const seen = ({ name }) => drawn ? drawn.innerText.split("\\n").includes(name) : true;
      const shown = node.widgets.filter((widget) => node.isWidgetVisible(widget) && seen(widget));
      return { shown: shown.map(({ name }) => name), values: node.serialize().widgets_values, size: [...node.size] };
    }"""
    rules = {"family", "include", "exclude", "fallback", "folder", "needs"}

    await expect(line).to_contain_text("Pool: all checkpoints, only r*, illustration/*")
    folded = await comfyui.page.evaluate(look)
    assert not rules & set(folded["shown"])
    assert folded["values"] == saved["widgets_values"]

    await line.get_by_role("button", name="Change").click()
    await comfyui.settle()
    unfolded = await comfyui.page.evaluate(look)
    assert rules <= set(unfolded["shown"])
    assert unfolded["size"][1] > folded["size"][1]

    await line.get_by_role("button", name="Change").evaluate("(button) => button.click()")
    await comfyui.settle()
    again = await comfyui.page.evaluate(look)
    assert not rules & set(again["shown"])
    assert again["size"][0] == folded["size"][0]
    assert abs(again["size"][1] - folded["size"][1]) < 12, "Nodes 2.0 rounds the heights of its rows"

    await comfyui.set_widgets(RECOMMENDER, include="")
    await comfyui.page.evaluate(
        """() => {
          const node = window.app.rootGraph.nodes.find(({ type }) => type === "ContextCheckpointRecommender");
          node.widgets.find(({ name }) => name === "include").callback?.("");
        }"""
    )
    await expect(line).not_to_contain_text("only")


@one_canvas
async def test_the_plan_and_its_reasons_are_asked_for_by_keys(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """Enter and Space press, Tab leads on, and ComfyUI's own keys stay out of it."""
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(RECOMMENDER, prompt="a lighthouse by key")
    await comfyui.show_all()
    plan, keyboard = comfyui.page.locator(".cc-plan").first, comfyui.page.keyboard
    await plan.get_by_role("button", name="What would you pick?").focus()

    await keyboard.press("Enter")
    await expect(plan.get_by_text("The plan for this prompt now")).to_be_visible()
    await keyboard.press("Tab")
    why = plan.get_by_role("button", name="Why?")
    await expect(why).to_be_focused()
    await keyboard.press("Space")
    await expect(why).to_have_attribute("aria-expanded", "true")
    await keyboard.press("Space")
    await expect(why).to_have_attribute("aria-expanded", "false")


async def test_the_plan_follows_the_prompt_as_it_is_typed(comfyui: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """One question once the person pauses, not one per letter."""
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(RECOMMENDER, prompt="a harbour")
    await comfyui.show_all()
    plan = comfyui.page.locator(".cc-plan").first
    await plan.get_by_role("button", name="What would you pick?").click()
    await expect(plan.get_by_text("The plan for this prompt now")).to_be_visible()
    (prompt,) = [
        field for field in await comfyui.page.locator("textarea").all() if await field.input_value() == "a harbour"
    ]
    asked: list[Any] = []
    comfyui.page.on("request", lambda request: asked.append(request) if request.url.endswith("/recommend") else None)

    async with comfyui.page.expect_request(lambda request: "fog" in (request.post_data or "")):
        await prompt.click()
        await prompt.press("End")
        await prompt.press_sequentially(" in the fog", delay=30)

    assert [request.post_data_json["prompt"] for request in asked] == ["a harbour in the fog"]


async def test_a_recommender_is_wired_to_a_loader_from_its_menu(comfyui: ComfyPage) -> None:
    """The prompt that is sent has it, with the positive prompt's text; one step undoes it."""
    await comfyui.build(
        {
            "loader": {"type": "CheckpointLoaderSimple", "pos": [0, 0]},
            "positive": {
                "type": "CLIPTextEncode",
                "pos": [400, 0],
                "widgets": {"text": "a quiet harbour"},
                "inputs": {"clip": "loader.CLIP"},
            },
            "negative": {"type": "CLIPTextEncode", "pos": [400, 300], "inputs": {"clip": "loader.CLIP"}},
            "latent": {"type": "EmptyLatentImage", "pos": [400, 600]},
            "sampler": {
                "type": "KSampler",
                "pos": [900, 0],
                "inputs": {
                    "model": "loader.MODEL",
                    "positive": "positive.CONDITIONING",
                    "negative": "negative.CONDITIONING",
                    "latent_image": "latent.LATENT",
                },
            },
            "decoder": {
                "type": "VAEDecode",
                "pos": [1300, 0],
                "inputs": {"samples": "sampler.LATENT", "vae": "loader.VAE"},
            },
        }
    )

    await choose(comfyui, "CheckpointLoaderSimple", "Recommend a checkpoint for this loader")
    await expect(comfyui.toast("A recommender now chooses for this loader")).to_be_visible()
    await choose(comfyui, "VAEDecode", "Record feedback for this output")
    await expect(comfyui.toast("These images are now recorded")).to_be_visible()

    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    by_type = {node["class_type"]: (key, node["inputs"]) for key, node in prompt.items()}
    recommender, inputs = by_type[RECOMMENDER]
    assert by_type["CheckpointLoaderSimple"][1]["ckpt_name"] == [recommender, 1]
    encoders = [node["inputs"]["text"] for node in prompt.values() if node["class_type"] == "CLIPTextEncode"]
    assert inputs["prompt"] == "a quiet harbour"
    assert [recommender, 5] in encoders
    assert inputs["family"] == "sd3"
    assert inputs["fallback"] in comfyui.server.get("/models/checkpoints")
    recorded = by_type["FeedbackRecorder"][1]
    assert recorded["images"] == [by_type["VAEDecode"][0], 0]
    assert (recorded["plan"], recorded["ckpt_names"]) == ([recommender, 0], [recommender, 1])


async def test_what_a_menu_adds_lies_beside_its_node(comfyui: ComfyPage) -> None:
    """As it is drawn: Nodes 2.0 draws a node wider than it was asked to, where its content needs that."""
    await comfyui.build(
        {
            "loader": {"type": "CheckpointLoaderSimple", "pos": [0, 0]},
            "decoder": {"type": "VAEDecode", "pos": [500, 0], "inputs": {"vae": "loader.VAE"}},
        }
    )

    await choose(comfyui, "VAEDecode", "Record feedback for this output")
    await choose(comfyui, "CheckpointLoaderSimple", "Recommend a checkpoint for this loader")
    await comfyui.show_all()

    drawn = await comfyui.page.evaluate(
        """() => window.app.rootGraph.nodes.map((node) => {
          const shown = document.querySelector(`.lg-node[data-node-id="${node.id}"]`)?.getBoundingClientRect();
          const [left, , width] = node.getBounding();
          return shown ? [node.type, shown.left, shown.right] : [node.type, left, left + width];
        })"""
    )
    left_to_right = [RECOMMENDER, "CheckpointLoaderSimple", "VAEDecode", "FeedbackRecorder"]
    assert [node_type for node_type, *_ in sorted(drawn, key=lambda node: node[1])] == left_to_right
    for before, after in pairwise(sorted(drawn, key=lambda node: node[1])):
        assert before[2] < after[1], (before, after)


async def choose(comfyui: ComfyPage, node_type: str, content: str) -> None:
    """Press an entry of a node's menu as the frontend collects it."""
    await comfyui.page.evaluate(
        """([type, content]) => {
          const node = window.app.rootGraph.nodes.find((candidate) => candidate.type === type);
          const items = window.app.collectNodeMenuItems(node);
          const item = items.find((candidate) => candidate?.content === content);
          if (!item) throw new Error(`${type} does not offer: ${content}`);
          item.callback();
        }""",
        [node_type, content],
    )
    await comfyui.settle()
