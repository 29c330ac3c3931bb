"""Loads a checkpoint for a branch, from the cache if it is there, and says what is wrong if that fails.

Both loaders of the pack (the sampler's inner one and `RecommendedCheckpointLoader`) use this module, so that a
checkpoint is cached, dropped from a generation and marked as broken in the same way by both. The cache's bounds belong
to `model_cache`, ComfyUI's loader to `nodes.comfy.checkpoint`, the record of broken files to `checkpoints.inventory`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ... import runtime
from ...checkpoints.inventory import unreadable
from ...checkpoints.lora_files import LORAS
from ...checkpoints.lora_stacks import Stack, lora_broken, lora_missing
from ...checkpoints.pool import ALL_PARTS, CHECKPOINTS, FOLDERS, Part
from ...learning.message import error_text, message
from ...learning.names import shown_name
from ...learning.values import Cost
from ...recipes import Lora
from ..comfy import execution, memory
from ..comfy.checkpoint import (
    Checkpoint,
    FitsNoLayerError,
    load_checkpoint,
    load_diffusion_model,
    load_lora,
    with_lora,
)
from ..comfy.files import files, lora_files, model_path
from .model_cache import Bounds, FileState, ModelCache, Released
from .pace import Pace
from .text_cache import TextCache

log = logging.getLogger(__name__)

_SPARE_BYTES = 2 * 10**9

_TEXT_CAPACITY = 16  # two per branch; at most a few megabytes each (Flux), a few hundred kilobytes for SDXL

_COLD = 2  # 0 is on the GPU, 1 in memory

_retry: set[str] = set()
"""Checkpoints that could not be read for a reason that may pass without a change to the file."""


_failed_loras: set[str] = set()
"""LoRAs that could not be applied when they were last asked for."""


class CannotLoad(Exception):
    """A checkpoint that must drop out of the generation; the message is the reason, without the file's name."""


def load(name: str, needs: Collection[Part] = ALL_PARTS) -> Checkpoint:
    """Return a checkpoint's MODEL, CLIP and VAE; call `end_branch` when its branch has ended.

    Parameters
    ----------
    needs
        The parts besides MODEL that it must hold. A diffusion model holds none.

    Raises
    ------
    CannotLoad
        If the file is broken, gone or unreadable, or lacks what is needed. A broken one is not recommended again until
        it changes.
    Exception
        Whatever says that the machine, not the file, has failed: out of memory, an interrupt.
    """
    place = _find(name)
    if place is None:
        raise CannotLoad(message("no_such_file", "it is not in any of ComfyUI's checkpoint folders (any more)"))
    try:
        file = FileState.of(place.path)
        checkpoint = model_cache().get(file)
        if checkpoint is None:
            checkpoint = _load_into_cache(name, place, file)
    except OSError as error:
        if memory.is_out_of_memory(error):
            raise
        _retry.add(name)
        raise CannotLoad(unreadable(error)) from error
    _retry.discard(name)
    if problem := _missing_part(checkpoint, needs):
        raise CannotLoad(problem)
    return checkpoint.clone()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file lies, and in which of ComfyUI's model folders."""

    folder: str
    path: Path


def _find(name: str) -> _Place | None:
    """Find a checkpoint's file, or a diffusion model's; None if there is none of this name."""
    for folder in FOLDERS:
        if (path := model_path(folder, name)) is not None:
            return _Place(folder, path)
    return None


def _load_into_cache(name: str, place: _Place, file: FileState) -> Checkpoint:
    model_cache().make_room(file.size_bytes)
    started_s = time.perf_counter()
    try:
        checkpoint = _load_with_all_memory(place)
        problem = "" if checkpoint.model is not None else message("no_diffusion_model", "it holds no diffusion model")
    except OSError:
        raise
    except Exception as error:
        if memory.is_out_of_memory(error):
            raise
        log.debug("Loading %s failed", name, exc_info=True)
        problem = _first_line(error)
    if problem:
        files().mark_broken(name, problem)
        raise CannotLoad(problem)
    log.info("Loaded checkpoint %s in %.2f s", shown_name(name), time.perf_counter() - started_s)
    model_cache().put(file, checkpoint, checkpoint.memory_bytes)
    if lacks := _lacking(checkpoint):
        files().note_lacking(name, lacks)
    return checkpoint


