"""What a person waits for in the browser: a verdict, a gallery, the panel; and how much there is to load.

Measured by the page's own clock in a real Chromium, from the key (or the server's message) to what it shows.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from context_checkpoint.api.standalone import build_app
from context_checkpoint.demo.comfyui.browser import ComfyPage, chromium, comfy_page
from context_checkpoint.demo.comfyui.installation import PACK, ComfyInstallation
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from context_checkpoint.runtime.runtime import Runtime

from . import many_generations
from .results import Result

KEYS = 40
PAUSE_S = 0.3
IMAGES = 20
SIDE = 1024
GALLERIES = 3
OPENED = 5

_KEY_TO_SAVED = """() => {
  window.measured = [];
  let pressed = null;
  window.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  const status = document.querySelector(".cc-saving [role=status]");
  new MutationObserver(() => {
    if (status.dataset.state !== "saved" || pressed === null) return;
    window.measured.push(performance.now() - pressed);
    pressed = null;
  }).observe(status, { attributes: true, childList: true, characterData: true, subtree: true });
}"""
"""The status line is what tells a person that the verdict is on the server's disk."""

_MESSAGE_TO_GALLERY = """(images) => {
  window.shown = new Promise((done) => {
    let message = null;
    const { api } = window.app;
    const executed = ({ detail }) => {
      if (detail.output?.context_checkpoint && message === null) message = performance.now();
    };
    api.addEventListener("executed", executed);
    const look = () => {
      const cells = document.querySelectorAll(".cc-image");
      if (message === null || cells.length < images) return requestAnimationFrame(look);
      const focusable = performance.now() - message;
      api.removeEventListener("executed", executed);
      const pictures = [...document.querySelectorAll("img.cc-thumbnail")];
      const seen = () => {
        if (pictures.every((picture) => picture.complete && picture.naturalWidth > 0)) {
          return done([focusable, performance.now() - message]);
        }
        requestAnimationFrame(seen);
      };
      seen();
    };
    look();
  });
}"""

_PANEL_DRAWN = """() => new Promise((done) => {
  const look = () => document.querySelector(".cc-plot")
    ? requestAnimationFrame(() => done(performance.now()))
    : requestAnimationFrame(look);
  look();
})"""


def measure(installation: ComfyInstallation) -> list[Result]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("No Chromium: what the browser shows is not measured.")
        return []
    return asyncio.run(_measured(installation, program))


async def _measured(installation: ComfyInstallation, program: str) -> list[Result]:
    async with chromium(program) as browser:
        panel = await _panel(browser)
        with tempfile.TemporaryDirectory() as folder:
            server = ComfyServer(Path(folder), installation=installation)
            for seed in range(3):
                tiny_checkpoints.write(server.checkpoints / f"{seed}.safetensors", "sd3", seed=seed)
            with server:
                async with comfy_page(browser, server, nodes_2=False, size=(1500, 1000)) as page:
                    return [await _scripts(page), panel, *await _galleries(page), await _keys(page)]


async def _scripts(page: ComfyPage) -> Result:
    """What ComfyUI's page loads of the pack, comments included: nothing is minified."""
    paths = set[str]()
    page.page.on("response", lambda response: paths.add(unquote(urlsplit(response.url).path)))
    await page.open()
    sizes = {
        file.relative_to(PACK / "web").as_posix(): file.stat().st_size
        for file in (PACK / "web").rglob("*")
        if file.suffix in {".js", ".mjs"}
    }
    loaded = [size for name, size in sizes.items() if any(path.endswith(f"/{name}") for path in paths)]
    later = (sum(sizes.values()) - sum(loaded)) / 1e3
    rest = f"the panel's other {len(sizes) - len(loaded)} ({later:.0f} kB) follow when it opens"
    how = f"{len(loaded)} files as they are, neither packed nor minified; {rest}"
    return Result("scripts that ComfyUI's page loads", sum(loaded) / 1e3, " kB", 150.0, how)


async def _panel(browser: Browser) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        await many_generations.filled(Path(folder) / "preferences.db")
        runtime = Runtime(Path(folder))
        try:
            async with TestServer(build_app(runtime)) as server:
                times = [await _opened(browser, str(server.make_url("/"))) for _ in range(OPENED + 1)]
        finally:
            runtime.close()
    how = f"{OPENED} times, from the address to the plots, after {many_generations.GENERATIONS:,} generations"
    return Result("panel opens", statistics.median(times[1:]), " ms", 1_000.0, how)


async def _opened(browser: Browser, address: str) -> float:
    page: Page = await browser.new_page()
    try:
        await page.goto(address)
        return float(await page.evaluate(_PANEL_DRAWN))
    finally:
        await page.close()


async def _galleries(page: ComfyPage) -> list[Result]:
    """Twenty pictures full of noise, which neither PNG nor WebP makes small."""
    await page.build(_graph())
    times = []
    for seed in range(GALLERIES):
        await page.set_widgets("ImageAddNoise", seed=seed)
        await page.page.evaluate(_MESSAGE_TO_GALLERY, IMAGES)
        await page.run()
        times.append(await page.page.evaluate("window.shown"))
    interactive, complete = (statistics.median(column) for column in zip(*times, strict=True))
    how = f"{GALLERIES} runs, {SIDE}x{SIDE}, from the server's message"
    return [
        Result(f"gallery of {IMAGES} images to interactive", interactive, " ms", 200.0, f"{how} until keys work"),
        Result(f"gallery of {IMAGES} images, all shown", complete, " ms", None, f"{how} until each is decoded"),
    ]


async def _keys(page: ComfyPage) -> Result:
    """In the gallery of twenty: pick and reject in turn."""
    cell = page.page.locator(".cc-image").first
    await cell.focus()
    await page.page.evaluate(_KEY_TO_SAVED)
    for number in range(KEYS):
        await page.page.keyboard.press("x" if number % 2 else "Enter")
        saved = False
        while not saved:
            await asyncio.sleep(PAUSE_S)  # as a person does; to ask the page meanwhile would keep it busy
            saved = await page.page.evaluate(f"window.measured.length > {number}")
    times: list[float] = await page.page.evaluate("window.measured")
    how = f"{KEYS} keys in turn in that gallery, until it says so; committed to disk, HTTP on this machine"
    return Result("key press to saved verdict, median", statistics.median(times), " ms", 50.0, how)


def _graph() -> dict[str, dict[str, Any]]:
    return {
        "recommender": {
            "type": "ContextCheckpointRecommender",
            "pos": [0, 0],
            "widgets": {"prompt": "a portrait", "max_branches": 1},
        },
        "empty": {
            "type": "EmptyImage",
            "pos": [450, 0],
            "widgets": {"width": SIDE, "height": SIDE, "batch_size": IMAGES},
        },
        "noise": {
            "type": "ImageAddNoise",
            "pos": [450, 300],
            "widgets": {"strength": 0.5},
            "inputs": {"image": "empty.IMAGE"},
        },
        "recorder": {
            "type": "FeedbackRecorder",
            "pos": [800, 0],
            "size": [600, 800],
            "inputs": {
                "images": "noise.IMAGE",
                "plan": "recommender.plan",
                "ckpt_names": "recommender.ckpt_name",
            },
        },
    }
