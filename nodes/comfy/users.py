"""Which user a request or a prompt belongs to, where ComfyUI runs with `--multi-user`.

ComfyUI identifies users by the header `comfy-user`, which its frontend sends with every request, and believes anybody
who names a user that exists; there are no passwords. A queued prompt loses the header. So a middleware reads the header
of each request as ComfyUI does, and writes the user of `POST /prompt` into the prompt's `extra_data`, over whatever a
client put there. A node finds it in the queue. Separate from `execution` because without that flag it does nothing.
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
from . import execution

SHARED_VARIABLE = "CONTEXT_CHECKPOINT_SHARED"
"""If set to 1, all users of a `--multi-user` ComfyUI share what is learned."""

_EXTRA_DATA_KEY = "context_checkpoint_user"

log = logging.getLogger(__name__)

_request_user: ContextVar[str | None] = ContextVar("context_checkpoint_user", default=None)
"""The user id of the request that is being served; "" for a user that ComfyUI does not know."""
_request_header: ContextVar[str] = ContextVar("context_checkpoint_named", default="")
"""The header `comfy-user` of that request, as it was sent."""
_separate = False


def separate_users() -> None:
    """Keep what users teach separate, if ComfyUI knows users and no shared database was chosen.

    Called before ComfyUI serves.
    """
    global _separate
    if not args.multi_user:
        return
    if os.environ.get(SHARED_VARIABLE, "0") not in ("", "0") or os.environ.get(runtime.DATABASE_VARIABLE):
        log.info("Context Checkpoint: all users of this ComfyUI share what is learned")
        return
    _separate = True
    runtime.keep_apart(_known_user)  # before the rest: what cannot be told apart is refused, not mixed
    PromptServer.instance.app.middlewares.append(_read_user)
    PromptServer.instance.add_on_prompt_handler(_write_user)


def are_separate() -> bool:
    """Whether users are told apart, so that one's browser shows nothing of another's."""
    return _separate


def current_user() -> str:
    """The user of the running request or prompt; "" if users are not separated, or for an unknown user."""
    if not _separate:
        return ""
    user = _request_user.get()
    if user is not None:
        return user
    return _user_of_prompt(execution.prompt_id() or execution.running_prompt_id())


def _known_user() -> str:
    user = current_user()
    if not user:
        raise UnknownUser(_request_header.get())
    return user


@web.middleware
async def _read_user(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    # A connection is one task that serves many requests, so each request sets both.
    _request_header.set(request.headers.get("comfy-user", ""))
    try:
        _request_user.set(str(PromptServer.instance.user_manager.get_request_user_id(request)))
    except KeyError:
        _request_user.set("")
    return await handler(request)


def _write_user(queued: dict[str, Any]) -> dict[str, Any]:
    """Write the user into a prompt; called for `POST /prompt` in that request's own task."""
    extra = queued.get("extra_data")
    queued["extra_data"] = {
        **(extra if isinstance(extra, dict) else {}),
        _EXTRA_DATA_KEY: _request_user.get() or "",
    }
    return queued


def _user_of_prompt(prompt_id: str) -> str:
    running = getattr(PromptServer.instance.prompt_queue, "currently_running", {})
    for item in list(running.values()):
        if str(item[1]) == prompt_id:
            return str(item[3].get(_EXTRA_DATA_KEY, ""))
    return ""
