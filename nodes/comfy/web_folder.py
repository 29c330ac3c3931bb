"""Serves the pack's files where ComfyUI cannot: help in languages without a page, and folders that URLs have to quote.

ComfyUI's page asks for a node's help in its own language first, English included, and logs a 404 where the pack has no
such page. ComfyUI serves each pack's `web/` and example workflows under its folder's name by `aiohttp.web.static`,
which compares the quoted name with the unquoted URL (seen with aiohttp 3.14) and finds nothing in a folder whose name
has a space. All other files are left to ComfyUI.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def add_web_folder(routes: web.RouteTableDef, pack: Path) -> None:
    """Serve help pages and, if ComfyUI's own routes cannot, `pack/web` and the example workflows at ComfyUI's URLs.

    `pack` is the folder as ComfyUI loaded it, links not followed: its name is in the URL.
    """
    # As a regular expression, because only those are compared unquoted; braces would end it.
    name = re.sub(r"\\[{}]", ".", re.escape(pack.name))
    routes.get(f"/extensions/{{pack:{name}}}/docs/{{node}}/{{language}}.md")(_serve_help(pack / "web" / "docs"))
    if quote(pack.name) == pack.name:
        return
    for route, folder in {"extensions": "web", "workflow_templates": "example_workflows"}.items():
        routes.get(f"/{route}/{{pack:{name}}}/{{file:.+}}")(_serve_folder(pack / folder))


def _serve_help(pages: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    # Names are compared with what is there, so that none leads out of the folder.
    english = {page.stem: page for page in pages.glob("*.md")}
    translated = {(page.parent.name, page.stem): page for page in pages.glob("*/*.md")}

    async def serve(request: web.Request) -> web.StreamResponse:
        node, language = request.match_info["node"], request.match_info["language"]
        page = translated.get((node, language)) or english.get(node)
        if page is None:
            raise web.HTTPNotFound
        return web.FileResponse(page)

    return serve


def _serve_folder(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    root = folder.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        file = (root / request.match_info["file"]).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file)

    return serve
