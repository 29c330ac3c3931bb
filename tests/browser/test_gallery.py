"""Judging by key, and a workflow that waits for it.

Each test runs in the classic canvas and in Nodes 2.0, on the example workflow with the three nodes alone.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Locator, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

from .conftest import one_canvas

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER = "ContextCheckpointRecommender"
PENDING = "/context_checkpoint/pending"
SMALL = {"width": 128, "height": 128, "steps": 4}
PALETTE = "(id) => window.app.extensionManager.setting.set('Comfy.ColorPalette', id)"
BLIND = "([value]) => window.app.extensionManager.setting.set('ContextCheckpoint.Blind', value)"


async def load(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str, **recorder: Any) -> None:
    await comfyui.load(workflow)
    await comfyui.set_widgets("ContextCheckpointRecommender", prompt=prompt)
    await comfyui.set_widgets("MultiCheckpointSampler", **SMALL)
    if recorder:
        await comfyui.set_widgets("FeedbackRecorder", **recorder)
    await comfyui.show_all()


async def run_example(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str) -> str:
    """Run the example in small; return the generation's id."""
    await load(comfyui, workflow, prompt)
    entry = await comfyui.run()
    (recorded,) = [record for output in entry["outputs"].values() for record in output.get("context_checkpoint", ())]
    return str(recorded["generation_id"])


def images(comfyui: ComfyPage) -> Locator:
    return comfyui.page.get_by_role("list", name="Images of this run").get_by_role("listitem")


def saved_line(comfyui: ComfyPage) -> Locator:
    return comfyui.page.locator(".cc-saving").get_by_role("status")


def banner(comfyui: ComfyPage) -> Locator:
    return comfyui.page.get_by_role("region", name="The workflow waits for your pick")


def verdicts(comfyui: ComfyPage, generation_id: str) -> list[str | None]:
    """What the server holds."""
    (generation,) = comfyui.server.get(f"/context_checkpoint/generations?id={generation_id}")["generations"]
    return [image["verdict"] for image in generation["images"]]


async def press(comfyui: ComfyPage, *keys: str) -> None:
    for key in keys:
        await comfyui.page.keyboard.press(key)


async def queue(comfyui: ComfyPage) -> None:
    await comfyui.page.get_by_test_id("queue-button").click()


async def ended(comfyui: ComfyPage, prompt_id: str) -> dict[str, Any]:
    return await asyncio.to_thread(comfyui.server.wait, prompt_id)


async def test_images_are_judged_and_compared_by_keys_alone(
    comfyui: ComfyPage, three_nodes: dict[str, Any], tmp_path: Path
) -> None:
    """Digits, Enter, X, O, U, Space and C; each is saved at once, and the picture is looked at in full."""
    generation = await run_example(comfyui, three_nodes, "a portrait to judge by key")
    await images(comfyui).first.focus()

    await press(comfyui, "Enter", "ArrowRight", "x")
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 1 rejected.")
    assert verdicts(comfyui, generation) == ["selected", "rejected", None]

    await press(comfyui, "3", "u", "u")
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 0 rejected.")
    assert verdicts(comfyui, generation) == ["selected", None, None]

    await press(comfyui, "o")
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 2 rejected.")
    assert verdicts(comfyui, generation) == ["rejected", "rejected", "selected"]

    look = comfyui.page.get_by_role("dialog")
    await press(comfyui, "Space")
    await expect(look.get_by_role("img")).to_have_count(1)
    await press(comfyui, "Escape")
    await expect(look).to_have_count(0)
    await expect(images(comfyui).nth(2)).to_be_focused()

    await press(comfyui, "ArrowLeft", "c")
    await expect(look.get_by_role("img")).to_have_count(2)
    await press(comfyui, "f")
    await expect(look.get_by_role("img")).to_have_count(1)
    await press(comfyui, "1")
    await expect(saved_line(comfyui)).to_have_text("Saved: 2 picked, 1 rejected.")
    await press(comfyui, "Escape")
    await expect(look).to_have_count(0)
    assert verdicts(comfyui, generation) == ["rejected", "selected", "selected"]

    await comfyui.page.locator(".cc-keys summary").focus()
    await press(comfyui, "Space")
    await expect(comfyui.page.locator(".cc-keys p")).to_be_visible()
    await expect(comfyui.page.locator(".cc-keys p")).to_contain_text("Space shows in full size")


