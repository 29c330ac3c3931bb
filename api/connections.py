"""Bounds for the connections of `context-checkpoint serve`: how many there are, and how long a request takes to come.

Separate from `standalone.py` because aiohttp has only the half of it: it closes a connection that stays silent after a
response (`keepalive_timeout`), but before 3.14 none that never sends a whole request, and it counts none.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import web

from .responses import Handler

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

MOST_CONNECTIONS = 100
"""A browser opens six; each costs a file descriptor, of which a process may have 256 on macOS."""

HEADERS_S = 20.0
"""Until a request's headers are there; as long, a connection may be idle after a response."""

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connections:
    """The connections of one server. `accept` makes the protocol of each; `middleware` notes who has sent a request."""

    def __init__(self) -> None:
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def accept(self, server: web.Server) -> asyncio.Protocol:
        return _Arrival(server, self._silent)

    def middleware(self) -> Middleware:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if timer := self._silent.pop(request.protocol, None):
                timer.cancel()
            return await handler(request)

        return middleware


class _Arrival(asyncio.Protocol):
    """A connection that has just been made: aiohttp gets it unless there are too many."""

    def __init__(self, server: web.Server, silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle]) -> None:
        self._server = server
        self._silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        if len(self._server.connections) >= MOST_CONNECTIONS:
            stream.write(_BUSY)
            stream.close()
            return
        handler = self._server()
        stream.set_protocol(handler)
        handler.connection_made(stream)
        self._silent[handler] = asyncio.get_running_loop().call_later(HEADERS_S, self._close, handler)

    def _close(self, handler: web.RequestHandler) -> None:
        self._silent.pop(handler, None)
        handler.force_close()
