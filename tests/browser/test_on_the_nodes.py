"""What a person sees and does on the nodes, and what of it arrives.

Tests of what differs run in the classic canvas and in Nodes 2.0, on the example workflow with the three nodes.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from tests.conftest import what_is_tested_against

from .conftest import one_canvas

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER = "ContextCheckpointRecommender"
NODES = (
    RECOMMENDER,
    "ContextSettingsRecommender",
    "ContextLoraRecommender",
    "MultiCheckpointSampler",
    "RecommendedCheckpointLoader",
    "FeedbackRecorder",
)
SMALL = {"width": 128, "height": 128, "steps": 4}


async def run_example(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str) -> str:
    """Run the example in small; return the generation's id."""
    await comfyui.load(workflow)
    await comfyui.set_widgets(RECOMMENDER, prompt=prompt)
    await comfyui.set_widgets("MultiCheckpointSampler", **SMALL)
    await comfyui.show_all()
    return await run(comfyui)


async def run(comfyui: ComfyPage) -> str:
    entry = await comfyui.run()
    assert entry["status"]["status_str"] == "success", entry["status"]
    (recorded,) = [record for output in entry["outputs"].values() for record in output.get("context_checkpoint", ())]
    return str(recorded["generation_id"])


def rows(comfyui: ComfyPage) -> Locator:
    return comfyui.page.get_by_role("list", name="Images of this run").get_by_role("listitem")


def plan(comfyui: ComfyPage) -> Locator:
    return comfyui.page.get_by_role("list", name="Checkpoints, best first").get_by_role("listitem")


def saved_line(comfyui: ComfyPage) -> Locator:
    return comfyui.page.locator(".cc-generations").get_by_role("status")


def verdicts(comfyui: ComfyPage, generation_id: str) -> list[str | None]:
    """What the server holds."""
    answer = comfyui.server.get(f"/context_checkpoint/generations?id={generation_id}")
    (generation,) = answer["generations"]
    return [image["verdict"] for image in generation["images"]]


@one_canvas
async def test_the_frontend_is_the_one_that_the_report_names(comfyui: ComfyPage) -> None:
    """A report that names another version than the page's would be worse than none."""
    version = await comfyui.page.evaluate("window.__COMFYUI_FRONTEND_VERSION__")

    assert f"frontend {version} (" in what_is_tested_against()


