"""*Learn from your images* in the panel: dry run, progress, cancelling, the imports and taking one back."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Locator, Page, Route, expect

from context_checkpoint.api.standalone import build_app
from context_checkpoint.images import image_import
from context_checkpoint.images.models import ModelFile
from context_checkpoint.images.progress import OnProgress, Progress
from context_checkpoint.images.sources import ImageSources
from context_checkpoint.runtime.runtime import Runtime
from tests.images.conftest import Gallery

from .conftest import CANDIDATES
from .test_page import tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = "<img src=x onerror=window.hacked=1>.safetensors"


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Six castles by three checkpoints, of which some are starred; one image of a checkpoint that is not here."""
    root = tmp_path / "output"
    root.mkdir()
    gallery = Gallery(root)
    for number in range(6):
        stars = 5 if number % 3 == 0 else 1 if number % 3 == 1 else None
        gallery.add(f"day/{number}.png", CANDIDATES[number % 3], stars=stars, minutes=number)
    gallery.add("elsewhere.png", HOSTILE)
    gallery.add("no text.png", None)
    return gallery


@pytest_asyncio.fixture(loop_scope="session")
async def page(runtime: Runtime, gallery: Gallery, browser: Browser) -> AsyncIterator[Page]:
    """The page of a server that was started with this folder."""
    sources = ImageSources({"output": gallery.root}, lambda: [ModelFile(name) for name in CANDIDATES])
    async with TestServer(build_app(runtime, images=sources)) as server:
        context = await browser.new_context(viewport={"width": 1200, "height": 900})
        opened = await context.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        await opened.goto(str(server.make_url("/")))
        yield opened
        await context.close()
        # Chromium itself logs each refusal of the server.
        assert [line for line in complaints if not line.startswith("Failed to load resource")] == []


def row(shown: Locator, name: str) -> Locator:
    return shown.get_by_role("row").filter(has=shown.page.get_by_role("rowheader", name=name)).locator("td")


