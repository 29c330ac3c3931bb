"""Reads requests: a body or a query becomes a checked model, or is refused.

Separate from `handlers.py` so that no handler parses anything, and bounds every size before anything is parsed.
Only bodies that say they are JSON are read, so that no foreign web page can send one
without the browser asking this server first (a form or a plain `fetch` cannot set that header).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from aiohttp import web
from pydantic import ValidationError

from ..learning.exchange.spool import Spool
from ..learning.message import checked, joined, message
from .responses import LINES_TYPES, Refusal
from .schemas.base import RequestModel

LARGEST_BODY = 8 * 2**20
"""Bytes: 1,000 candidates and the longest prompt, each character of it escaped, fit."""

LARGEST_IMPORT = 256 * 2**20
"""Bytes: some hundred thousand generations. They are kept on disk while they are read."""

BODY_S, IMPORT_S = 60.0, 600.0
"""How long the largest body and import may take: 1.1 and 3.6 Mbit/s."""

logger = logging.getLogger(__name__)

RequestT = TypeVar("RequestT", bound=RequestModel)


async def read_body(http: web.Request, model: type[RequestT]) -> RequestT:
    """The body as `model`.

    Raises
    ------
    Refusal
        415 where it does not say `application/json`, 413 where it is too large, 408 where it is too slow, 400 where
        it is no JSON or breaks off, 422 where it is not as `model` describes.
    """
    if http.content_type != "application/json":
        raise Refusal(
            415,
            "unsupported_media_type",
            "Send the body as JSON, with the header Content-Type: application/json.",
        )
    raw = await _bounded(http)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise Refusal(400, "invalid_json", f"The body is not JSON: {first['msg']}.") from None
        raise _invalid(error, model) from None


async def _bounded(http: web.Request) -> bytes:
    too_large = Refusal(
        413,
        "body_too_large",
        message(
            "body_too_large",
            "The body is larger than {bytes} bytes; send less at once.",
            bytes=f"{LARGEST_BODY:,}",
        ),
    )
    if (http.content_length or 0) > LARGEST_BODY:
        raise too_large
    raw = bytearray()
    await _read(http, raw.extend, LARGEST_BODY, too_large, within_s=BODY_S)
    return bytes(raw)


async def _read(
    http: web.Request, take: Callable[[bytes], object], most: int, too_large: Refusal, *, within_s: float
) -> None:
    """Hand the body over as it comes.

    Not by `request.read()`: its bound is the application's, which in ComfyUI is made for uploads (100 MB).

    Raises
    ------
    Refusal
        `too_large` where it has more than `most` bytes, 408 where it takes longer than `within_s` seconds, 400 where
        it breaks off or is not encoded as it says.
    """

    async def read() -> None:
        size = 0
        async for chunk in http.content.iter_chunked(2**16):
            size += len(chunk)
            if size > most:
                raise too_large
            take(chunk)

    try:
        await asyncio.wait_for(read(), within_s)
    except asyncio.TimeoutError:
        text = message(
            "body_too_slow",
            "The body did not arrive within {seconds} seconds. Send it again, or less at once.",
            seconds=f"{within_s:g}",
        )
        raise Refusal(408, "body_too_slow", text) from None
    except OSError:  # what aiohttp raises where the connection has ended
        logger.info("%s %s: the client left before the body ended", http.method, http.path)
        raise Refusal(400, "body_cut_off", "The connection ended before the body did.") from None
    except web.RequestPayloadError as error:
        raise Refusal(400, "body_unreadable", f"The body cannot be read: {error}.") from None


def check_lines(http: web.Request) -> None:
    """See that the body says it is JSON Lines, which no form and no plain `fetch` of another page can say.

    Raises
    ------
    Refusal
        415 where it does not, 413 where it says that it is too large.
    """
    if http.content_type not in LINES_TYPES:
        raise Refusal(
            415,
            "unsupported_media_type",
            f"Send the body as JSON Lines, with the header Content-Type: {LINES_TYPES[0]}.",
        )
    if (http.content_length or 0) > LARGEST_IMPORT:
        raise _import_too_large()


async def spool(http: web.Request, into: Spool) -> None:
    """Write the body to a file, so that its length costs no memory.

    Raises
    ------
    Refusal
        413 where it is too large, 408 where it is too slow, 400 where it breaks off.
    StoreUnavailable
        Where there is no room for it.
    """
    await _read(http, into.write, LARGEST_IMPORT, _import_too_large(), within_s=IMPORT_S)


def _import_too_large() -> Refusal:
    return Refusal(
        413,
        "body_too_large",
        message(
            "import_too_large",
            "The file is larger than {bytes} bytes; import it with `context-checkpoint import`.",
            bytes=f"{LARGEST_IMPORT:,}",
        ),
    )


def read_query(http: web.Request, model: type[RequestT]) -> RequestT:
    """The query string as `model`; a key may be repeated where the field takes several.

    Raises
    ------
    Refusal
        422 where it is not as `model` describes.
    """
    repeatable = _repeatable_fields(model)
    fields: dict[str, Any] = {}
    for key in dict.fromkeys(http.query):
        values = http.query.getall(key)
        if key in repeatable:
            fields[key] = values
        elif len(values) > 1:
            raise Refusal(422, "invalid_request", f"{key} is given {len(values)} times; give it once.")
        else:
            fields[key] = values[0]
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error, model) from None


@cache
def _repeatable_fields(model: type[RequestModel]) -> set[str]:
    properties = model.model_json_schema().get("properties", {})
    return {
        name
        for name, schema in properties.items()
        if any(choice.get("type") == "array" for choice in [schema, *schema.get("anyOf", ())])
    }


def _invalid(error: ValidationError, model: type[RequestModel]) -> Refusal:
    details: list[dict[str, str]] = []
    for problem in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"])
        text: str = checked(problem)
        if problem["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) or "none"
            text = f"unknown field (known here: {known})" if len(problem["loc"]) == 1 else "unknown field"
        details.append({"field": field, "problem": text})
    first = details[0]
    text = joined([first["field"], first["problem"]], by=": ")
    if len(details) > 1:
        text = joined([text, message("and_more", "(and {count} more, see details)", count=len(details) - 1)])
    return Refusal(422, "invalid_request", text, details)
