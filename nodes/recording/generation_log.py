"""Logs a generation where its images are made, and knows again the images that were logged already.

The two nodes that see finished images share it: the sampler's collector, and the recorder of a hand-wired
graph. It is separate from them because of one rule: a round that could not be logged must still hand its
images on, and must say so.
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
from ..comfy import adapter as comfy_adapter
from ..socket_types import GenerationReference

logger = logging.getLogger(__name__)

_MOST_REMEMBERED = 100


async def log_generation(plan: Recommendation, checkpoints: Sequence[str], note: str = "") -> GenerationReference:
    """Log one round; `checkpoints` has the checkpoint of each image, in their order.

    A failure is told in the reference's message, whose id is then empty: nothing can be learned from the
    round, and the workflow goes on.
    """
    images = [ImageFile(checkpoint) for checkpoint in checkpoints]
    session_id, prompt_id = comfy_adapter.session_id(), comfy_adapter.prompt_id()
    try:
        generation_id = await runtime.current().run(
            lambda service: service.log_generation(plan, images, session_id=session_id, prompt_id=prompt_id)
        )
    except Exception as error:  # the images are there: whatever fails here must not take them away
        unlogged = message("not_logged", "This round was not logged, so nothing can be learned from it.")
        failure = joined([unlogged, reason(error)])
        logger.warning("%s", failure, exc_info=not isinstance(error, LearningError))
        return GenerationReference("", tuple(checkpoints), plan, joined([note, failure]))
    return GenerationReference(generation_id, tuple(checkpoints), plan, note)


def reason(error: Exception) -> str:
    """What went wrong, in words for a person."""
    return error_text(error) if isinstance(error, LearningError) else f"{type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _Logged:
    images: tuple[weakref.ref[torch.Tensor], ...]
    reference: GenerationReference


class LoggedImages:
    """Remembers, in this process, which images belong to which generation.

    A recorder in a hand-wired graph runs again for the same images when only its verdict was changed: ComfyUI
    then hands it the very tensors of before out of its cache. The same tensors are the same round; anything
    that was drawn anew is another one, however alike.
    """

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._logged: OrderedDict[tuple[int, ...], _Logged] = OrderedDict()

    def find(self, images: Sequence[torch.Tensor]) -> GenerationReference | None:
        """Return the generation of exactly these tensors."""
        logged = self._logged.get(_ids(images))
        # An id is given to another tensor once the first is gone, which its weak reference tells.
        if logged is None or any(ref() is not image for ref, image in zip(logged.images, images, strict=True)):
            return None
        return logged.reference

    def add(self, images: Sequence[torch.Tensor], reference: GenerationReference) -> None:
        """Remember a generation; one without an id is tried again next time."""
        if not reference.generation_id:
            return
        self._logged[_ids(images)] = _Logged(tuple(weakref.ref(image) for image in images), reference)
        self._logged.move_to_end(_ids(images))
        while len(self._logged) > self._most:
            self._logged.popitem(last=False)


def _ids(images: Sequence[torch.Tensor]) -> tuple[int, ...]:
    return tuple(id(image) for image in images)


def dropped_out(plan: Recommendation, drawn: Sequence[str]) -> str:
    """Say which of a plan's checkpoints drew nothing; empty if all did."""
    missing = [name for name in plan.checkpoints if name not in drawn]
    if not missing:
        return ""
    if len(missing) == 1:
        return message(
            "took_no_part",
            "{name} took no part in this round because it could not be loaded.",
            name=missing[0],
        )
    return message(
        "several_took_no_part",
        "{names} took no part in this round because they could not be loaded.",
        names=", ".join(missing),
    )
