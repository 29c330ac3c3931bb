"""The prompt and the node that run now, and who queued them.

Separate from `graph`, which builds nodes: this module only reads what ComfyUI's executor and server hold.
`currently_running` and `client_id` are not public; where they are missing, the answer is an empty string.
"""

from __future__ import annotations

import comfy.model_management
from comfy_execution.utils import get_executing_context
from server import PromptServer


def prompt_id() -> str:
    """The id of the prompt whose node runs now; empty outside of a node."""
    context = get_executing_context()
    return context.prompt_id if context else ""


def running_prompt_id() -> str:
    """The id of the prompt that runs now, from any thread; empty if none runs."""
    running = getattr(PromptServer.instance.prompt_queue, "currently_running", {})
    return next((str(item[1]) for item in list(running.values())), "")


def session_id() -> str:
    """The client (a browser tab, a script) that queued the prompt that runs now."""
    return getattr(PromptServer.instance, "client_id", None) or ""


def node_id() -> str:
    """The id of the node that runs now, in the frontend's form (`"5:2"` in a subgraph); empty outside of a node."""
    context = get_executing_context()
    return str(context.node_id) if context else ""


def is_connected(client_id: str) -> bool:
    """Tell whether the browser with this client id is connected now."""
    return client_id in PromptServer.instance.sockets


def any_is_connected() -> bool:
    """Tell whether any browser is connected now."""
    return bool(PromptServer.instance.sockets)


def throw_if_interrupted() -> None:
    """Raise ComfyUI's own exception if the run has been interrupted."""
    comfy.model_management.throw_exception_if_processing_interrupted()
