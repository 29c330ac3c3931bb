"""A server of ours whose database lies on another one: what a person and a program see while that is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.api.standalone import build_app
from context_checkpoint.demo.comfyui.browser import chromium
from context_checkpoint.runtime.runtime import Runtime
from tests.conftest import PostgresServer

from .conftest import CANDIDATES, Client, log_generation

pytestmark = pytest.mark.postgres


async def test_routes_answer_while_the_database_server_is_away(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A recommendation says that nothing learned was used, a verdict waits, health and metrics say so."""
    runtime = Runtime(tmp_path, postgres_url)
    generation_id = await log_generation(runtime, "a lighthouse")
    async with TestClient(TestServer(build_app(runtime))) as http:
        client = Client(http)
        await asyncio.to_thread(postgres_server.stop)
        try:
            status, plan = await client.post("/recommend", {"prompt": "a lighthouse", "candidates": CANDIDATES})
            assert (status, plan["fallback"], plan["checkpoints"]) == (200, True, CANDIDATES)
            assert "Nothing learned was used" in plan["explanation"]
            status, verdict = await client.post("/feedback", {"generation_id": generation_id, "selected_images": [0]})
            assert (status, verdict["waiting"]) == (200, True)
            _, health = await client.get("/health")
            assert (health["away"], health["waiting"], health["generations"]) == (True, 1, None)
            metrics = await (await http.get(f"{PREFIX}/metrics")).text()
            assert "context_checkpoint_server_away 1\n" in metrics
            assert "context_checkpoint_entries_waiting 1\n" in metrics
        finally:
            await asyncio.to_thread(postgres_server.start)
        while health["away"] or health["waiting"]:
            await asyncio.sleep(0.2)
            _, health = await client.get("/health")
        assert health["judged"] == 1
    await asyncio.to_thread(runtime.close)


@pytest.mark.browser
async def test_the_overview_says_that_the_server_is_away(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, chromium_program: str
) -> None:
    """And how much waits: until it is back."""
    runtime = Runtime(tmp_path, postgres_url)
    generation_id = await log_generation(runtime, "a lighthouse")
    async with TestServer(build_app(runtime)) as server, chromium(chromium_program) as browser:
        page = await browser.new_page()
        await page.goto(str(server.make_url("/")))
        shown = page.get_by_role("tabpanel", name="Overview")
        await expect(shown.locator("[data-figure=prompts] dd").first).to_have_text("1")
        warning = shown.get_by_text("The database server is offline.")
        await expect(warning).to_have_count(0)

        await asyncio.to_thread(postgres_server.stop)
        try:
            await runtime.run(lambda service: service.record_feedback(generation_id, selected_images=[0]))
            await page.get_by_role("button", name="Refresh").click()
            await expect(warning).to_be_visible()
            await expect(shown.get_by_text("1 entries wait on this disk")).to_be_visible()
        finally:
            await asyncio.to_thread(postgres_server.start)
        for _ in range(20):
            await asyncio.sleep(0.5)
            await page.get_by_role("button", name="Refresh").click()
            if await warning.count() == 0:
                break
        await expect(warning).to_have_count(0)
    await asyncio.to_thread(runtime.close)