async def test_images_use_the_room_of_their_node_which_no_run_makes_smaller(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Four are a square, one fills it, and the height that the person gave the node stays."""
    resize = """([width, height]) => {
      const node = window.app.rootGraph.nodes.find(({ type }) => type === "FeedbackRecorder");
      if (height) node.setSize([width, height]);
      window.app.canvas.setDirty(true, true);
      return [...node.size];
    }"""
    measure = """(list) => {
      const boxes = [...list.querySelectorAll(".cc-thumbnail")].map((picture) => picture.getBoundingClientRect());
      return { frame: list.closest(".cc-display").getBoundingClientRect().width, width: boxes[0].width,
        columns: new Set(boxes.map(({ left }) => Math.round(left))).size };
    }"""
    gallery = comfyui.page.get_by_role("list", name="Images of this run")
    await load(comfyui, three_nodes, "a portrait that fills its room")
    await comfyui.set_widgets("MultiCheckpointSampler", images_per_prompt=4)
    await comfyui.run()
    await comfyui.page.evaluate(resize, [560, 1000])
    await comfyui.show_all()
    await expect(gallery.get_by_role("listitem")).to_have_count(4)

    four = await gallery.evaluate(measure)
    assert four["columns"] == 2
    assert four["width"] > 0.4 * four["frame"]

    size = await comfyui.page.evaluate(resize, [0, 0])
    await comfyui.set_widgets(RECOMMENDER, max_branches=1)
    await comfyui.set_widgets("MultiCheckpointSampler", images_per_prompt=1)
    await comfyui.run()
    await expect(gallery.get_by_role("listitem")).to_have_count(1)
    assert (await gallery.evaluate(measure))["width"] > 0.85 * four["frame"]
    assert await comfyui.page.evaluate(resize, [0, 0]) == size


async def test_names_are_hidden_until_an_image_is_judged(
    comfyui: ComfyPage, three_nodes: dict[str, Any], hostile_checkpoint: str
) -> None:
    """Blind: neither text nor label nor tooltip names the checkpoint of an image without a verdict."""
    await comfyui.page.evaluate(BLIND, [True])
    try:
        generation = await run_example(comfyui, three_nodes, "a portrait to judge blind")
        name = hostile_checkpoint.removesuffix(".safetensors")
        gallery = comfyui.page.get_by_role("list", name="Images of this run")
        shown = await gallery.evaluate("(list) => list.outerHTML")
        assert "dreamyPastel" not in shown
        assert "onerror" not in shown
        await expect(gallery.get_by_text("hidden until judged")).to_have_count(3)

        await images(comfyui).first.focus()
        await press(comfyui, "x", "ArrowRight", "x", "ArrowRight", "Enter")

        await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 2 rejected.")
        await expect(gallery.get_by_text("hidden until judged")).to_have_count(0)
        await expect(gallery.get_by_text(name, exact=True)).to_have_count(1)
        assert sorted(map(str, verdicts(comfyui, generation))) == ["rejected", "rejected", "selected"]
    finally:
        await comfyui.page.evaluate(BLIND, [False])


@one_canvas
async def test_two_queued_runs_wait_for_their_picks_one_after_the_other(
    comfyui: ComfyPage, three_nodes: dict[str, Any]
) -> None:
    """Pick and go on; a reload in the middle changes nothing."""
    await load(comfyui, three_nodes, "a portrait to wait for", mode="pause")
    await queue(comfyui)
    await comfyui.set_widgets("MultiCheckpointSampler", seed=4711)
    await queue(comfyui)
    await expect(banner(comfyui)).to_be_visible(timeout=30_000)
    [first] = comfyui.server.get(PENDING)["pending"]
    go_on = banner(comfyui).get_by_role("button", name="Continue")
    await expect(go_on).to_have_attribute("aria-disabled", "true")

    await images(comfyui).first.focus()
    await press(comfyui, "2")
    await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 0 rejected.")
    await comfyui.open()
    await expect(banner(comfyui)).to_be_visible(timeout=30_000)
    pressed = images(comfyui).locator("button[aria-pressed=true]")
    await expect(pressed).to_have_text(["Pick"])
    await go_on.click()

    entry = await ended(comfyui, first["prompt_id"])
    assert entry["status"]["status_str"] == "success"
    assert verdicts(comfyui, first["rounds"][0]["generation_id"]) == [None, "selected", None]
    second = await next_pick(comfyui, first["id"])
    await expect(pressed).to_have_count(0)
    await expect(banner(comfyui)).to_be_visible()
    await images(comfyui).first.focus()
    await press(comfyui, "x", "Shift+Enter")

    await expect(banner(comfyui)).to_have_count(0)
    await ended(comfyui, second["prompt_id"])
    assert verdicts(comfyui, second["rounds"][0]["generation_id"]) == ["rejected", None, None]
    assert second["session_id"] == first["session_id"]


async def next_pick(comfyui: ComfyPage, after: str) -> dict[str, Any]:
    for _ in range(300):
        for pick in comfyui.server.get(PENDING)["pending"]:
            if pick["id"] != after:
                return dict(pick)
        await asyncio.sleep(0.1)
    raise AssertionError("No other run waits")


@one_canvas
@pytest.mark.parametrize("ends", ["Pass all on", "interrupt"])
async def test_a_run_that_waits_is_let_go_or_stopped(
    comfyui: ComfyPage, three_nodes: dict[str, Any], ends: str
) -> None:
    """The banner goes, nothing is judged, and the queue is free."""
    await load(comfyui, three_nodes, f"a portrait that ends by {ends}", mode="pause")
    await queue(comfyui)
    await expect(banner(comfyui)).to_be_visible(timeout=30_000)
    [pick] = comfyui.server.get(PENDING)["pending"]

    if ends == "interrupt":
        comfyui.server.post("/interrupt", {})
    else:
        await banner(comfyui).get_by_role("button", name=ends).click()

    await expect(banner(comfyui)).to_have_count(0)
    entry = await ended(comfyui, pick["prompt_id"])
    assert entry["status"]["status_str"] == ("error" if ends == "interrupt" else "success")
    assert verdicts(comfyui, pick["rounds"][0]["generation_id"]) == [None] * 3


@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_nobody_is_kept_out_of_the_nodes(
    comfyui: ComfyPage,
    three_nodes: dict[str, Any],
    serious_faults: Callable[[Any, str], Awaitable[list[str]]],
    palette: str,
) -> None:
    """axe-core finds no serious fault in the gallery, its picture in full, the banner or the plan."""
    await comfyui.page.evaluate(PALETTE, palette)
    try:
        await load(comfyui, three_nodes, f"a portrait for everybody, {palette}", mode="pause")
        await queue(comfyui)
        await expect(banner(comfyui)).to_be_visible(timeout=30_000)
        await images(comfyui).first.focus()
        await press(comfyui, "1", "ArrowRight", "x")
        await expect(saved_line(comfyui)).to_have_text("Saved: 1 picked, 1 rejected.")
        faults = {part: await serious_faults(comfyui.page, part) for part in (".cc-generations", ".cc-plan")}
        await press(comfyui, "c")
        faults["dialog"] = await serious_faults(comfyui.page, ".cc-zoom")
        await press(comfyui, "Escape")
        [pick] = comfyui.server.get(PENDING)["pending"]
        await press(comfyui, "Shift+Enter")
        await ended(comfyui, pick["prompt_id"])
        assert {part: found for part, found in faults.items() if found} == {}
    finally:
        await comfyui.page.evaluate(PALETTE, "dark")


@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_nobody_is_kept_out_of_what_a_node_shows(
    comfyui: ComfyPage, serious_faults: Callable[[Any, str], Awaitable[list[str]]], palette: str
) -> None:
    """Of every node that shows something, before its first run and after it: axe-core finds no serious fault."""
    await comfyui.page.evaluate(PALETTE, palette)
    faults = {}
    try:
        await comfyui.build(
            {
                "asked": {"type": RECOMMENDER, "pos": [0, 0], "size": [380, 0]},
                "set": {"type": "ContextSettingsRecommender", "pos": [420, 0], "inputs": {"plan": "asked.plan"}},
                "loras": {"type": "ContextLoraRecommender", "pos": [860, 0], "inputs": {"plan": "set.plan"}},
                "drawn": {
                    "type": "MultiCheckpointSampler",
                    "pos": [1300, 0],
                    "widgets": SMALL,
                    "inputs": {"plan": "loras.plan"},
                },
                "recorder": {
                    "type": "FeedbackRecorder",
                    "pos": [1740, 0],
                    "inputs": {"images": "drawn.images", "generation": "drawn.generation"},
                },
            }
        )
        await comfyui.show_all()
        await expect(comfyui.page.locator(".cc-display")).to_have_count(4)
        faults["new"] = await serious_faults(comfyui.page, ".cc-display")
        await comfyui.run()
        await expect(images(comfyui).first).to_be_visible()
        faults["after a run"] = await serious_faults(comfyui.page, ".cc-display")
        assert {part: found for part, found in faults.items() if found} == {}
    finally:
        await comfyui.page.evaluate(PALETTE, "dark")


@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_what_stays_at_the_foot_of_the_gallery_has_the_colour_of_the_node(
    comfyui: ComfyPage, three_nodes: dict[str, Any], palette: str
) -> None:
    """It covers the images that scroll under it, and follows when the theme or the node's colour is changed."""
    await run_example(comfyui, three_nodes, f"a foot, {palette}")
    await comfyui.page.mouse.move(5, 500)
    await comfyui.page.evaluate(PALETTE, palette)
    try:
        assert len(await colours_at_the_foot(comfyui)) == 1
        await comfyui.page.evaluate(
            """() => {
              const [node] = window.app.rootGraph.nodes.filter(({ type }) => type === "FeedbackRecorder");
              node.bgcolor = "#353";
              window.app.canvas.setDirty(true, true);
            }"""
        )
        assert len(await colours_at_the_foot(comfyui)) == 1
    finally:
        await comfyui.page.evaluate(PALETTE, "dark")


async def colours_at_the_foot(comfyui: ComfyPage) -> set[Any]:
    """Return the colours of the foot and of the node beside it, as they are on the screen."""
    await comfyui.settle()
    foot = await comfyui.page.locator(".cc-foot").bounding_box()
    frame = await comfyui.page.locator(".cc-generations").bounding_box()
    assert foot is not None
    assert frame is not None
    picture = Image.open(io.BytesIO(await comfyui.page.screenshot())).convert("RGB")
    low = round(foot["y"] + foot["height"] - 3)  # below its words, at its left: other things may lie on its right
    return {picture.getpixel((round(left), low)) for left in (foot["x"] + 3, frame["x"] - 3)}
