"""A real Chromium and a real ComfyUI, in the classic canvas and in Nodes 2.0.

All tests of this folder share one server and one browser, and the tests of a module share one page per canvas. What
does not depend on the canvas is tested in one of them. The tests are coroutines on the session's event loop, to which
Playwright's connection belongs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage, comfy_page
from context_checkpoint.demo.comfyui.installation import PACK, ComfyInstallation
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from tests.conftest import named_frontend

expect.set_options(timeout=20_000)  # what has to be seen is waited for; a busy machine takes longer

HERE = Path(__file__).parent
EXAMPLES = PACK / "example_workflows"

HOSTILE = "<img src=x onerror=window.hacked=1>.safetensors"
CHECKPOINTS = {
    "red.safetensors": "red",
    "illustration/dreamyPastelAnimeXL_v21TurboDPMSDE_fp16_pruned_with_baked_vae.safetensors": "blue",
    HOSTILE: "green",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.comfyui)
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def comfy(comfy_installation: ComfyInstallation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A server with the pack in a folder with a space in its name, and with awkward checkpoint names."""
    chosen = named_frontend()
    flags = ["--front-end-root", str(chosen.static)] if chosen else []
    server = ComfyServer(tmp_path_factory.mktemp("comfyui"), flags, installation=comfy_installation)
    for seed, (name, color) in enumerate(CHECKPOINTS.items()):
        tiny_checkpoints.write(server.checkpoints / name, "sd3", color=tiny_checkpoints.NINE_COLORS[color], seed=seed)
    with server:
        yield server


@pytest.fixture(scope="session")
def first_settings(comfy: ComfyServer) -> dict[str, Any]:
    settings: dict[str, Any] = comfy.get("/context_checkpoint/settings")
    return settings


def reset(server: ComfyServer, settings: Mapping[str, Any]) -> None:
    """Delete what pages have stored on the server and what was learned, and restore the pack's settings."""
    shutil.rmtree(server.base_directory / "user" / "default", ignore_errors=True)
    server.post("/context_checkpoint/settings", settings)
    server.post("/context_checkpoint/forget", {"everything": True})


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["classic canvas", "Nodes 2.0"])
async def opened(
    request: pytest.FixtureRequest, browser: Browser, comfy: ComfyServer, first_settings: dict[str, Any]
) -> AsyncIterator[ComfyPage]:
    nodes_2 = request.param == "Nodes 2.0"
    reset(comfy, first_settings)
    async with comfy_page(browser, comfy, nodes_2=nodes_2, size=(1500, 1000)) as page:
        yield page


one_canvas = pytest.mark.parametrize("opened", ["Nodes 2.0"], indirect=True)
"""For tests of what does not depend on the canvas."""


@pytest_asyncio.fixture(loop_scope="session")
async def comfyui(opened: ComfyPage) -> AsyncIterator[ComfyPage]:
    """ComfyUI's page, without anything from other tests; an error in it fails the test."""
    opened.errors.clear()
    _withdraw_verdicts(opened.server)
    await opened.page.evaluate(
        """() => {
          const ours = Object.keys(localStorage).filter((key) => key.startsWith("context_checkpoint."));
          for (const key of ours) localStorage.removeItem(key);
        }"""
    )
    yield opened
    assert opened.errors == []


def _withdraw_verdicts(server: ComfyServer) -> None:
    """Withdraw all verdicts, so that it compares three checkpoints again."""
    judged = server.get("/context_checkpoint/generations?judged=true&limit=500")["generations"]
    for generation in judged:
        body = {"generation_id": generation["id"], "selected_images": [], "rejected_images": []}
        server.post("/context_checkpoint/feedback", body)


@pytest.fixture
def three_nodes() -> dict[str, Any]:
    """The example with the three nodes alone."""
    workflow: dict[str, Any] = json.loads((EXAMPLES / "three_nodes.json").read_text("utf-8"))
    return workflow


@pytest.fixture
def hostile_checkpoint() -> str:
    """A checkpoint of the server that would run a script, were its name taken for markup."""
    return HOSTILE
