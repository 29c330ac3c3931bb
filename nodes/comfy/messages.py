"""Sends messages to the browser: on a node, with an error, or as an event.

A message of ours is made of translatable parts, and ComfyUI's own events have room for a text only. So the parts go
ahead in an event of their own (`MESSAGE_EVENT`), and the browser puts the translation into ComfyUI's event.
"""

from __future__ import annotations

from typing import TypeVar

from comfy_execution.utils import get_executing_context
from server import PromptServer

from ...learning.message import error_text, parts_of

MESSAGE_EVENT = "context_checkpoint.told"
"""The event that carries a message's text and its parts to the browser."""

ErrorT = TypeVar("ErrorT", bound=Exception)


def send_event(event: str) -> None:
    """Send an event without content to every browser."""
    PromptServer.instance.send_sync(event, {})


def show_on_node(text: str) -> None:
    """Show a text on the node that runs now; inside an expansion, on the node that was expanded.

    The id of a sub-node is the id of the expanded node, a dot, and its own.
    """
    context, server = get_executing_context(), PromptServer.instance
    if context is not None and server.client_id:  # without a client id it would go to every browser
        _send_parts(text)
        server.send_progress_text(text, context.node_id.split(".")[0], server.client_id)


def with_parts_sent(error: ErrorT) -> ErrorT:
    """Send an error's parts to the browser before it is raised: `raise with_parts_sent(MyError(...))`."""
    if PromptServer.instance.client_id:
        _send_parts(error_text(error))
    return error


def _send_parts(text: str) -> None:
    server = PromptServer.instance
    server.send_sync(MESSAGE_EVENT, {"text": text, "parts": list(parts_of(text))}, server.client_id)
