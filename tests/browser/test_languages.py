"""What the server tells a person, in a ComfyUI that speaks Chinese or Japanese.

Chinese in the classic canvas, Japanese in Nodes 2.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage, comfy_page
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from tests.conftest import recomputed_elsewhere

from .conftest import reset

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER, SAMPLER = "ContextCheckpointRecommender", "MultiCheckpointSampler"
TABS = ("overview", "preferences", "history", "checkpoints", "try", "settings")


WORDS = {
    "zh": {
        "empty pool": "没有可推荐的检查点。查找了",
        "dropped out": "flux_alone.safetensors 退出此次生成：其中没有文本编码器，因此无法编码提示词。",
        "refused": "未保存：阈值顺序颠倒或超出范围：利用 0.5，探索 0.9。",
        "gone": "服务器没有响应。",
        "recomputing": "正在重新计算统计数据：",
        "menu": "显示或隐藏面板",
    },
    "ja": {
        "empty pool": "推薦できるチェックポイントがありません。",
        "dropped out": "flux_alone.safetensors は今回の生成から外れました："
        "テキストエンコーダーがなく、プロンプトを符号化できません。",
        "refused": "保存できませんでした：しきい値の順序が逆か、範囲外です：活用 0.5、探索 0.9。",
        "gone": "サーバーが応答しませんでした。",
        "recomputing": "統計を再計算しています：",
        "menu": "パネルを表示・非表示",
    },
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A page and what it should say."""

    comfyui: ComfyPage
    words: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["zh", "ja"])
async def spoken(
    request: pytest.FixtureRequest, browser: Browser, comfy: ComfyServer, first_settings: dict[str, Any]
) -> AsyncIterator[Spoken]:
    language = request.param
    reset(comfy, first_settings)
    settings = {"Comfy.Locale": language}
    try:
        async with comfy_page(browser, comfy, nodes_2=language == "ja", size=(1500, 1000), settings=settings) as page:
            yield Spoken(page, WORDS[language])
    finally:
        comfy.post("/api/settings/Comfy.Locale", "en")


@pytest.fixture
def without_encoder(comfy: ComfyServer) -> Iterator[str]:
    """A checkpoint that the rule `model only` lets in, and that the sampler cannot use."""
    file = tiny_checkpoints.write(comfy.checkpoints / "flux_alone.safetensors", "flux")
    yield file.name
    file.unlink()


@pytest.fixture
def broken(comfy: ComfyServer) -> Iterator[str]:
    """A checkpoint of two bytes."""
    file = comfy.checkpoints / "of_two_bytes.safetensors"
    file.write_bytes(b"no")
    yield file.stem
    file.unlink()


async def open_tab(comfyui: ComfyPage, name: str) -> None:
    if await comfyui.page.locator(".cc-panel").count() == 0:
        await comfyui.page.evaluate("window.app.extensionManager.command.execute('ContextCheckpoint.TogglePanel')")
    await comfyui.page.locator(f".cc-panel [data-tab={name}]").click()


async def test_an_error_of_a_node_is_shown_in_the_persons_language(spoken: Spoken, three_nodes: dict[str, Any]) -> None:
    """In a notice, and in ComfyUI's own report of errors."""
    comfyui, words = spoken.comfyui, spoken.words
    await comfyui.load(three_nodes)
    await comfyui.set_widgets(RECOMMENDER, include="nothing-is-called-so")
    entry = await comfyui.run()
    assert entry["status"]["status_str"] == "error"
    notice = comfyui.toast(words["empty pool"])
    await expect(notice).to_be_visible()
    await notice.get_by_role("button").click()  # it lies over ComfyUI's own
    await comfyui.page.get_by_test_id("error-overlay-see-errors").click()
    report = comfyui.page.get_by_text("# ComfyUI Error Report")
    await expect(report).to_contain_text(f"EmptyPoolError: {words['empty pool']}")


async def test_a_checkpoint_that_drops_out_is_shown_with_its_reason(
    spoken: Spoken, three_nodes: dict[str, Any], without_encoder: str
) -> None:
    """On the recorder."""
    comfyui, words = spoken.comfyui, spoken.words
    await comfyui.load(three_nodes)
    pool = {"family": "all", "include": f"{without_encoder}, red*", "needs": "model only"}
    await comfyui.set_widgets(RECOMMENDER, prompt=f"a lighthouse: {words['gone']}", **pool)
    await comfyui.set_widgets(SAMPLER, width=128, height=128, steps=4)
    await comfyui.run()
    await comfyui.show_all()
    await expect(comfyui.page.locator(".cc-warning")).to_have_text(words["dropped out"])


async def test_the_menu_is_translated_too(spoken: Spoken) -> None:
    """ComfyUI translates its menus by their English words."""
    page = spoken.comfyui.page
    ours = page.get_by_role("menuitem", name="Context Checkpoint").first
    entry = page.get_by_role("menuitem", name=spoken.words["menu"])
    await page.locator("[data-testid=comfy-menu-button], .comfy-menu-button-wrapper").first.click()
    try:
        for unfold in (ours.hover, ours.click, ours.hover, ours.click):
            await unfold()  # a menu that is still opening does not notice the pointer
            with suppress(AssertionError):
                await expect(entry).to_be_visible(timeout=3_000)
                break
        await expect(entry).to_be_visible()
    finally:
        await page.keyboard.press("Escape")
        await expect(ours).to_be_hidden()


async def test_a_refusal_is_shown_in_the_persons_language(spoken: Spoken) -> None:
    """Of the panel's settings; and where no answer comes at all."""
    comfyui, words = spoken.comfyui, spoken.words
    await open_tab(comfyui, "settings")
    settings = comfyui.page.locator(".cc-settings")
    await settings.locator("input[type=number]").nth(1).fill("0.9")
    await settings.locator("input[type=number]").nth(1).blur()
    await expect(settings.locator(".cc-status").first).to_contain_text(words["refused"])
    await comfyui.page.route("**/context_checkpoint/**", lambda route: route.abort())
    await open_tab(comfyui, "history")
    await expect(comfyui.page.locator(".cc-request:visible")).to_contain_text(words["gone"])
    await comfyui.page.unroute("**/context_checkpoint/**")


@pytest.mark.parametrize("palette", ["dark", "light"])
async def test_nobody_is_kept_out_in_other_languages(
    spoken: Spoken, serious_faults: Callable[[Any, str], Awaitable[list[str]]], palette: str, broken: str
) -> None:
    """axe-core finds no serious fault in any tab, where a broken file and a recomputation are told too."""
    comfyui = spoken.comfyui
    set_palette = "(id) => window.app.extensionManager.setting.set('Comfy.ColorPalette', id)"
    await comfyui.page.evaluate(set_palette, palette)
    file = comfyui.server.base_directory / "user" / "__context_checkpoint" / "preferences.db"
    try:
        faults = {}
        for name in TABS:
            with recomputed_elsewhere(file, 0) if name == "overview" else nullcontext():
                await open_tab(comfyui, name)
                await comfyui.page.wait_for_load_state("networkidle")
                if name == "overview":
                    await expect(comfyui.page.get_by_text(spoken.words["recomputing"])).to_be_visible()
                if name == "checkpoints":
                    await expect(comfyui.page.get_by_role("row", name=broken)).to_be_visible()
                faults[name] = await serious_faults(comfyui.page, ".cc-panel")
        assert {name: found for name, found in faults.items() if found} == {}
    finally:
        await comfyui.page.evaluate(set_palette, "dark")