async def test_a_folder_is_looked_at_learned_and_taken_back(page: Page) -> None:
    """The dry run is a short table; then the import is listed, and undone after a question."""
    shown = await tab(page, "Settings")
    await expect(shown.get_by_role("button", name="Learn from")).to_have_count(0)
    await shown.get_by_role("button", name="Look").click()

    await expect(shown.get_by_text("Nothing has been changed yet.")).to_be_visible()
    await expect(row(shown, "Images")).to_have_text("8")
    await expect(row(shown, "Say what made them")).to_have_text("7")
    await expect(row(shown, "Made by checkpoints that are here")).to_have_text("6")
    await expect(row(shown, "Rated")).to_have_text("4")
    await expect(shown.get_by_role("rowheader", name="Rated")).to_contain_text("2 kept, 2 rejected; by stars")
    await expect(row(shown, "New to learn from")).to_have_text("6")
    missing = shown.get_by_role("group").filter(has_text="not certain")
    await missing.locator("summary").click()
    await expect(missing).to_contain_text(f"{HOSTILE}: 1")
    assert await page.evaluate("window.hacked") is None
    await expect(shown.locator(".cc-imports li")).to_have_count(0)

    await shown.get_by_role("button", name="Learn from 6 images").click()
    await expect(shown.get_by_text("Learned from 6 images, 4 of them rated.")).to_be_visible()
    await expect(shown.locator(".cc-imports li")).to_contain_text("output: 6 images, 4 rated")
    page.once("dialog", lambda dialog: dialog.dismiss())
    await shown.get_by_role("button", name="Undo the import output").click()
    await expect(shown.locator(".cc-imports li")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    await shown.get_by_role("button", name="Undo the import output").click()
    await expect(shown.get_by_text("output was taken back.")).to_be_visible()
    await expect(shown.locator(".cc-imports li")).to_have_count(0)


class Held:
    """Holds an import while it reads, as thousands of images would, and lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        read = image_import.read_images

        def held(folder: Any, on_progress: OnProgress) -> Any:
            on_progress(Progress("reading", 3, 8))
            while not self.go.wait(0.05):
                on_progress(Progress("reading", 3, 8))
            return read(folder, on_progress)

        monkeypatch.setattr(image_import, "read_images", held)


async def test_progress_is_shown_and_an_import_can_be_cancelled(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """With keys alone; it is found again after another tab was open."""
    held = Held(monkeypatch)
    try:
        shown = await tab(page, "Settings")
        await shown.get_by_role("button", name="Look").focus()
        await page.keyboard.press("Enter")

        await expect(shown.get_by_text("Reading 3 of 8 images…")).to_be_visible()
        bar = shown.get_by_role("progressbar", name="Progress of the import")
        assert await bar.evaluate("bar => bar.value / bar.max") == 3 / 8
        cancel = shown.get_by_role("button", name="Cancel")
        await expect(cancel).to_be_focused()
        await tab(page, "Overview")
        shown = await tab(page, "Settings")
        await expect(bar).to_be_visible()
        await cancel.focus()
        await page.keyboard.press("Enter")

        await expect(shown.get_by_text("Cancelled. What was learned stays")).to_be_visible()
        await expect(bar).to_be_hidden()
        await expect(shown.get_by_role("button", name="Look")).to_be_focused()
    finally:
        held.go.set()


async def test_nothing_can_be_chosen_before_the_folders_are_known(page: Page) -> None:
    """A click on a form without a folder would be refused."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer_late(route: Route) -> None:
        asked.set()
        await answered.wait()
        await route.continue_()

    await page.route("**/images/imports", answer_late)
    shown = await tab(page, "Settings")
    await asked.wait()
    look = shown.get_by_role("button", name="Look")
    await expect(look).to_be_hidden()
    answered.set()
    await expect(look).to_be_visible()


async def test_a_folder_that_is_not_there_is_told(page: Page) -> None:
    """With the server's own words."""
    shown = await tab(page, "Settings")
    await shown.get_by_label("Subfolder").fill("nowhere")
    await shown.get_by_role("button", name="Look").click()

    await expect(shown.get_by_text("There is no folder output/nowhere")).to_be_visible()


async def test_another_folder_forgets_what_was_looked_at(page: Page) -> None:
    """Nothing is learned that was not shown."""
    shown = await tab(page, "Settings")
    await shown.get_by_role("button", name="Look").click()
    learn = shown.get_by_role("button", name="Learn from 6 images")
    await expect(learn).to_be_visible()

    await shown.get_by_label("Subfolder").fill("day")

    await expect(learn).to_be_hidden()
    await expect(shown.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_nobody_is_kept_out_of_a_narrow_panel(
    page: Page, serious_faults: Callable[[Any, str], Awaitable[list[str]]], scheme: Any
) -> None:
    """axe-core finds no serious fault, and nothing is wider than 300 pixels."""
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": 300, "height": 900})
    shown = await tab(page, "Settings")
    await shown.get_by_role("button", name="Look").click()
    await shown.get_by_role("button", name="Learn from 6 images").click()
    await expect(shown.locator(".cc-imports li")).to_have_count(1)
    await shown.get_by_role("button", name="Look").click()
    await expect(shown.get_by_text("There is nothing new to learn here.")).to_be_visible()

    assert await serious_faults(page, "body") == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 300
    if folder := os.environ.get("CC_SCREENSHOTS"):
        await shown.locator(".cc-image-import").screenshot(path=f"{folder}/images-{scheme}.png")


async def test_a_server_without_folders_says_how_to_name_one(runtime: Runtime, browser: Browser) -> None:
    """Instead of a form that cannot work."""
    async with TestServer(build_app(runtime)) as server:
        opened = await browser.new_page()
        await opened.goto(str(server.make_url("/")))
        shown = await tab(opened, "Settings")

        await expect(shown.get_by_text("context-checkpoint serve --images FOLDER")).to_be_visible()
        await expect(shown.get_by_role("button", name="Look")).to_be_hidden()
        await opened.close()
