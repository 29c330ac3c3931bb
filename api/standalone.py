"""`context-checkpoint serve`: the HTTP routes and an overview page without ComfyUI.

Separate from `routes.py` because inside ComfyUI none of this is ours: there ComfyUI binds the port, decides
which origins are allowed, and serves the pages. Here this module does; `access` says who may ask, `connections` how
many and how slowly.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ..images.sources import ImageSources
from ..runtime.runtime import Runtime
from .access import Access, is_loopback, read_token
from .connections import HEADERS_S, Connections
from .responses import Handler, enveloped
from .routes import PREFIX, build_routes

logger = logging.getLogger(__name__)
http_log = logging.getLogger(f"{__name__}.http")

WEB = Path(__file__).parents[1] / "web"
LOCALES = Path(__file__).parents[1] / "locales"
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


TOKEN_FILE = "serve_token"  # noqa: S105 - not the token
"""Its name in the data folder."""


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether aiohttp logs a failure, and not a request that is no HTTP."""
    raised = record.exc_info[1] if record.exc_info else None
    return not isinstance(raised, (HttpProcessingError, web.RequestPayloadError))


http_log.addFilter(_is_our_fault)


def build_app(
    runtime: Runtime, *, bound_host: str = "127.0.0.1", images: ImageSources | None = None
) -> web.Application:
    """Build the application; `bound_host` is the address that it will be bound to, `images` are what it may read.

    Raises
    ------
    LearningError
        If others can reach it, and its token can be neither read nor written.
    """
    return _app(runtime, _access(runtime, bound_host), images)


def _app(runtime: Runtime, access: Access, images: ImageSources | None) -> web.Application:
    app = web.Application(middlewares=[access.middleware(), _routes_in_envelope])
    app.add_routes(build_routes(runtime, None, images))
    app.router.add_get("/", _page)
    app.router.add_static("/web/", WEB)
    app.router.add_static("/locales/", LOCALES)
    app.on_response_prepare.append(_add_headers)
    return app


def _access(runtime: Runtime, bound_host: str) -> Access:
    """Behind a name of its own a server is reached by others too: through a proxy."""
    names = frozenset(name.lower() for name in runtime.settings.serve_names)
    private = is_loopback(bound_host) and not names
    return Access(bound_host, names, None if private else read_token(runtime.data_directory / TOKEN_FILE))


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(WEB / "standalone" / "index.html")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_PAGE_HEADERS)


@web.middleware
async def _routes_in_envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give 404 and 405 below the routes' prefix the envelope too."""
    return await (enveloped(handler) if request.path.startswith(PREFIX) else handler)(request)


async def serve(
    runtime: Runtime,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    images: ImageSources | None = None,
) -> None:
    """Serve until cancelled; `announce` gets the address once it answers, with the token where one is needed.

    `images` are the folders of images that may be imported.

    Raises
    ------
    OSError
        If the address cannot be bound.
    LearningError
        If the token can be neither read nor written.
    """
    access, connections = _access(runtime, host), Connections()
    app = _app(runtime, access, images)
    app.middlewares.insert(0, connections.middleware())
    runner = web.AppRunner(app, access_log=None, logger=http_log, keepalive_timeout=HEADERS_S)
    await runner.setup()
    try:
        accept = partial(connections.accept, cast("web.Server", runner.server))
        server = await asyncio.get_running_loop().create_server(accept, host, port, backlog=128)
        try:
            port = server.sockets[0].getsockname()[1]
            if access.token is not None:
                file = runtime.data_directory / TOKEN_FILE
                logger.warning("%s", _warning(host, file))
            announce(_address(host, port, access.token))
            await asyncio.Event().wait()
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _warning(host: str, file: Path) -> str:
    return (
        f"Others can reach this server (bound to {host or 'all addresses'}), and nothing is encrypted. It asks for its "
        f"token, which is kept in {file}: open the printed address once in each browser, and let scripts send "
        "Authorization: Bearer <token>."
    )


def _address(host: str, port: int, token: str | None) -> str:
    """Where this machine reaches the server."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    query = f"?token={token}" if token is not None else ""
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}/{query}"
