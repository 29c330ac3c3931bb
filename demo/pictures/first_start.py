"""Makes the pictures of `docs/first-five-minutes.md`: what a person sees who has just installed the pack.

Run `python -m context_checkpoint.demo.pictures.first_start` after the guide or a node has changed. It needs Playwright,
Chromium and a ComfyUI.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator

from ..comfyui.browser import ComfyPage, chromium, comfy_page
from ..comfyui.installation import PACK
from ..comfyui.server import ComfyServer
from ..tiny_models import checkpoints as tiny_checkpoints

FOLDER = PACK / "docs" / "images"
SIZE = (1440, 900)
WIDTH = 1080
FAVOURITE = "photographic"
CHECKPOINTS = {FAVOURITE: "orange", "anime": "blue", "painterly": "teal"}
SETTINGS = {
    "ContextCheckpoint.Started": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Workflow.ShowMissingModelsWarning": False,  # of ComfyUI's own first workflow
}
RECOMMENDER = "ContextCheckpointRecommender"


async def main() -> None:
    """Follow the page word by word, and keep what it shows."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Install Chromium: the pictures are made in it.")
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as server:
        async with (
            chromium(program) as browser,
            comfy_page(browser, server, nodes_2=True, size=SIZE, settings=SETTINGS) as page,
        ):
            await page.build({})
            await page.toast("Context Checkpoint is installed").wait_for()
            await _open_panel(page)
            await _save(page, "first-start")
            await page.page.get_by_role("button", name="Open the example: Three nodes").click()
            await page.page.get_by_text("is open in a tab of its own").wait_for()
            await page.page.keyboard.press("Alt+Shift+C")
            await _judge(page)
            await page.show_all()
            await _save(page, "first-picks")
            await page.build({"recommender": {"type": RECOMMENDER, "pos": [0, 0]}})
            await page.show_all()
            await _save_nodes(page, "empty-graph")


async def _open_panel(page: ComfyPage) -> None:
    await page.page.keyboard.press("Alt+Shift+C")
    await page.page.locator(".cc-start-images p, .cc-start-images button").first.wait_for()
    await page.page.locator(".cc-examples").first.wait_for()
    await page.page.wait_for_load_state("networkidle")


async def _judge(page: ComfyPage) -> None:
    """Two runs; the second shows how far it is."""
    await page.set_widgets("MultiCheckpointSampler", width=128, height=128, steps=4)
    images = page.page.get_by_role("list", name="Images of this run")
    await page.run()
    await _pick(images)
    await page.page.get_by_role("button", name="Reject the rest").click()
    await page.page.get_by_text("Saved:").wait_for()
    await page.run()
    await _pick(images)
    await page.page.get_by_text("Saved:").wait_for()
    await page.page.mouse.move(0, 0)  # off any tooltip
    await page.page.get_by_text("Job completed").wait_for(state="detached")


async def _pick(images: Locator) -> None:
    await images.get_by_role("listitem").filter(has_text=FAVOURITE).get_by_role("button", name="Pick").click()


async def _save(page: ComfyPage, name: str) -> None:
    _write(Image.open(io.BytesIO(await page.page.screenshot())), name)


async def _save_nodes(page: ComfyPage, name: str) -> None:
    left, top, right, bottom = await page.bounds()
    shot = await page.page.screenshot(
        clip={"x": left - 16, "y": top - 16, "width": right - left + 32, "height": bottom - top + 32}
    )
    _write(Image.open(io.BytesIO(shot)), name)


def _write(picture: Image.Image, name: str) -> None:
    picture = picture.convert("RGB")
    picture.thumbnail((WIDTH, WIDTH))
    picture.save(FOLDER / f"{name}.jpg", quality=75, optimize=True)


def _server(folder: Path) -> ComfyServer:
    server = ComfyServer(folder, pack_name="context-checkpoint")
    for seed, (name, color) in enumerate(CHECKPOINTS.items()):
        file = server.checkpoints / f"{name}.safetensors"
        tiny_checkpoints.write(file, "sd3", color=tiny_checkpoints.NINE_COLORS[color], seed=seed)
    models = server.base_directory / "models"
    for seed in range(2):
        tiny_checkpoints.write_parts(models, f"painter-{seed}.safetensors", seed=seed)
    tiny_checkpoints.write_lora(models / "loras" / "soft-light.safetensors", "sd3")
    return server


if __name__ == "__main__":
    asyncio.run(main())
