"""What ComfyUI gives the pack when it starts: a folder for its data, and the table of routes to add to.

Separate from `adapter`, which serves running prompts and imports what takes them.
"""

from __future__ import annotations

from pathlib import Path

import folder_paths
from aiohttp import web
from server import PromptServer


def data_directory() -> Path:
    """The pack's folder among ComfyUI's system user directories."""
    return Path(folder_paths.get_system_user_directory("context_checkpoint"))


def route_table() -> web.RouteTableDef:
    """The routes that ComfyUI serves once all custom nodes are loaded."""
    routes: web.RouteTableDef = PromptServer.instance.routes
    return routes
