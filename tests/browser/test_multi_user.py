"""One person's panel in a ComfyUI with `--multi-user`, where a header tells who is asking."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Browser, expect

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.comfyui.server import ComfyServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_people_export_what_they_taught_themselves(
    browser: Browser, comfy_installation: ComfyInstallation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A link carries no header, and would be refused."""
    folder = tmp_path_factory.mktemp("people")
    with ComfyServer(folder, ["--multi-user"], installation=comfy_installation) as server:
        user = server.post("/users", {"username": "anna"})
        context = await browser.new_context(viewport={"width": 1500, "height": 1000})
        try:
            known = json.dumps({"Comfy.userId": user, "Comfy.userName": "anna"})
            await context.add_init_script(f"Object.assign(localStorage, {known})")
            page = await context.new_page()
            await page.goto(server.url)
            await page.wait_for_function("window.app?.extensionManager?.setting && window.app.rootGraph")
            await page.evaluate("window.app.extensionManager.setting.set('Comfy.TutorialCompleted', true)")
            await page.reload()
            await page.wait_for_function(
                "window.app?.extensionManager?.command?.commands?.some("
                "({ id }) => id === 'ContextCheckpoint.TogglePanel')"
            )
            await page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.TogglePanel')")
            panel = page.locator(".cc-panel")
            await panel.get_by_role("tab", name="Settings").click()
            shown = panel.get_by_role("tabpanel", name="Settings")
            await expect(shown.locator(".cc-database")).to_contain_text(user)
            async with page.expect_download() as download:
                await shown.get_by_role("link", name="Export").click()
            exported = folder / "exported.jsonl"
            await (await download.value).save_as(exported)
        finally:
            await context.close()

    assert '"format"' in exported.read_text("utf-8").splitlines()[0]