def _load_with_all_memory(place: _Place) -> Checkpoint:
    """Load; if memory runs out, release the cached checkpoints and load once more."""
    path = place.path
    load_file = load_checkpoint if place.folder == CHECKPOINTS else load_diffusion_model
    try:
        return load_file(path)
    except Exception as error:
        if not memory.is_out_of_memory(error) or not model_cache().release().paths:
            raise
    log.warning("Out of memory while loading %s: the cached checkpoints are released, and it is loaded again", path)
    memory.collect_garbage()
    return load_file(path)


def _lacking(checkpoint: Checkpoint) -> tuple[Part, ...]:
    has: dict[Part, bool] = {"clip": checkpoint.clip is not None, "vae": checkpoint.has_vae}
    return tuple(part for part in ALL_PARTS if not has[part])


def _missing_part(checkpoint: Checkpoint, needs: Collection[Part]) -> str:
    """Say which needed part is not there; empty if all are."""
    lacks = [part for part in _lacking(checkpoint) if part in needs]
    if "clip" in lacks:
        return message("no_text_encoder", "it holds no text encoder, so no prompt can be encoded with it")
    if lacks:
        return message("no_vae", "it holds no VAE, so no image can be decoded with it")
    return ""


def _first_line(error: Exception) -> str:
    """Shorten an error: ComfyUI's hints at how to repair a broken file are pages long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[0][:300]}" if lines else type(error).__name__


def end_branch() -> None:
    """Apply the cache's bounds again. Until then a branch may need its checkpoint more than once."""
    model_cache().apply_bounds(execution.prompt_id())


def warm_first(names: Iterable[str]) -> list[str]:
    """Order checkpoints for sampling: on the GPU first, then in memory, then the rest in their own order."""
    return sorted(names, key=_coldness)


def costs(names: Iterable[str]) -> dict[str, Cost]:
    """What an image of each checkpoint takes, for those of which something is known."""
    found = {name: Cost(_coldness(name) < _COLD, pace().seconds(name)) for name in names}
    return {name: cost for name, cost in found.items() if cost != Cost()}


def _coldness(name: str) -> int:
    try:
        place = _find(name)
        file = FileState.of(place.path) if place else None
    except OSError:
        return _COLD
    checkpoint = model_cache().peek(file) if file else None
    if checkpoint is None:
        return _COLD
    return 0 if checkpoint.on_device else 1


def file_fingerprint(name: str) -> str:
    """Return a value that changes with the file, so that ComfyUI's own cache never serves the former one.

    After a failure that may pass it changes every time.
    """
    place = _find(name)
    if name in _retry:
        return f"try again {time.monotonic_ns()}"
    try:
        return repr(FileState.of(place.path)) if place else "missing"
    except OSError as error:
        return str(error)


def text_key(name: str, text: str, clip_skip: int = 1, loras: Sequence[Lora] = ()) -> tuple[Any, ...]:
    """Return the key of a text encoded by a checkpoint's file as it is now, up to a layer of its text encoder.

    Parameters
    ----------
    loras
        Those that are applied to the text encoder.
    """
    return file_fingerprint(name), text, clip_skip, *((lora, _lora_state(lora[0])) for lora in loras)


def _lora_state(name: str) -> object:
    path = model_path(LORAS, name)
    try:
        return path and FileState.of(path)
    except OSError as error:
        return str(error)


def loras_fingerprint(loras: Iterable[Lora] = ()) -> str:
    """Return a value that changes with the files of these LoRAs, and of those that could not be applied last."""
    names = sorted({name for name, _, _ in loras} | _failed_loras)
    return repr([(name, _lora_state(name)) for name in names])


