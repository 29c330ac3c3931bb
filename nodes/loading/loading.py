"""Loads a checkpoint for a branch, from memory if it is kept there, and says what is wrong if it fails.

Both loaders of the pack (the sampler's inner one and `RecommendedCheckpointLoader`) go through here, so that
a checkpoint is kept, dropped out and remembered as broken in the same way whoever asks. The bounds are
`kept_loaders`', ComfyUI is `comfy_adapter`'s, the memory of broken files is `checkpoint_files`'.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ... import runtime
from ...checkpoints.inventory import unreadable
from ...learning.message import message
from ..comfy import adapter as comfy_adapter
from ..comfy.adapter import Checkpoint
from ..comfy.files import files
from .model_cache import Bounds, FileState, ModelCache, Released
from .text_cache import TextCache

log = logging.getLogger(__name__)

_SPARE_BYTES = 2 * 10**9

_MOST_TEXTS = 16  # two a branch; at most a few megabytes each (Flux), a few hundred kilobytes for SDXL

_try_again: set[str] = set()
"""Checkpoints that could not be read for a reason that may pass without a change to the file."""


class CannotLoad(Exception):
    """A checkpoint that must drop out of the round; the message is the reason, without the file's name."""


def load(name: str) -> Checkpoint:
    """Return a checkpoint's parts, to be handed on; call `branch_ended` when its branch is through.

    Raises
    ------
    CannotLoad
        If the file is broken, gone or unreadable. A broken one is not recommended again until it changes.
    Exception
        Whatever says that the machine, not the file, has failed: out of memory, an interrupt.
    """
    path = comfy_adapter.checkpoint_path(name)
    if path is None:
        raise CannotLoad(message("no_such_file", "it is not in any of ComfyUI's checkpoint folders (any more)"))
    try:
        file = FileState.of(path)
        found = kept().get(file)
        if found is None:
            found = _load(name, path, file)
    except OSError as error:
        if comfy_adapter.is_out_of_memory(error):
            raise
        _try_again.add(name)
        raise CannotLoad(unreadable(error)) from error
    _try_again.discard(name)
    return found.shared()


def _load(name: str, path: Path, file: FileState) -> Checkpoint:
    kept().make_room(file.size_bytes)
    began = time.perf_counter()
    try:
        loaded = _load_with_all_memory(path)
        problem = _missing_part(loaded)
    except OSError:
        raise
    except Exception as error:
        if comfy_adapter.is_out_of_memory(error):
            raise
        log.debug("Loading %s failed", name, exc_info=True)
        problem = _first_line(error)
    if problem:
        files().mark_broken(name, problem)
        raise CannotLoad(problem)
    log.info("Loaded checkpoint %s in %.2f s", name, time.perf_counter() - began)
    kept().keep(file, loaded, loaded.memory_bytes)
    return loaded


def _load_with_all_memory(path: Path) -> Checkpoint:
    """Load, and if the memory does not suffice, once more without what is kept."""
    try:
        return comfy_adapter.load_checkpoint(path)
    except Exception as error:
        if not comfy_adapter.is_out_of_memory(error) or not kept().release().paths:
            raise
    log.warning("Out of memory while loading %s: the kept checkpoints are let go and it is tried again", path)
    comfy_adapter.collect_garbage()
    return comfy_adapter.load_checkpoint(path)


def _missing_part(loaded: Checkpoint) -> str:
    if loaded.model is None:
        return message("no_diffusion_model", "it holds no diffusion model")
    if loaded.clip is None:
        return message("no_text_encoder", "it holds no text encoder, so no prompt can be encoded with it")
    if not loaded.has_vae:
        return message("no_vae", "it holds no VAE, so no image can be decoded with it")
    return ""


def _first_line(error: Exception) -> str:
    """ComfyUI's hints at mending a broken file are pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0][:300]}" if lines else type(error).__name__


def branch_ended() -> None:
    """Hold to the bound of kept checkpoints again; a branch may need its own more than once until then."""
    kept().settle(comfy_adapter.prompt_id())


def warm_first(names: Sequence[str]) -> list[str]:
    """Order checkpoints for drawing: on the GPU now, then in memory, then the rest; else as they came."""
    return sorted(names, key=_coldness)


def _coldness(name: str) -> int:
    try:
        path = comfy_adapter.checkpoint_path(name)
        file = FileState.of(path) if path else None
    except OSError:
        return 2
    found = kept().peek(file) if file else None
    if found is None:
        return 2
    return 0 if found.on_device else 1


def file_fingerprint(name: str) -> str:
    """Change when the file does, so that ComfyUI's own cache never gives back the former one.

    After a failure that may pass it changes every time.
    """
    path = comfy_adapter.checkpoint_path(name)
    if name in _try_again:
        return f"try again {time.monotonic_ns()}"
    try:
        return repr(FileState.of(path)) if path else "missing"
    except OSError as error:
        return str(error)


def text_key(name: str, text: str) -> tuple[str, str]:
    """Tell one text of one checkpoint's file, as it is now, from every other."""
    return file_fingerprint(name), text


def release() -> dict[str, object]:
    """Let all kept checkpoints go, have ComfyUI free its own, and say what was let go."""
    gone = _let_go()
    comfy_adapter.ask_to_free_memory()
    return {"checkpoints": [Path(path).name for path in gone.paths], "bytes": gone.memory_bytes}


@lru_cache(maxsize=1)
def watch_free() -> None:
    """From now on, let the kept checkpoints go when ComfyUI is asked to free its memory."""
    comfy_adapter.on_free_memory(_let_go)


def _let_go() -> Released:
    texts().forget()
    return kept().release(comfy_adapter.running_prompt_id())


@lru_cache(maxsize=1)
def kept() -> ModelCache[Checkpoint]:
    """This process's kept checkpoints."""
    return ModelCache(_bounds, comfy_adapter.available_memory_bytes)


@lru_cache(maxsize=1)
def texts() -> TextCache[Any]:
    """This process's remembered texts: CONDITIONING by `text_key`."""
    return TextCache(_MOST_TEXTS)


def _bounds() -> Bounds:
    settings = runtime.shared().settings
    total_bytes = comfy_adapter.total_memory_bytes()
    return Bounds(
        settings.kept_loaders,
        int(settings.kept_loaders_memory_share * total_bytes),
        min(_SPARE_BYTES, total_bytes // 10),
    )
