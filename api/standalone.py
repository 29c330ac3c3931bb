"""`context-checkpoint serve`: the HTTP routes and an overview page without ComfyUI.

Separate from `routes.py` because inside ComfyUI none of this is ours: there ComfyUI binds the port, decides
which origins are allowed, and serves the pages. Here this module does: it refuses foreign origins, and on a
loopback address any other host name too (a web page could otherwise point a name of its own at this machine).
There is no authentication: bound to another address than 127.0.0.1, it lets everybody who reaches it read and
write.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from ..runtime.runtime import Runtime
from .responses import Handler, enveloped, refuse
from .routes import PREFIX, build_routes

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

logger = logging.getLogger(__name__)

WEB = Path(__file__).parents[1] / "web"
LOCALES = Path(__file__).parents[1] / "locales"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def build_app(runtime: Runtime, *, bound_host: str = "127.0.0.1") -> web.Application:
    """Build the application; `bound_host` is the address it will be reached at."""
    app = web.Application(middlewares=[_only_own_origin(bound_host), _routes_in_envelope])
    app.add_routes(build_routes(runtime, None))
    app.router.add_get("/", _page)
    app.router.add_static("/web/", WEB)
    app.router.add_static("/locales/", LOCALES)
    app.on_response_prepare.append(_add_headers)
    return app


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(WEB / "standalone" / "index.html")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_PAGE_HEADERS)


@web.middleware
async def _routes_in_envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give 404 and 405 below the routes' prefix the envelope too."""
    return await (enveloped(handler) if request.path.startswith(PREFIX) else handler)(request)


def _only_own_origin(bound_host: str) -> Middleware:
    loopback = _is_loopback(bound_host)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        named_host = urlsplit(f"//{request.host}")
        if loopback and not _is_loopback(named_host.hostname or ""):
            return refuse(403, "foreign_host", f"This server is not called {named_host.hostname}.")
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
        if foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
            return refuse(403, "foreign_origin", "Requests from other web pages are refused.")
        return await handler(request)

    return middleware


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(runtime: Runtime, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until cancelled; `announce` gets the address once it answers.

    Raises
    ------
    OSError
        If the address cannot be bound.
    """
    runner = web.AppRunner(build_app(runtime, bound_host=host), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        taken = runner.addresses[0][1]
        announce(f"http://{f'[{host}]' if ':' in host else host}:{taken}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
