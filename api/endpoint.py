"""What a route is: its request, its response, its refusals and its handler; and how aiohttp calls it.

Separate from `routes.py`, which lists them, and `handlers.py`, which does what they promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal

from aiohttp import web
from pydantic import BaseModel

from ..learning.exchange.spool import spooled
from .requests import RequestT, check_lines, read_body, read_query, spool
from .responses import CSV_TYPE, Handler, enveloped, json_response, stream

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of Prometheus' text form."""


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[RequestT]):
    """One route: its request, its response, its refusals, and the handler that serves it.

    Attributes
    ----------
    path
        Names in braces are handed to the handler by keyword.
    refusals
        Why it refuses, by status.
    form
        `json`: one object in, one out. `lines_out` and `lines_in`: JSON Lines are the response or the body;
        `text`: the response is text; `csv_out`: it is a CSV file. The request is the query then, as it is of GET and
        DELETE.
    status
        Of the response: 202 where what was asked for goes on.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    summary: str
    request: type[RequestT]
    response: type[BaseModel]
    handle: Callable[..., Any]  # awaited for a response; with `..._out` an iterator of texts
    refusals: Mapping[int, str] = field(default_factory=dict)
    form: Literal["json", "lines_in", "lines_out", "text", "csv_out"] = "json"
    status: int = 200


def handler_of(endpoint: Endpoint[Any], api: object) -> Handler:
    """Make the handler that reads the endpoint's request, lets `api` serve it and shapes the response."""

    async def json_handler(http: web.Request) -> web.StreamResponse:
        in_query = endpoint.method != "POST"
        request = read_query(http, endpoint.request) if in_query else await read_body(http, endpoint.request)
        return json_response(await endpoint.handle(api, request, **http.match_info), endpoint.status)

    async def lines_out_handler(http: web.Request) -> web.StreamResponse:
        return await stream(http, endpoint.handle(api, read_query(http, endpoint.request)))

    async def csv_out_handler(http: web.Request) -> web.StreamResponse:
        texts = endpoint.handle(api, read_query(http, endpoint.request))
        return await stream(http, texts, CSV_TYPE, "context-checkpoint.csv")

    async def lines_in_handler(http: web.Request) -> web.StreamResponse:
        check_lines(http)
        request = read_query(http, endpoint.request)
        with spooled() as lines:
            await spool(http, lines)
            return json_response(await endpoint.handle(api, request, lines=lines.written()))

    async def text_handler(http: web.Request) -> web.StreamResponse:
        text = await endpoint.handle(api, read_query(http, endpoint.request))
        return web.Response(body=text.encode(), headers={"Content-Type": TEXT})

    forms = {
        "json": json_handler,
        "lines_out": lines_out_handler,
        "lines_in": lines_in_handler,
        "text": text_handler,
        "csv_out": csv_out_handler,
    }
    return enveloped(forms[endpoint.form])
