"""The routes behind the guide that a new person sees: what was found. Nothing is stored and no database is opened.

Separate from `handlers.py` because both may take long on a slow disk: the headers of all models are read where they are
new, and a folder of images is walked. The guide asks for them apart, and shows each as it comes.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ..images.folder import walk
from ..learning.message import message
from .handlers import Api, Host
from .responses import Refusal
from .schemas.base import Nothing
from .schemas.start import StartImagesResponse, StartResponse, start_response

_ROOT = "output"


async def start(api: Api, request: Nothing) -> StartResponse:
    """Which models there are, by folder and family."""
    if api.host is None:
        raise Refusal(
            409,
            "no_comfyui_files",
            message("no_comfyui_files", "This server is not ComfyUI and knows no model files."),
        )
    return await asyncio.to_thread(_found, api.host)


def _found(host: Host) -> StartResponse:
    files = host.files()
    families = {file.family for file in files}
    return start_response(files, {family: len(host.loras(family, "", "")) for family in families}, host.folders())


async def start_images(api: Api, request: Nothing) -> StartImagesResponse:
    """How many image files the output folder has."""
    folder = api.image_sources.folders.get(_ROOT)
    if folder is None:
        return StartImagesResponse(images=0, root="")
    return StartImagesResponse(images=await asyncio.to_thread(_count, folder), root=_ROOT)


def _count(folder: Path) -> int:
    return sum(1 for _ in walk(folder, lambda *_: None))
