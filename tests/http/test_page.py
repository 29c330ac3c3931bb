"""The page of `context-checkpoint serve`, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from context_checkpoint.runtime import Runtime
from context_checkpoint.standalone import build_app

from .conftest import CANDIDATES
from .test_routes import made_generation

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def page(runtime: Runtime) -> AsyncIterator[Any]:
    """The page of a server that has learned from one round, whose prompt tries to be markup."""
    from playwright.async_api import async_playwright

    generation = await made_generation(runtime, "<img src=x onerror=alert(1)> portrait")
    await runtime.run(
        lambda service: service.record_feedback(generation, selected_images=[0], rejected_images=[1, 2])
    )
    async with TestServer(build_app(runtime)) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        opened = await browser.new_page()
        opened.complaints = []
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.on(
            "console", lambda line: opened.complaints.append(line.text) if line.type == "error" else None
        )
        await opened.goto(str(server.make_url("/")))
        yield opened
        await browser.close()


async def test_it_shows_what_was_learned_as_text(page: Any) -> None:
    """Checkpoints, keywords and rounds; a prompt is text and never markup."""
    await page.wait_for_selector("#rounds table")

    assert await page.text_content("#message") == "1 of 1 rounds have a verdict: 1 images kept, 2 not."
    rows = await page.locator("#checkpoints tbody tr").all_text_contents()
    assert f"{CANDIDATES[0]}11100 %" in rows
    assert await page.locator("#keywords tbody tr").count() >= 3
    assert "<img src=x" in await page.text_content("#rounds")
    assert await page.locator("#rounds img").count() == 0
    assert page.complaints == []


async def test_it_tells_what_a_prompt_would_get(page: Any) -> None:
    """The answer is the route's; a refusal is shown in its words."""
    await page.fill("textarea[name=prompt]", "portrait of a sailor")
    await page.fill("textarea[name=candidates]", "\n".join(CANDIDATES[:1]))
    await page.click("button[type=submit]")
    await page.wait_for_selector("#recommendation:not(:empty)")

    assert CANDIDATES[0] in await page.text_content("#recommendation")
    assert page.complaints == []

    await page.fill("textarea[name=candidates]", " \n ")
    await page.click("button[type=submit]")
    await page.locator("#recommendation", has_text="candidates").wait_for()
