"""*Learn from your images* in ComfyUI's sidebar, with images that this ComfyUI has made."""

from __future__ import annotations

import os
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.stock_graph import by_hand

from .conftest import one_canvas
from .test_panel import close_panel, tab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@one_canvas
async def test_images_of_the_output_folder_are_learned_and_taken_back(
    comfyui: ComfyPage, serious_faults: Callable[[Any, str], Awaitable[list[str]]]
) -> None:
    """A dry run, the import, and ComfyUI's own question before it is undone."""
    folder = uuid.uuid4().hex[:8]
    for seed in range(3):
        graph = by_hand("red.safetensors", prompt=f"a lighthouse {seed}", seed=seed, save=True)
        graph["shown"]["inputs"]["filename_prefix"] = f"{folder}/favorites/a"
        comfyui.server.run(graph)

    shown = await tab(comfyui, "Settings")
    await shown.get_by_label("Subfolder").fill(folder)
    await shown.get_by_role("button", name="Look").click()
    await expect(shown.get_by_text("Nothing has been changed yet.")).to_be_visible()
    await shown.get_by_role("button", name="Learn from 3 images").click()

    await expect(shown.get_by_text("Learned from 3 images, 3 of them rated.")).to_be_visible()
    entry = shown.locator(".cc-imports li").filter(has_text=folder)
    await expect(entry).to_contain_text("3 images, 3 rated")
    assert await serious_faults(comfyui.page, ".cc-panel") == []
    if shots := os.environ.get("CC_SCREENSHOTS"):
        await entry.scroll_into_view_if_needed()
        await comfyui.page.screenshot(path=f"{shots}/comfyui-images.png")
    [batch] = comfyui.server.get("/context_checkpoint/images/imports")["imports"]
    assert (batch["name"], batch["checkpoints"]) == (folder, {"red.safetensors": 3})

    checkpoints = await tab(comfyui, "Checkpoints")
    await checkpoints.get_by_role("button", name="Settings of red.safetensors").click()
    await expect(checkpoints.get_by_text("(your kept images)")).to_contain_text("4 steps")

    await tab(comfyui, "Settings")
    await entry.get_by_role("button", name="Undo").click()
    dialog = comfyui.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Your images stay as they are")
    await dialog.get_by_role("button", name="Confirm").click()
    await expect(entry).to_have_count(0)
    assert comfyui.server.get("/context_checkpoint/images/imports")["imports"] == []
    await close_panel(comfyui)
