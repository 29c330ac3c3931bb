"""The page where what was learned lies on a server: what a person sees while that is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from context_checkpoint.api.standalone import build_app
from context_checkpoint.demo.comfyui.browser import chromium
from context_checkpoint.learning.failover import shared_database
from context_checkpoint.runtime.runtime import Runtime
from tests.conftest import PostgresServer

from .conftest import log_generation

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


async def test_the_overview_says_that_the_server_is_away(
    postgres_url: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
    chromium_program: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And for how long: until it is back."""
    for name in ("_TRY_EVERY_S", "_FOLLOW_AFTER_S"):
        monkeypatch.setattr(shared_database, name, 0.05)
    runtime = Runtime(tmp_path, postgres_url)
    await log_generation(runtime, "a lighthouse")
    async with TestServer(build_app(runtime)) as server, chromium(chromium_program) as browser:
        page = await browser.new_page()
        await page.goto(str(server.make_url("/")))
        shown = page.get_by_role("tabpanel", name="Overview")
        await expect(shown.locator("[data-figure=prompts] dd").first).to_have_text("1")
        warning = shown.get_by_text("The database server is offline.")
        await expect(warning).to_have_count(0)
        await asyncio.sleep(1.0)  # until it has been followed

        await asyncio.to_thread(postgres_server.stop)
        try:
            await page.get_by_role("button", name="Refresh").click()
            await expect(warning).to_be_visible()
        finally:
            await asyncio.to_thread(postgres_server.start)
        for _ in range(20):
            await asyncio.sleep(0.5)
            await page.get_by_role("button", name="Refresh").click()
            if await warning.count() == 0:
                break
        await expect(warning).to_have_count(0)
    await asyncio.to_thread(runtime.close)
