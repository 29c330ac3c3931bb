"""Serves the pack's files where ComfyUI cannot: from a folder whose name addresses have to quote, as a space.

ComfyUI serves each pack's `web/` and example workflows under its folder's name by `aiohttp.web.static`, which
compares the quoted name with the unquoted address (seen with aiohttp 3.14) and finds nothing: such a pack has
nothing to show in the browser. Ordinary names are left to ComfyUI.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def add_web_folder(routes: web.RouteTableDef, pack: Path) -> None:
    """Serve `pack/web` and its examples where ComfyUI tells the browser to look, if its own routes do not.

    `pack` is the folder as ComfyUI found it, links not followed: its name is in the address.
    """
    if quote(pack.name) == pack.name:
        return
    # As a regular expression, because only those are compared unquoted; braces would end it.
    name = re.sub(r"\\[{}]", ".", re.escape(pack.name))
    for place, folder in {"extensions": "web", "workflow_templates": "example_workflows"}.items():
        routes.get(f"/{place}/{{pack:{name}}}/{{file:.+}}")(_files_of(pack / folder))


def _files_of(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    root = folder.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        file = (root / request.match_info["file"]).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file)

    return serve
