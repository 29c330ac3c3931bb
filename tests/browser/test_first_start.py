"""A ComfyUI whose person has never seen the pack: from the page to the first pick, by clicks alone."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage, comfy_page
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import EXAMPLES, reset

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER, SAMPLER, RECORDER = "ContextCheckpointRecommender", "MultiCheckpointSampler", "FeedbackRecorder"
TOAST = "Context Checkpoint is installed"
STARTED = "ContextCheckpoint.Started"
SMALL = {"width": 128, "height": 128, "steps": 4}


@pytest_asyncio.fixture(params=["classic canvas", "Nodes 2.0"], loop_scope="session")
async def fresh(
    request: pytest.FixtureRequest, browser: Browser, comfy: ComfyServer, first_settings: dict[str, Any]
) -> AsyncIterator[ComfyPage]:
    """The page of a person who has just installed the pack; an error in it fails the test."""
    reset(comfy, first_settings)
    shutil.rmtree(comfy.base_directory / "output", ignore_errors=True)
    nodes_2 = request.param == "Nodes 2.0"
    try:
        async with comfy_page(browser, comfy, nodes_2=nodes_2, size=(1500, 1000), settings={STARTED: False}) as page:
            yield page
            assert page.errors == []
    finally:
        reset(comfy, first_settings)


one_canvas = pytest.mark.parametrize("fresh", ["Nodes 2.0"], indirect=True)


async def open_panel(page: ComfyPage) -> None:
    await page.page.keyboard.press("Alt+Shift+C")
    await expect(page.page.locator(".cc-panel")).to_be_visible()


def badge(page: ComfyPage) -> Any:
    """The mark on the panel's icon in the sidebar."""
    return page.page.evaluate(
        """() => window.app.extensionManager.getSidebarTabs()
          .find(({ id }) => id === "context-checkpoint").iconBadge ?? null"""
    )


async def test_from_the_page_to_the_first_pick(fresh: ComfyPage) -> None:
    """Toast, panel, example, Run, Pick; then the guide is gone, and the node says how far it is."""
    page = fresh.page
    guide = page.get_by_role("region", name="Start", exact=True)
    await expect(fresh.toast(TOAST)).to_be_visible()

    await open_panel(fresh)
    await expect(guide.locator("[data-folder=checkpoints]")).to_have_text("Checkpoints: 3 (3 sd3)")
    await expect(guide).to_contain_text("There are no images in your output folder yet.")
    await guide.get_by_role("button", name="Open the example: Three nodes").click()
    await expect(guide.get_by_role("status").first).to_contain_text("is open in a tab of its own")
    await expect(page.get_by_text("three_nodes").first).to_be_visible()
    await open_panel_closed(fresh)
    await fresh.set_widgets(SAMPLER, **SMALL)  # the size that was set for the family takes long without a GPU
    await fresh.run()
    first = page.get_by_role("list", name="Images of this run").get_by_role("listitem").first
    await first.get_by_role("button", name="Pick").click()
    await expect(page.get_by_text("Saved:")).to_be_visible()
    await page.get_by_role("button", name="Reject the rest").click()
    await expect(page.get_by_text("0 of about 20 pictures until it decides alone for such prompts.")).to_be_visible()

    await fresh.run()
    await expect(page.get_by_text("3 of about 20 pictures until it decides alone for such prompts.")).to_be_visible()
    await open_panel(fresh)
    await expect(page.locator("[data-figure=verdicts] dd").first).to_have_text("1")
    await expect(guide).to_be_hidden()
    await page.get_by_role("button", name="How to start").click()
    await expect(guide).to_contain_text("Checkpoints: 3 (3 sd3)")


async def open_panel_closed(page: ComfyPage) -> None:
    await page.page.keyboard.press("Alt+Shift+C")
    await expect(page.page.locator(".cc-panel")).to_be_hidden()


@one_canvas
async def test_it_is_said_once_to_each_person(fresh: ComfyPage) -> None:
    """A toast, and a mark on the icon until the panel is opened; never again, in whatever browser."""
    await expect(fresh.toast(TOAST)).to_be_visible()
    assert await badge(fresh) == "!"
    await open_panel(fresh)
    assert await badge(fresh) is None
    assert fresh.server.get(f"/api/settings/{STARTED}") is True

    await fresh.page.evaluate("localStorage.clear()")
    await fresh.open()

    await fresh.page.wait_for_function("() => window.app.extensionManager.getSidebarTabs().length > 0")
    await fresh.settle()
    await expect(fresh.toast(TOAST)).to_have_count(0)
    assert await badge(fresh) is None


@one_canvas
async def test_the_examples_that_fit_can_be_opened_and_others_say_what_they_need(
    fresh: ComfyPage, comfy: ComfyServer
) -> None:
    """Each example that is there has a card with its picture; without LoRAs and diffusion models two of them wait."""
    await open_panel(fresh)
    guide = fresh.page.get_by_role("region", name="Start", exact=True)
    await guide.get_by_text("More examples").click()

    cards = guide.locator("[data-example]")
    await expect(cards).to_have_count(len(list(EXAMPLES.glob("*.json"))))
    await expect(guide.locator("[data-example=loras]")).to_contain_text("Needs LoRA files")
    await expect(guide.locator("[data-example=diffusion_models]")).to_contain_text("Needs a diffusion model")
    await expect(guide.locator("[data-example=your_own_graph]")).not_to_contain_text("Needs")
    loaded = "(images) => images.every((image) => image.complete && image.naturalWidth > 0)"
    for card in await cards.all():
        await card.scroll_into_view_if_needed()
    await fresh.page.wait_for_function(f"() => ({loaded})([...document.querySelectorAll('.cc-examples img')])")


