"""Logs a generation where its images are made, and recognises images that were logged before.

The two nodes that see finished images share it: the sampler's collector, and the recorder of a hand-wired graph. It
is separate from both because of one rule: a generation that could not be logged must still pass its images on, and must
say so.
"""

from __future__ import annotations

import logging
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ... import runtime
from ...learning.errors import LearningError
from ...learning.message import error_text, joined, message
from ...learning.values import ImageFile, Recommendation
from ...recipes import Recipe
from ..comfy import execution
from ..socket_types import GenerationReference

log = logging.getLogger(__name__)

_CAPACITY = 100


async def log_generation(
    plan: Recommendation, checkpoints: Sequence[str], note: str = "", recipes: Sequence[Recipe] = ()
) -> GenerationReference:
    """Log one generation, unless it only finishes a picked image.

    After a failure the reference has no id, and its message says why: nothing can be learned from the generation,
    and the workflow continues.

    Parameters
    ----------
    checkpoints
        The checkpoint of each image, in their order.
    recipes
        What made each image, so that settings are learned too; empty where it is not known.
    """
    if plan.picked:
        finished = message(
            "finishes_picked",
            "This finishes an image that was picked before, so it is no generation of its own. The recorder's "
            "`generation` says which image of which generation it was.",
        )
        return GenerationReference("", tuple(checkpoints), plan, joined([note, finished]), tuple(recipes))
    images = [ImageFile(checkpoint) for checkpoint in checkpoints]
    session_id, prompt_id = execution.session_id(), execution.prompt_id()
    try:
        generation_id = await runtime.current().run(
            lambda service: service.log_generation(
                plan, images, session_id=session_id, prompt_id=prompt_id, recipes=recipes or None
            )
        )
    except Exception as error:  # the images exist: whatever fails here must not take them away
        unlogged = message("not_logged", "This generation was not logged, so nothing can be learned from it.")
        failure = joined([unlogged, failure_reason(error)])
        log.warning("%s", failure, exc_info=not isinstance(error, LearningError))
        return GenerationReference("", tuple(checkpoints), plan, joined([note, failure]), tuple(recipes))
    return GenerationReference(generation_id, tuple(checkpoints), plan, note, tuple(recipes))


def failure_reason(error: Exception) -> str:
    """Return what went wrong, in words for a person."""
    return error_text(error) if isinstance(error, LearningError) else f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _LoggedGeneration:
    images: tuple[weakref.ref[torch.Tensor], ...]
    reference: GenerationReference


class LoggedImages:
    """Which images of this process belong to which generation.

    A recorder in a hand-wired graph runs again for the same images when only its verdict was changed: ComfyUI then
    passes it the very same tensors out of its cache. The same tensors are the same generation; images that were
    sampled again are another one, however alike.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._logged: OrderedDict[tuple[int, ...], _LoggedGeneration] = OrderedDict()

    def find(self, images: Sequence[torch.Tensor]) -> GenerationReference | None:
        """Return the generation of exactly these tensors."""
        logged = self._logged.get(_ids(images))
        # Python reuses an id once its object is gone; the weak reference detects that.
        if logged is None or any(ref() is not image for ref, image in zip(logged.images, images, strict=True)):
            return None
        return logged.reference

    def add(self, images: Sequence[torch.Tensor], reference: GenerationReference) -> None:
        """Add a generation; one without an id is not added, and so is logged again next time."""
        if not reference.generation_id:
            return
        self._logged[_ids(images)] = _LoggedGeneration(tuple(weakref.ref(image) for image in images), reference)
        self._logged.move_to_end(_ids(images))
        while len(self._logged) > self._capacity:
            self._logged.popitem(last=False)


def _ids(images: Sequence[torch.Tensor]) -> tuple[int, ...]:
    return tuple(id(image) for image in images)


def missing_checkpoints_message(plan: Recommendation, checkpoints: Sequence[str]) -> str:
    """Say which of a plan's checkpoints made no image; empty if all did."""
    missing = [name for name in plan.checkpoints if name not in checkpoints]
    if not missing:
        return ""
    if len(missing) == 1:
        return message(
            "took_no_part",
            "{name} took no part in this generation because it could not be loaded.",
            name=missing[0],
        )
    return message(
        "several_took_no_part",
        "{names} took no part in this generation because they could not be loaded.",
        names=", ".join(missing),
    )
