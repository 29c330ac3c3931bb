"""Reads requests and shapes every refusal: one envelope, `{"error": {"code", "message", "details"}}`.

Separate from `handlers.py` so that no handler parses or catches anything: a handler gets a checked model and
raises what the inside raises. Here alone is decided which status and code that becomes, and that a client
never sees a trace. Only bodies that say they are JSON are read, so that no foreign web page can send one
without the browser asking this server first (a form or a plain `fetch` cannot set that header).
"""

from __future__ import annotations

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

RequestT = TypeVar("RequestT", bound=RequestModel)


async def read_body(request: web.Request, asked: type[RequestT]) -> RequestT:
    """The body as `asked`.

    Raises
    ------
    Refusal
        415 where it does not say `application/json`, 413 where it is too large, 400 where it is no JSON, 422
        where it is not what was asked.
    """
    if request.content_type != "application/json":
        raise Refusal(
            415,
            "unsupported_media_type",
            "Send the body as JSON, with the header Content-Type: application/json.",
        )
    raw = await _bounded(request)
    try:
        return asked.model_validate_json(raw, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise Refusal(400, "invalid_json", f"The body is not JSON: {first['msg']}.") from None
        raise _not_as_asked(error, asked) from None


async def _bounded(request: web.Request) -> bytes:
    too_large = Refusal(
        413,
        "body_too_large",
        message(
            "body_too_large",
            "The body is larger than {bytes} bytes; send less at once.",
            bytes=f"{LARGEST_BODY:,}",
        ),
    )
    if (request.content_length or 0) > LARGEST_BODY:
        raise too_large
    # Not request.read(): its bound is the application's, which in ComfyUI is made for uploads (100 MB).
    raw = bytearray()
    async for chunk in request.content.iter_chunked(2**16):
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise too_large
    return bytes(raw)


def checked_lines(request: web.Request) -> None:
    """See that the body says it is JSON Lines, which no form and no plain `fetch` of another page can say.

    Raises
    ------
    Refusal
        415 where it does not, 413 where it says that it is too large.
    """
    if request.content_type not in LINES_TYPES:
        raise Refusal(
            415,
            "unsupported_media_type",
            f"Send the body as JSON Lines, with the header Content-Type: {LINES_TYPES[0]}.",
        )
    if (request.content_length or 0) > LARGEST_IMPORT:
        raise _import_too_large()


async def spool(request: web.Request, into: Spool) -> None:
    """Write the body to a file, so that its length costs no memory.

    Raises
    ------
    Refusal
        413 where it is too large.
    StoreUnavailable
        Where there is no room for it.
    """
    size = 0
    async for chunk in request.content.iter_chunked(2**16):
        size += len(chunk)
        if size > LARGEST_IMPORT:
            raise _import_too_large()
        into.write(chunk)


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


def read_query(request: web.Request, asked: type[RequestT]) -> RequestT:
    """The query string as `asked`; a key may be repeated where the field takes several.

    Raises
    ------
    Refusal
        422 where it is not what was asked.
    """
    several = _fields_of_several(asked)
    given: dict[str, Any] = {}
    for key in dict.fromkeys(request.query):
        values = request.query.getall(key)
        if key in several:
            given[key] = values
        elif len(values) > 1:
            raise Refusal(422, "invalid_request", f"{key} is given {len(values)} times; give it once.")
        else:
            given[key] = values[0]
    try:
        return asked.model_validate(given)
    except ValidationError as error:
        raise _not_as_asked(error, asked) from None


@cache
def _fields_of_several(asked: type[RequestModel]) -> set[str]:
    properties = asked.model_json_schema().get("properties", {})
    return {
        name
        for name, schema in properties.items()
        if any(choice.get("type") == "array" for choice in [schema, *schema.get("anyOf", ())])
    }


def _not_as_asked(error: ValidationError, asked: type[RequestModel]) -> Refusal:
    details: list[dict[str, str]] = []
    for problem in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"])
        text: str = checked(problem)
        if problem["type"] == "extra_forbidden":
            known = ", ".join(asked.model_fields) or "none"
            text = f"unknown field (known here: {known})" if len(problem["loc"]) == 1 else "unknown field"
        details.append({"field": field, "problem": text})
    first = details[0]
    said = joined([first["field"], first["problem"]], by=": ")
    if len(details) > 1:
        said = joined([said, message("and_more", "(and {count} more, see details)", count=len(details) - 1)])
    return Refusal(422, "invalid_request", said, details)