@pytest.fixture
def other_models(comfy: ComfyServer) -> Iterator[None]:
    """Two diffusion models with their parts, and a LoRA, beside the three checkpoints."""
    models = comfy.base_directory / "models"
    files = [tiny_checkpoints.write_parts(models, f"part{seed}.safetensors", seed=seed) for seed in range(2)]
    lora = models / "loras" / "skin.safetensors"
    tiny_checkpoints.write_lora(lora, "sd3")
    yield
    lora.unlink()
    for parts in files:
        for part in parts.values():
            part.unlink()


@one_canvas
async def test_a_diffusion_model_is_opened_with_the_parts_that_are_there(fresh: ComfyPage, other_models: None) -> None:
    """The guide lists them, and the example's loaders name files of this person: it runs as it is opened."""
    await open_panel(fresh)
    guide = fresh.page.get_by_role("region", name="Start", exact=True)
    await expect(guide.locator("[data-folder=diffusion_models]")).to_have_text("Diffusion models: 2 (2 sd3)")
    await expect(guide.locator("[data-example=loras]")).not_to_contain_text("Needs")
    await guide.get_by_role("button", name="Open the example: Diffusion models").click()
    await expect(guide.get_by_role("status").first).to_contain_text("is open in a tab of its own")
    await fresh.set_widgets("EmptyLatentImage", width=128, height=128)
    await fresh.set_widgets("KSampler", steps=4)

    entry = await fresh.run()

    assert entry["status"]["status_str"] == "success", entry["status"]


@one_canvas
async def test_images_are_counted_and_one_click_looks_at_them(fresh: ComfyPage, comfy: ComfyServer) -> None:
    """The dry run of the import begins by itself."""
    folder = comfy.base_directory / "output"
    folder.mkdir(exist_ok=True)
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number}.png")
    await open_panel(fresh)
    guide = fresh.page.get_by_role("region", name="Start", exact=True)
    await expect(guide).to_contain_text("3 image files are in your output folder.")

    await guide.get_by_role("button", name="Learn from your images").click()

    await expect(guide.locator(".cc-survey-table")).to_contain_text("Images")
    await expect(guide.locator(".cc-survey-table td").first).to_have_text("3")


@one_canvas
async def test_without_any_model_it_says_where_to_put_them(fresh: ComfyPage, comfy: ComfyServer) -> None:
    """With the folder of this ComfyUI; no example is offered as if it could run."""
    aside = comfy.checkpoints.with_name("aside")
    comfy.checkpoints.rename(aside)
    comfy.checkpoints.mkdir()
    try:
        await open_panel(fresh)
        guide = fresh.page.get_by_role("region", name="Start", exact=True)

        await expect(guide).to_contain_text(f"Put two or more of one family into {comfy.checkpoints}")
        await expect(guide).to_contain_text("No example fits what is there yet.")
    finally:
        comfy.checkpoints.rmdir()
        aside.rename(comfy.checkpoints)


async def test_a_recommender_in_an_empty_graph_explains_itself(fresh: ComfyPage) -> None:
    """One click adds and links the other two nodes in one step to undo, and the three of them run."""
    page = fresh.page
    await fresh.build({"recommender": {"type": RECOMMENDER, "pos": [100, 100], "widgets": {"prompt": "a fox"}}})
    node = page.get_by_text("Chooses checkpoints for the prompt, and learns from the images that you pick.")
    await expect(node).to_be_visible()

    await page.get_by_role("button", name="Add the other two nodes").click()

    await expect(node).to_be_hidden()
    types = await page.evaluate("window.app.rootGraph.nodes.map((node) => node.type)")
    assert types == [RECOMMENDER, SAMPLER, RECORDER]
    await fresh.set_widgets(SAMPLER, **SMALL)
    entry = await fresh.run()
    (shown,) = [r for output in entry["outputs"].values() for r in output.get("context_checkpoint", ())]
    assert len({image["checkpoint"] for image in shown["images"]}) == 3


@one_canvas
async def test_a_recommender_that_is_wired_says_nothing_of_it(fresh: ComfyPage, three_nodes: dict[str, Any]) -> None:
    """Its plan will be shown there; taken from its wires, it explains itself again."""
    await fresh.load(three_nodes)
    await expect(fresh.page.get_by_text("Run the workflow: the plan is shown here.")).to_be_visible()
    await expect(fresh.page.get_by_role("button", name="Add the other two nodes")).to_have_count(0)

    await fresh.page.evaluate(
        """(type) => {
          const node = window.app.rootGraph.nodes.find((candidate) => candidate.type === type);
          node.disconnectOutput(0);
        }""",
        RECOMMENDER,
    )

    await expect(fresh.page.get_by_role("button", name="Add the other two nodes")).to_be_visible()
