"""Each node's help, opened by the button that ComfyUI shows above a selected node."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.async_api import Response, expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.installation import PACK
from context_checkpoint.demo.comfyui.server import ComfyServer, Refused
from tests.test_documentation import NODES

from .conftest import one_canvas

PAGES = PACK / "web" / "docs"
SELECT = "(node) => window.app.canvas.selectNode(window.app.rootGraph.nodes.find(({ type }) => type === node))"


@one_canvas
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("node", "display_name"), NODES.items())
async def test_node_info_opens_the_help_page(opened: ComfyPage, node: str, display_name: str) -> None:
    """All that is asked for on the way is found, in English too."""
    await opened.build({"node": {"type": node, "pos": [600, 400]}})
    await opened.page.evaluate(SELECT, node)
    await opened.settle()
    asked: dict[str, int] = {}

    def remember(response: Response) -> None:
        if "/docs/" in response.url:
            asked[response.url] = response.status

    opened.page.on("response", remember)
    try:
        await opened.page.get_by_test_id("info-button").click()
        await expect(opened.page.get_by_role("heading", name=display_name, level=1)).to_be_visible()
    finally:
        opened.page.remove_listener("response", remember)

    assert asked
    assert set(asked.values()) <= {200, 304}


def help_page(server: ComfyServer, page: str) -> str:
    (pack,) = server.get("/workflow_templates")
    return server.request("GET", f"/api/extensions/{quote(pack)}/docs/{page}").decode("utf-8")


@pytest.mark.parametrize(
    ("language", "page"),
    [("en", "{}.md"), ("fr", "{}.md"), ("pt-BR", "{}.md"), ("zh", "{}/zh.md"), ("zh-TW", "{}.md"), ("ja", "{}/ja.md")],
)
@pytest.mark.parametrize("node", NODES)
def test_every_language_has_help(comfy: ComfyServer, node: str, language: str, page: str) -> None:
    """Languages without a page of their own get the English one, where the frontend would see a 404 first."""
    assert help_page(comfy, f"{node}/{language}.md") == (PAGES / page.format(node)).read_text("utf-8")


@pytest.mark.parametrize("page", ["Nothing/en.md", "..%2f..%2f..%2fREADME/en.md", "../../../README/en.md"])
def test_no_other_file_is_a_help_page(comfy: ComfyServer, page: str) -> None:
    """Names are compared with the pages that there are, never joined to a path."""
    with pytest.raises(Refused) as refused:
        help_page(comfy, page)

    assert refused.value.status == 404
