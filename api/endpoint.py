"""What a route is: asked, answered, refused and done by; and how it becomes an aiohttp handler.

Apart from `routes.py`, which lists them, and `handlers.py`, which does what they promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

from aiohttp import web
from pydantic import BaseModel

from ..learning.exchange.spool import spooled
from .requests import RequestT, checked_lines, read_body, read_query, spool
from .responses import Handler, answer, enveloped, stream

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""As Prometheus asks for it."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[RequestT]):
    """One route: what it is asked, what it answers, how it refuses, and who does it.

    Names in braces in `path` are handed to the handler by keyword. `lines` says that JSON Lines are
    `answered` or `sent` instead of one JSON object, or that the answer is `text`; what is asked then stands
    in the query.
    """

    method: Literal["GET", "POST"]
    path: str
    summary: str
    asked: type[RequestT]
    answer: type[BaseModel]
    handle: Callable[..., Any]  # awaited for an answer; with `lines` "answered" an iterator of them
    refusals: Mapping[int, str] = field(default_factory=dict)
    lines: Literal["", "answered", "sent", "text"] = ""


def handler_of(endpoint: Endpoint[Any], api: object) -> Handler:
    """Make the handler that reads what `endpoint` is asked, lets `api` do it and shapes the answer."""
    read = read_query if endpoint.method == "GET" else None

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = read(request, endpoint.asked) if read else await read_body(request, endpoint.asked)
        return answer(await endpoint.handle(api, asked, **request.match_info))

    async def answer_lines(request: web.Request) -> web.StreamResponse:
        return await stream(request, endpoint.handle(api, read_query(request, endpoint.asked)))

    async def take_lines(request: web.Request) -> web.StreamResponse:
        checked_lines(request)
        asked = read_query(request, endpoint.asked)
        with spooled() as lines:
            await spool(request, lines)
            return answer(await endpoint.handle(api, asked, lines=lines.written()))

    async def answer_text(request: web.Request) -> web.StreamResponse:
        text = await endpoint.handle(api, read_query(request, endpoint.asked))
        return web.Response(body=text.encode(), headers={"Content-Type": TEXT})

    kinds = {"": handle, "answered": answer_lines, "sent": take_lines, "text": answer_text}
    return enveloped(kinds[endpoint.lines])
