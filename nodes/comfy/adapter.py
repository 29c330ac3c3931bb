"""ComfyUI's inside, as far as branches need it: loading, memory, the running prompt, expansion, previews.

The one module that touches `comfy.*`, the server and the execution context (`comfy_files` does the same for
file lists and model detection), so that a change in ComfyUI is mended in one place. Whatever is not public
there is guarded: where it is missing, something becomes slower or less exact, and nothing fails. It decides
nothing.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import comfy.model_management
import comfy.samplers
import comfy.sd
import folder_paths
import torch
from aiohttp import web
from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ...learning.message import error_text, parts_of
from ...learning.values import ImageFile

log = logging.getLogger(__name__)

MESSAGE_EVENT = "context_checkpoint.told"
"""Brings a message's parts to the browser; ComfyUI's own event after it has room for the words alone."""

ErrorT = TypeVar("ErrorT", bound=Exception)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """MODEL, CLIP and VAE as the stock loader gives them; CLIP is None where the file has none."""

    model: Any
    clip: Any
    vae: Any

    def shared(self) -> Checkpoint:
        """Return one to hand out: changes made to it in place do not reach the one that is kept.

        Clones share the weights, and patches (LoRA) belong to the clone.
        """
        return Checkpoint(
            self.model if self.model is None else self.model.clone(),
            self.clip if self.clip is None else self.clip.clone(),
            self.vae,
        )

    @property
    def has_vae(self) -> bool:
        """ComfyUI stands in a VAE without a model where the file has none."""
        return getattr(self.vae, "first_stage_model", None) is not None

    @property
    def memory_bytes(self) -> int:
        """About what its weights take, wherever they lie."""
        return sum(patcher.model_size() for patcher in self._patchers())

    @property
    def on_device(self) -> bool:
        """Whether its MODEL is where sampling happens, so that nothing needs to be moved."""
        model = getattr(self.model, "model", None)
        return any(getattr(loaded, "model", None) is model for loaded in comfy.model_management.loaded_models())

    def _patchers(self) -> Iterator[Any]:
        for part in (self.model, getattr(self.clip, "patcher", None), getattr(self.vae, "patcher", None)):
            if hasattr(part, "model_size"):
                yield part


def checkpoint_path(name: str) -> Path | None:
    """Find a checkpoint's file; None if there is none of this name."""
    found = folder_paths.get_full_path("checkpoints", name)
    return Path(found) if found else None


def load_checkpoint(path: Path) -> Checkpoint:
    """Load as the stock loader does, whatever it raises."""
    model, clip, vae = comfy.sd.load_checkpoint_guess_config(
        str(path),
        output_vae=True,
        output_clip=True,
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
    )[:3]
    return Checkpoint(model, clip, vae)


_MACHINE_SAYS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cuda error",
    "hip error",
)


def is_out_of_memory(error: Exception) -> bool:
    """Say whether it is the machine that failed (memory, the GPU), and not the file."""
    known = [MemoryError, getattr(torch, "OutOfMemoryError", None), getattr(torch, "AcceleratorError", None)]
    if isinstance(error, tuple(kind for kind in known if kind is not None)):
        return True
    return any(words in str(error).lower() for words in _MACHINE_SAYS)


def total_memory_bytes() -> int:
    return int(comfy.model_management.get_total_memory(torch.device("cpu")))


def available_memory_bytes() -> int:
    return int(comfy.model_management.get_free_memory(torch.device("cpu")))


def collect_garbage() -> None:
    """Give freed weights back to the machine now, which matters only when it has no memory left."""
    gc.collect()
    comfy.model_management.soft_empty_cache()


def ask_to_free_memory() -> None:
    """Have ComfyUI unload its models and empty its cache once nothing runs, as its own button does."""
    queue = PromptServer.instance.prompt_queue
    queue.set_flag("unload_models", True)
    queue.set_flag("free_memory", True)


