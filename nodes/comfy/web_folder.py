"""Serves the pack's files where ComfyUI cannot: from a folder whose name URLs have to quote, such as a space.

ComfyUI serves each pack's `web/` and example workflows under its folder's name by `aiohttp.web.static`, which compares
the quoted name with the unquoted URL (seen with aiohttp 3.14) and finds nothing: the browser would get none of the
pack's files. Other names are left to ComfyUI.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def add_web_folder(routes: web.RouteTableDef, pack: Path) -> None:
    """Serve `pack/web` and the example workflows at ComfyUI's own URLs, if ComfyUI's own routes cannot.

    `pack` is the folder as ComfyUI loaded it, links not followed: its name is in the URL.
    """
    if quote(pack.name) == pack.name:
        return
    # As a regular expression, because only those are compared unquoted; braces would end it.
    name = re.sub(r"\\[{}]", ".", re.escape(pack.name))
    for route, folder in {"extensions": "web", "workflow_templates": "example_workflows"}.items():
        routes.get(f"/{route}/{{pack:{name}}}/{{file:.+}}")(_serve_folder(pack / folder))


def _serve_folder(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    root = folder.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        file = (root / request.match_info["file"]).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file)

    return serve
