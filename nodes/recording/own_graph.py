"""Logs the generation of a graph that a person wired by hand, once, whichever node sees its images first.

Separate from `generation_log`, which knows no plans and no names, and from the nodes, because the recorder and the
saver both do it for the same images.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import torch

from ...learning.values import Recommendation
from ..comfy import execution
from ..socket_types import GenerationReference
from .generation_log import LoggedImages, log_generation, missing_checkpoints_message
from .graph_recipes import recipes_of
from .loaded_loras import loaded_loras
from .wiring import CheckpointImages, divide_by_plan, images_by_checkpoint

_logged_images = LoggedImages()
_being_logged: dict[tuple[int, ...], asyncio.Future[GenerationReference]] = {}


async def log_by_plan(
    batches: Sequence[torch.Tensor],
    plans: Sequence[Recommendation],
    names: Sequence[str],
    prompt: Mapping[str, object] | None = None,
) -> tuple[GenerationReference, ...]:
    """Log the generations of a hand-wired graph, unless these very images were logged before.

    Parameters
    ----------
    batches
        Each `[B, H, W, C]`.
    names
        One per batch or per image; empty for the plans' own.
    prompt
        The queued prompt, which says what the images were drawn with.

    Raises
    ------
    WiringError
        If the names fit neither the images nor the plans.
    """
    if not names or list(names) == [name for plan in plans for name in plan.checkpoints]:
        # The graph runs once per branch; two of one checkpoint have one name in the recommender's list.
        names = [branch.checkpoint for plan in plans for branch in plan.all_branches]
    entries = images_by_checkpoint([batch.shape[0] for batch in batches], names)
    references, start = [], 0
    counts = divide_by_plan(plans, [entry.checkpoint for entry in entries])
    for plan, count in zip(plans, counts, strict=True):
        if count:
            references.append(await _log_once(plan, entries[start : start + count], batches, prompt or {}))
        start += count
    return tuple(references)


async def _log_once(
    plan: Recommendation,
    entries: Sequence[CheckpointImages],
    batches: Sequence[torch.Tensor],
    prompt: Mapping[str, object],
) -> GenerationReference:
    tensors = [batches[entry.batch] for entry in entries]
    logged = _logged_images.find(tensors)
    if logged is not None and logged.plan == plan:
        return logged
    # ComfyUI runs nodes side by side while they await: the second waits for what the first logs.
    key = (id(plan), *(id(tensor) for tensor in tensors))
    if key not in _being_logged:
        _being_logged[key] = asyncio.ensure_future(_log(plan, entries, tensors, prompt))
        _being_logged[key].add_done_callback(lambda _: _being_logged.pop(key))
    return await _being_logged[key]


async def _log(
    plan: Recommendation,
    entries: Sequence[CheckpointImages],
    tensors: Sequence[torch.Tensor],
    prompt: Mapping[str, object],
) -> GenerationReference:
    checkpoints = [entry.checkpoint for entry in entries for _ in range(entry.images)]
    named = [entry.checkpoint for entry in entries]
    of_entries = recipes_of(prompt, execution.node_id(), plan, named, lambda node: loaded_loras(node, plan))
    recipes = [recipe for entry, recipe in zip(entries, of_entries, strict=False) for _ in range(entry.images)]
    reference = await log_generation(plan, checkpoints, missing_checkpoints_message(plan, checkpoints), recipes)
    _logged_images.add(tensors, reference)
    return reference