def on_free_memory(notice: Callable[[], None]) -> None:
    """Have `notice` called when somebody asks ComfyUI to free its memory (`POST /free`).

    ComfyUI tells no node of it; the answer's signal is aiohttp's public way to see the request.
    """

    async def look(request: web.Request, _response: web.StreamResponse) -> None:
        if request.method != "POST" or request.path not in ("/free", "/api/free"):
            return
        try:
            asked = await request.json()
        except ValueError:
            return
        if isinstance(asked, dict) and asked.get("free_memory"):
            notice()

    signal: list[Callable[[web.Request, web.StreamResponse], Awaitable[None]]]
    signal = PromptServer.instance.app.on_response_prepare
    signal.append(look)


def prompt_id() -> str:
    """The prompt whose node runs now; empty outside of a node."""
    context = get_executing_context()
    return context.prompt_id if context else ""


def running_prompt_id() -> str:
    """The prompt that runs now, asked from any thread; empty if none does."""
    running = getattr(PromptServer.instance.prompt_queue, "currently_running", {})
    return next((str(item[1]) for item in list(running.values())), "")


def session_id() -> str:
    """The client (a browser tab, a script) that queued the prompt that runs now."""
    return getattr(PromptServer.instance, "client_id", None) or ""


def node_id() -> str:
    """The node that runs now, as the frontend calls it (`"5:2"` inside a subgraph); empty outside of one."""
    context = get_executing_context()
    return str(context.node_id) if context else ""


def is_connected(client_id: str) -> bool:
    """Say whether a browser of this id is connected now."""
    return client_id in PromptServer.instance.sockets


def tell_browsers(event: str) -> None:
    """Send an event without content to every browser."""
    PromptServer.instance.send_sync(event, {})


def throw_if_interrupted() -> None:
    """Raise ComfyUI's own exception if the person has stopped the run."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def tell_on_node(text: str) -> None:
    """Show a text on the node that runs now; inside an expansion, on the node a person sees.

    ComfyUI's sub-nodes have the id of the node they came from, a dot, and their own.
    """
    context, server = get_executing_context(), PromptServer.instance
    if context is not None and server.client_id:  # without one it would go to every browser
        _tell_parts(text)
        server.send_progress_text(text, context.node_id.split(".")[0], server.client_id)


def telling(error: ErrorT) -> ErrorT:
    """To raise: an error that ends the run, whose parts the browser gets before ComfyUI shows its words."""
    if PromptServer.instance.client_id:
        _tell_parts(error_text(error))
    return error


def _tell_parts(text: str) -> None:
    server = PromptServer.instance
    server.send_sync(MESSAGE_EVENT, {"text": text, "parts": list(parts_of(text))}, server.client_id)


def graph_for_this_node() -> GraphBuilder:
    """Begin an expansion of the node that runs now.

    The prefix is explicit (GraphBuilder's own default is shared by the whole process) and has the position in
    the list that ComfyUI maps the node over, so that two plans at one node do not share sub-nodes.
    """
    context = get_executing_context()
    return GraphBuilder(GraphBuilder.alloc_prefix(context.node_id, context.list_index or 0, 0))


def nothing_to_pass_on() -> list[ExecutionBlocker]:
    """A list output with nothing in it; ComfyUI crashes on an empty one."""
    return [ExecutionBlocker(None)]


def sampler_names() -> list[str]:
    return list(comfy.samplers.KSampler.SAMPLERS)


def scheduler_names() -> list[str]:
    return list(comfy.samplers.KSampler.SCHEDULERS)


def save_previews(
    images: Sequence[torch.Tensor], checkpoints: Sequence[str], prefix: str, node: type[io.ComfyNode]
) -> list[ImageFile]:
    """Save images, each `[1, H, W, C]` in 0..1, in ComfyUI's temporary folder, with the workflow in them.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    files = []
    for image, checkpoint in zip(images, checkpoints, strict=True):
        [saved] = ui.ImageSaveHelper.save_images(
            image, filename_prefix=prefix, folder_type=io.FolderType.temp, cls=node, compress_level=1
        )
        files.append(ImageFile(checkpoint, saved["filename"], saved["subfolder"], saved["type"]))
    return files
