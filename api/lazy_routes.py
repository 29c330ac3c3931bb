"""The routes as ComfyUI gets them when it starts: addresses whose handlers load with the first request.

Separate from `routes`, because its schemas and handlers take longer to import than all that ComfyUI's start
needs of the pack. So nothing here, nor in what is imported here, needs pydantic or SQLAlchemy, and of a route
only its address is known; a test checks that `routes.ENDPOINTS` has the same ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from ..learning.message import message, parts_of
from ..learning.requirements import missing_requirement
from .addresses import ADDRESSES, PREFIX, Address

if TYPE_CHECKING:
    from ..runtime.runtime import Runtime
    from .handlers import Host
    from .responses import Handler


logger = logging.getLogger(__name__)


def add_to(table: web.RouteTableDef, runtime: Runtime | Callable[[], Runtime], host: Host | None) -> None:
    """Append the routes to ComfyUI's table, which it serves both as they are and under `/api`.

    Must run before `PromptServer.add_routes`; ComfyUI loads custom nodes before.
    """
    handlers = _LazyHandlers(partial(_load, runtime, host))
    for address in ADDRESSES:
        method, path = address
        table.route(method, PREFIX + path)(handlers.at(address))


def _load(runtime: Runtime | Callable[[], Runtime], host: Host | None) -> Mapping[Address, Handler]:
    from .routes import handlers_of  # late: this is what takes long

    return handlers_of(runtime, host)


class _LazyHandlers:
    """All handlers, loaded together: the first request brings in what the others need too."""

    def __init__(self, load: Callable[[], Mapping[Address, Handler]]) -> None:
        self._load = load
        self._loaded: Mapping[Address, Handler] | None = None
        self._loading = asyncio.Lock()

    def at(self, address: Address) -> Handler:
        """What to register there."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                handlers = self._loaded or await self._load_once()
            except Exception as error:  # an import may fail in any way; the next request tries again
                logger.exception("%s %s: the routes cannot be loaded", request.method, request.path)
                return _not_loaded(error)
            return await handlers[address](request)

        return handle

    async def _load_once(self) -> Mapping[Address, Handler]:
        async with self._loading:  # a page sends several requests at once
            if self._loaded is None:
                # In a thread, so that ComfyUI serves other requests meanwhile.
                self._loaded = await asyncio.to_thread(self._load)
            return self._loaded


def _not_loaded(error: Exception) -> web.Response:
    """The envelope of every refusal, made without `responses`, which may be what cannot be loaded."""
    missing = missing_requirement(error) if isinstance(error, ImportError) else None
    text = (
        missing.message
        if missing is not None
        else message(
            "routes_not_loaded",
            "Context Checkpoint cannot answer ({error}). Run: python -m pip install -r {requirements} with the "
            "Python that runs ComfyUI, then restart ComfyUI; its log has the trace.",
            error=str(error),
            requirements=Path(__file__).parents[1] / "requirements.txt",
        )
    )
    body = {"code": "routes_not_loaded", "message": text, "parts": parts_of(text), "details": []}
    return web.json_response({"error": body}, status=500, headers={"X-Content-Type-Options": "nosniff"})