def apply_loras(name: str, checkpoint: Checkpoint, loras: Sequence[Lora]) -> tuple[Checkpoint, Stack]:
    """Return a checkpoint with LoRAs, in their order, as a chain of stock loaders gives it; and those that it has.

    One that cannot be applied is left out, and the problems name it. A broken one is not recommended again until its
    file changes.

    Parameters
    ----------
    name
        The checkpoint's.

    Raises
    ------
    Exception
        Whatever says that the machine, not the file, has failed: out of memory, an interrupt.
    """
    applied: list[Lora] = []
    problems: list[str] = []
    for lora in loras:
        if lora[1:] == (0, 0):  # the stock loader does not read it either
            continue
        try:
            checkpoint = _with_lora(checkpoint, lora)
        except (_CannotApply, FitsNoLayerError, OSError) as error:
            if memory.is_out_of_memory(error):
                raise
            _failed_loras.add(lora[0])
            problems.append(_lora_problem(lora[0], name, error))
            log.warning("LoRA %s is left out for %s: %s", shown_name(lora[0]), shown_name(name), problems[-1])
        else:
            _failed_loras.discard(lora[0])
            applied.append(lora)
    return checkpoint, Stack(tuple(applied), tuple(problems))


class _CannotApply(Exception):
    """A LoRA's file is broken; the message is the reason, without its name."""


def _with_lora(checkpoint: Checkpoint, lora: Lora) -> Checkpoint:
    name, on_model, on_clip = lora
    path = model_path(LORAS, name)
    if path is None:
        raise FileNotFoundError(name)
    try:
        return with_lora(checkpoint, load_lora(path), on_model, on_clip)
    except Exception as error:
        if memory.is_out_of_memory(error) or isinstance(error, (OSError, FitsNoLayerError)):
            raise
        log.debug("Applying %s failed", name, exc_info=True)
        reason = _first_line(error)
        lora_files().mark_broken(name, reason)
        raise _CannotApply(reason) from error


def _lora_problem(lora: str, checkpoint: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return lora_missing(lora)
    if isinstance(error, FitsNoLayerError):
        return message(
            "lora_fits_nothing",
            "The LoRA {name} fits no layer of {checkpoint}, so it is left out for it: it was made for another model.",
            name=lora,
            checkpoint=checkpoint,
        )
    return lora_broken(lora, unreadable(error) if isinstance(error, OSError) else error_text(error))


def release() -> dict[str, object]:
    """Release all cached checkpoints, have ComfyUI free its own, and return what was released."""
    released = _release_all()
    memory.request_free_memory()
    return {"checkpoints": [Path(path).name for path in released.paths], "bytes": released.memory_bytes}


@lru_cache(maxsize=1)
def release_when_comfyui_frees_memory() -> None:
    """From now on, release the cached checkpoints when ComfyUI is asked to free its memory."""
    memory.on_free_memory(_release_all)


def _release_all() -> Released:
    text_cache().clear()
    return model_cache().release(execution.running_prompt_id())


@lru_cache(maxsize=1)
def model_cache() -> ModelCache[Checkpoint]:
    """This process's loaded checkpoints."""
    return ModelCache(_bounds, memory.available_memory_bytes)


@lru_cache(maxsize=1)
def pace() -> Pace:
    """This process's times of drawing."""
    return Pace()


@lru_cache(maxsize=1)
def text_cache() -> TextCache[Any]:
    """This process's encoded texts: CONDITIONING by `text_key`."""
    return TextCache(_TEXT_CAPACITY)


def _bounds() -> Bounds:
    settings = runtime.shared().settings
    total_bytes = memory.total_memory_bytes()
    return Bounds(
        settings.kept_loaders,
        int(settings.kept_loaders_memory_share * total_bytes),
        min(_SPARE_BYTES, total_bytes // 10),
    )
