"""How much memory there is, when it has run out, and how ComfyUI is asked to free it.

Separate from `checkpoint`, because memory belongs to the machine and not to a checkpoint.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable

import comfy.model_management
import torch
from aiohttp import web
from server import PromptServer

_MACHINE_FAILURES = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cuda error",
    "hip error",
)


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether the machine failed (memory, GPU) and not the file."""
    types = [MemoryError, getattr(torch, "OutOfMemoryError", None), getattr(torch, "AcceleratorError", None)]
    if isinstance(error, tuple(kind for kind in types if kind is not None)):
        return True
    return any(words in str(error).lower() for words in _MACHINE_FAILURES)


def total_memory_bytes() -> int:
    return int(comfy.model_management.get_total_memory(torch.device("cpu")))


def available_memory_bytes() -> int:
    return int(comfy.model_management.get_free_memory(torch.device("cpu")))


def collect_garbage() -> None:
    """Return the memory of released weights to the machine now, for when there is none left."""
    gc.collect()
    comfy.model_management.soft_empty_cache()


def request_free_memory() -> None:
    """Have ComfyUI unload its models and empty its cache as soon as nothing runs, as its own button does."""
    queue = PromptServer.instance.prompt_queue
    queue.set_flag("unload_models", True)
    queue.set_flag("free_memory", True)


def on_free_memory(listener: Callable[[], None]) -> None:
    """Call `listener` whenever ComfyUI is asked to free its memory (`POST /free`).

    ComfyUI notifies no node of that; aiohttp's signal before a response is the public way to see the request.
    """

    async def on_response(request: web.Request, _response: web.StreamResponse) -> None:
        if request.method != "POST" or request.path not in ("/free", "/api/free"):
            return
        try:
            body = await request.json()
        except ValueError:
            return
        if isinstance(body, dict) and body.get("free_memory"):
            listener()

    signal: list[Callable[[web.Request, web.StreamResponse], Awaitable[None]]]
    signal = PromptServer.instance.app.on_response_prepare
    signal.append(on_response)
