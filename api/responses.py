"""Shapes what a client gets: one JSON object, JSON Lines, or a refusal in its envelope.

The envelope is `{"error": {"code", "message", "parts", "details"}}`. Separate from `handlers.py` so that no handler
catches anything: it raises what the service raises. Here alone is decided which status and code that becomes, and
that a client never sees a trace.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from ..images.jobs import AlreadyImporting, UnknownJob
from ..images.sources import UnknownFolder
from ..learning.errors import LearningError, StoreUnavailable, UnknownGeneration
from ..learning.message import as_shown, error_text, message
from ..learning.requirements import missing_requirement
from ..runtime.pending_picks import UnknownPick
from ..runtime.users import UnknownUser
from .schemas.base import ErrorBody, ErrorResponse, parts_response

logger = logging.getLogger(__name__)

LINES_TYPES = ("application/jsonl", "application/x-ndjson")
CSV_TYPE = "text/csv; charset=utf-8"

STATUS_OF: Mapping[type[LearningError], int] = {
    UnknownGeneration: 404,
    UnknownPick: 404,
    StoreUnavailable: 503,
    UnknownUser: 403,
    UnknownJob: 404,
    UnknownFolder: 404,
    AlreadyImporting: 409,
}
"""The others are requests that make no sense here: 422."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refusal(Exception):
    """A request that is not served, for a reason found at the edge."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)


def json_response(model: BaseModel, status: int = 200) -> web.Response:
    # A browser that is led here must not take what a client once sent for a page.
    headers = {"X-Content-Type-Options": "nosniff"}
    text = model.model_dump_json()
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


def refuse(status: int, code: str, message: str, details: Sequence[dict[str, Any]] = ()) -> web.Response:
    message = as_shown(message)
    body = ErrorBody(code=code, message=message, parts=parts_response(message), details=list(details))
    return json_response(ErrorResponse(error=body), status)


def enveloped(handle: Handler) -> Handler:
    """Wrap a handler so that whatever it raises leaves in the envelope."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        except Exception as error:  # the edge: whatever is raised inside leaves as a refusal
            return _refusal_of(error, request)

    return handler


def _refusal_of(error: Exception, request: web.Request) -> web.Response:
    if isinstance(error, ImportError):
        error = missing_requirement(error) or error
    if isinstance(error, Refusal):
        return refuse(error.status, error.code, error.message, error.details)
    if isinstance(error, LearningError):
        status = next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), 422)
        return refuse(status, error.code, error.message)
    # Exactly ValueError: `learning` raises it with a message for people. Its subclasses (a failed decoding,
    # a response that does not fit its schema) are bugs.
    if type(error) is ValueError:
        return refuse(422, "invalid_value", error_text(error))
    if isinstance(error, web.HTTPException):
        code = (error.reason or "error").lower().replace(" ", "_")
        refused = refuse(error.status, code, f"{request.method} {request.path}: {error.reason}.")
        if "Allow" in error.headers:  # a 405 has to name the methods there are: RFC 9110, section 15.5.6
            refused.headers["Allow"] = error.headers["Allow"]
        return refused
    logger.exception("%s %s failed", request.method, request.path, exc_info=error)
    return refuse(
        500,
        "internal_error",
        message(
            "internal_error",
            "The server failed unexpectedly; its log has the trace. Please report it as a bug.",
        ),
    )


async def stream(
    request: web.Request,
    parts: AsyncIterator[str],
    content_type: str = LINES_TYPES[0],
    filename: str = "context-checkpoint.jsonl",
) -> web.StreamResponse:
    """Answer with a file, JSON Lines or another, as its parts come.

    An error before the first line is refused like any other. Later the connection is cut, so that no client
    takes a part for the whole.
    """
    first = await anext(parts, "")
    response = web.StreamResponse(
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="{filename}"',
        }
    )
    await response.prepare(request)
    try:
        await response.write(first.encode())
        async for part in parts:
            await response.write(part.encode())
        await response.write_eof()
    except ConnectionError:
        logger.info("%s %s: the client went away", request.method, request.path)
    except Exception:
        logger.exception("%s %s broke off", request.method, request.path)
        if request.transport is not None:
            request.transport.abort()
    return response