async def test_a_verdict_given_on_the_node_arrives_and_is_shown_again_after_a_reload(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Pick and reject are saved at once, outlive a reload, and the next run is another generation."""
    generation = await run_example(comfyui, three_nodes, "a portrait to judge")
    page = comfyui.page
    await expect(plan(comfyui)).to_have_count(3)
    await expect(page.get_by_role("meter", name="Confidence")).to_be_visible()
    await expect(rows(comfyui)).to_have_count(3)

    await rows(comfyui).nth(1).get_by_role("button", name="Pick").click()
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 0 rejected.")
    await page.get_by_role("button", name="Reject the rest").click()
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 2 rejected.")

    assert verdicts(comfyui, generation) == ["rejected", "selected", "rejected"]
    await comfyui.open()
    pressed = rows(comfyui).locator("button[aria-pressed=true]")
    await expect(pressed).to_have_text(["Reject", "Pick", "Reject"])
    await expect(plan(comfyui)).to_have_count(3)
    assert await run(comfyui) != generation
    await expect(pressed).to_have_count(0)


async def test_reject_all_is_a_verdict_and_a_second_press_takes_it_back(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """None of them is good enough; or, on second thought, nothing was said."""
    generation = await run_example(comfyui, three_nodes, "a landscape to refuse")
    reject_all = comfyui.page.get_by_role("button", name="Reject all")

    await reject_all.click()
    await expect(saved_line(comfyui)).to_have_text("Saved: 0 picked, 3 rejected.")
    assert verdicts(comfyui, generation) == ["rejected"] * 3

    await reject_all.click()
    await expect(saved_line(comfyui)).to_contain_text("no verdict")
    assert verdicts(comfyui, generation) == [None] * 3


@one_canvas
async def test_a_verdict_that_is_not_saved_is_told_with_its_reason_and_can_be_tried_again(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """A lost verdict is always told."""
    generation = await run_example(comfyui, three_nodes, "a still life to lose")
    refusal = {"error": {"code": "store_full", "message": "The disk is full.", "details": {}}}
    await comfyui.page.route("**/feedback", lambda route: route.fulfill(status=507, json=refusal))

    await rows(comfyui).first.get_by_role("button", name="Pick").click()

    await expect(saved_line(comfyui)).to_have_text("Not saved: The disk is full.")
    assert verdicts(comfyui, generation) == [None] * 3
    await comfyui.page.unroute("**/feedback")
    await comfyui.page.get_by_role("button", name="Try again").click()
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 0 rejected.")
    assert verdicts(comfyui, generation) == ["selected", None, None]


async def test_a_checkpoint_whose_name_is_markup_is_shown_as_text(
    comfyui: ComfyPage, three_nodes: dict[str, Any], hostile_checkpoint: str
) -> None:
    """File names come from anywhere; none of them may run in the page."""
    await run_example(comfyui, three_nodes, "anything <b onclick=window.hacked=1>at all</b>")

    name = hostile_checkpoint.removesuffix(".safetensors")
    for shown in await comfyui.page.get_by_text(name, exact=True).all():
        await expect(shown).to_be_visible()
    await expect(rows(comfyui).filter(has_text=name)).to_have_count(1)
    assert await comfyui.page.evaluate("window.hacked") is None


async def test_the_ckpt_name_list_is_plugged_into_the_stock_loader_by_mouse(comfyui: ComfyPage) -> None:
    """Both canvases take the link, and the prompt that is sent has it."""
    await comfyui.build(
        {
            "recommender": {"type": RECOMMENDER, "pos": [0, 0]},
            "loader": {"type": "CheckpointLoaderSimple", "pos": [700, 0]},
        }
    )
    await comfyui.show_all()

    await comfyui.drag_link(RECOMMENDER, "ckpt_name", "CheckpointLoaderSimple", "ckpt_name")

    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    (loader,) = [node for node in prompt.values() if node["class_type"] == "CheckpointLoaderSimple"]
    (recommender,) = [key for key, node in prompt.items() if node["class_type"] == RECOMMENDER]
    assert loader["inputs"]["ckpt_name"] == [recommender, 1]


@one_canvas
async def test_the_settings_dialog_follows_the_server_and_changes_it(comfyui: ComfyPage) -> None:
    """The server's settings are the truth; what it refuses is told and set back."""
    server, page = comfyui.server, comfyui.page
    server.post("/context_checkpoint/settings", {"policy": "global", "exploit_threshold": 0.7})
    await comfyui.open()
    get = "(id) => window.app.extensionManager.setting.get(id)"
    set_ = "([id, value]) => window.app.extensionManager.setting.set(id, value)"
    try:
        assert await page.evaluate(get, "ContextCheckpoint.Policy") == "global"

        await page.evaluate(set_, ["ContextCheckpoint.Policy", "counts"])
        await page.evaluate(set_, ["ContextCheckpoint.ExploreThreshold", 0.9])

        await expect(comfyui.toast("The setting was not saved")).to_be_visible()
        settings = server.get("/context_checkpoint/settings")
        assert (settings["policy"], settings["explore_threshold"]) == ("counts", 0.3)
        await page.wait_for_function(
            "window.app.extensionManager.setting.get('ContextCheckpoint.ExploreThreshold') === 0.3"
        )
    finally:
        server.post("/context_checkpoint/settings", {"policy": "bayesian", "exploit_threshold": 0.5})


@one_canvas
async def test_kept_checkpoints_are_released_by_a_command(comfyui: ComfyPage) -> None:
    """The menu's command reaches the server, and says what it did."""
    await comfyui.page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.ReleaseLoaders')")

    await expect(comfyui.toast("Kept loaders released")).to_be_visible()


async def test_the_gallery_stays_on_the_node_beside_the_properties_panel(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """The panel shows a selected node's widgets; ours keep to the node and to its width.

    Also in frontends before 1.49, which know no widget that keeps off the panel.
    """
    page = comfyui.page
    await comfyui.load(three_nodes)
    await comfyui.show_all()
    setting = "Comfy.RightSidePanel.IsOpen"
    try:
        await page.evaluate(f"window.app.extensionManager.setting.set('{setting}', true)")
        for kind, shown in {
            "FeedbackRecorder": ".cc-generations",
            "ContextCheckpointRecommender": ".cc-plan",
        }.items():
            await page.evaluate(
                """(type) => {
                  const { canvas, rootGraph } = window.app;
                  canvas.selectNode(rootGraph.nodes.find((node) => node.type === type));
                }""",
                kind,
            )
            panel = page.get_by_test_id("properties-panel")
            await expect(panel).to_contain_text("Parameters")
            await comfyui.settle()
            await expect(panel.locator(".cc-display")).to_have_count(0)
            await expect(page.locator(shown)).to_be_visible()
            inside, width = await page.evaluate(
                """([type, shown]) => {
                  const { canvas, rootGraph } = window.app;
                  const node = rootGraph.nodes.find((node) => node.type === type);
                  const { width } = document.querySelector(shown).getBoundingClientRect();
                  return [width, node.size[0] * canvas.ds.scale];
                }""",
                [kind, shown],
            )
            assert inside > 0.85 * width, kind
    finally:
        await page.evaluate(f"window.app.extensionManager.setting.set('{setting}', false)")


async def test_the_gallery_is_there_when_nodes_2_is_turned_on_or_off(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Without a reload, as ComfyUI's menu does it."""
    page = comfyui.page
    await comfyui.load(three_nodes)
    await comfyui.show_all()
    before = await page.evaluate("window.app.extensionManager.setting.get('Comfy.VueNodes.Enabled')")
    turn = "(on) => window.app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)"
    try:
        for on in (not before, before):
            await page.evaluate(turn, on)
            await comfyui.settle()
            await expect(page.locator(".lg-node").first).to_be_visible(visible=on)
            for shown in (".cc-generations", ".cc-plan"):
                await expect(page.locator(shown)).to_be_visible()
    finally:
        await page.evaluate(turn, before)
