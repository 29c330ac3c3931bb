"""Serves `web/` where ComfyUI cannot: from a folder whose name addresses have to quote, as one with a space.

ComfyUI serves each pack's `WEB_DIRECTORY` under `/extensions/<folder's name>` by `aiohttp.web.static`, which
compares the quoted name with the unquoted address (seen with aiohttp 3.14) and finds nothing: such a pack has
nothing to show in the browser. Ordinary names are left to ComfyUI.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def add_web_folder(routes: web.RouteTableDef, pack: Path) -> None:
    """Serve `pack/web` at the address that ComfyUI tells the browser, if its own route does not.

    `pack` is the folder as ComfyUI found it, links not followed: its name is in the address.
    """
    if quote(pack.name) == pack.name:
        return
    folder = (pack / "web").resolve()
    # As a regular expression, because only those are compared unquoted; braces would end it.
    name = re.sub(r"\\[{}]", ".", re.escape(pack.name))

    @routes.get(f"/extensions/{{pack:{name}}}/{{file:.+}}")
    async def serve(request: web.Request) -> web.StreamResponse:
        file = (folder / request.match_info["file"]).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file)
