"""Whom a request or a prompt is of, where ComfyUI runs with `--multi-user`.

ComfyUI knows people by the header `comfy-user`, which its frontend sends with every request, and believes
whoever names a user that exists; there are no passwords. A prompt that is queued forgets the header. So a
middleware looks at the header of each request as ComfyUI does, and writes whom `POST /prompt` came from into
the prompt's `extra_data`, over whatever a client put there. A node finds it in the queue. Separate from
`comfy_adapter` because all of this is about people, and does nothing without that flag.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from aiohttp import web
from comfy.cli_args import args
from server import PromptServer

from ... import runtime
from ...runtime.users import UnknownUser
from . import adapter as comfy_adapter

SHARED_VARIABLE = "CONTEXT_CHECKPOINT_SHARED"
"""Set to 1, all people of a `--multi-user` ComfyUI teach one memory."""

_KEY = "context_checkpoint_user"

log = logging.getLogger(__name__)

_asks: ContextVar[str | None] = ContextVar("context_checkpoint_user", default=None)
"""Of the request that is being served: a user's id, "" for nobody whom ComfyUI knows."""
_named: ContextVar[str] = ContextVar("context_checkpoint_named", default="")
"""What that request called itself."""
_apart = False


def keep_people_apart() -> None:
    """Begin to, where ComfyUI knows people and no shared database was chosen; called before it serves."""
    global _apart
    if not args.multi_user:
        return
    if os.environ.get(SHARED_VARIABLE, "0") not in ("", "0") or os.environ.get(runtime.DATABASE_VARIABLE):
        log.info("Context Checkpoint: all users of this ComfyUI teach one memory")
        return
    _apart = True
    runtime.keep_apart(_whose)  # before the rest: what cannot be told apart is refused, not mixed
    PromptServer.instance.app.middlewares.append(_notice_who_asks)
    PromptServer.instance.add_on_prompt_handler(_note_who_queued)


def person() -> str:
    """Whom the running request or prompt is of; "" where people are not told apart, or of nobody known."""
    if not _apart:
        return ""
    asks = _asks.get()
    if asks is not None:
        return asks
    return _queued_by(comfy_adapter.prompt_id() or comfy_adapter.running_prompt_id())


def _whose() -> str:
    found = person()
    if not found:
        raise UnknownUser(_named.get())
    return found


@web.middleware
async def _notice_who_asks(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    # A connection is one task that serves many requests: each sets it anew.
    _named.set(request.headers.get("comfy-user", ""))
    try:
        _asks.set(str(PromptServer.instance.user_manager.get_request_user_id(request)))
    except KeyError:
        _asks.set("")
    return await handler(request)


def _note_who_queued(queued: dict[str, Any]) -> dict[str, Any]:
    """Called for `POST /prompt` in that request's own task."""
    extra = queued.get("extra_data")
    queued["extra_data"] = {**(extra if isinstance(extra, dict) else {}), _KEY: _asks.get() or ""}
    return queued


def _queued_by(prompt_id: str) -> str:
    running = getattr(PromptServer.instance.prompt_queue, "currently_running", {})
    for item in list(running.values()):
        if str(item[1]) == prompt_id:
            return str(item[3].get(_KEY, ""))
    return ""
