"""Makes the README's picture of the panel: three of its tabs, as wide as a sidebar, after some verdicts.

Run `python -m context_checkpoint.demo.pictures.panel_picture` after the panel has changed. It needs Playwright and
Chromium, and no ComfyUI: it shows the page of `context-checkpoint serve`.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
from functools import partial
from pathlib import Path

from aiohttp.test_utils import TestServer
from PIL import Image
from playwright.async_api import Browser

from ...api.standalone import build_app
from ...learning.service.service import PreferenceService
from ...runtime.runtime import Runtime
from ..comfyui.browser import chromium
from ..comfyui.installation import PACK

PICTURE = PACK / "docs" / "images" / "panel.jpg"
TABS = ("overview", "preferences", "checkpoints")
WIDTH, HEIGHT, GAP = 420, 640, 12

PHOTO, ANIME, PAINTED, TOON = NAMES = (
    "photographic.safetensors",
    "anime.safetensors",
    "painterly.safetensors",
    "cartoon.safetensors",
)
TASTE = {
    "portrait of an old sailor, window light, photorealistic": PHOTO,
    "anime girl with an umbrella, rain, city lights": ANIME,
    "a castle on a cliff at dawn, oil painting": PAINTED,
    "street at night, neon, photorealistic": PHOTO,
}
GENERATIONS = 80
INCONSISTENT_EVERY = 9
"""In every ninth generation the person prefers another checkpoint."""


async def main() -> None:
    """Log and judge the generations, and write the picture."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Install Chromium: the picture is made in it.")
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Path(folder))
        try:
            for number in range(GENERATIONS):
                await runtime.run(partial(_generate, number=number))
            async with TestServer(build_app(runtime)) as server, chromium(program) as browser:
                shots = [await _shot(browser, str(server.make_url("/")), tab) for tab in TABS]
        finally:
            runtime.close()
    joined = Image.new("RGB", (len(shots) * (WIDTH + GAP) - GAP, HEIGHT), "white")
    for place, shot in enumerate(shots):
        joined.paste(shot, (place * (WIDTH + GAP), 0))
    joined.save(PICTURE, quality=80, optimize=True)


async def _generate(service: PreferenceService, number: int) -> None:
    prompt, favourite = list(TASTE.items())[number % len(TASTE)]
    if number % INCONSISTENT_EVERY == INCONSISTENT_EVERY - 1:
        favourite = TOON
    recommendation = await service.recommend(prompt, NAMES, seed=number)
    generation = await service.log_generation(recommendation, dict.fromkeys(recommendation.checkpoints, 1))
    selected = {name: 1 for name in recommendation.checkpoints if name == favourite}
    rejected = {name: 1 for name in recommendation.checkpoints if name != favourite}
    await service.record_feedback(generation, selected, rejected)


async def _shot(browser: Browser, address: str, tab: str) -> Image.Image:
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark")
    try:
        await page.goto(address)
        await page.locator(f"[data-tab={tab}]").click()
        await page.locator("[role=tabpanel]:not([hidden]) :is(svg, tbody tr)").first.wait_for()
        await page.wait_for_load_state("networkidle")
        return Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    finally:
        await page.close()


if __name__ == "__main__":
    asyncio.run(main())
