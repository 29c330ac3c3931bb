"""One generation as the recorder handles it: its previews, the verdict on it, and what is shown of it.

Separate from the node, which knows inputs and outputs and may wait between the two steps: `preview` before,
`record` after. Nothing here takes an image away: what fails is told, and the images go on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from ... import runtime
from ...learning.errors import LearningError
from ...learning.message import Message, joined, message, parts_of
from ...learning.values import Generation, ImageFile
from ...runtime.pending_picks import PendingGeneration
from ..comfy import adapter as comfy_adapter
from ..socket_types import GenerationReference
from .generation_log import reason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Numbers of images, counted over all of the recorder's rounds."""

    selected: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class RecordedGeneration:
    """The part of the recorder's images that belongs to one generation; `start` is the first one's number."""

    reference: GenerationReference
    start: int
    images: tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True)
class Previewed:
    """A round whose images can be looked at; `files` is parallel to its images."""

    part: RecordedGeneration
    files: tuple[ImageFile, ...]
    messages: tuple[str, ...]

    def to_pick(self) -> PendingGeneration:
        return PendingGeneration(self.part.reference.generation_id, self.part.start, self.files)


@dataclass(frozen=True, slots=True)
class ShownGeneration:
    """One round as the recorder shows it; all three are parallel to the round's images."""

    reference: GenerationReference
    images: tuple[torch.Tensor, ...]
    files: tuple[ImageFile, ...]
    verdicts: tuple[str | None, ...]
    message: str

    @property
    def judged(self) -> bool:
        return any(self.verdicts)

    def with_verdict(self, verdict: str) -> list[torch.Tensor]:
        return [image for image, said in zip(self.images, self.verdicts, strict=True) if said == verdict]

    def as_ui(self) -> dict[str, Any]:
        return {
            "generation_id": self.reference.generation_id,
            "images": [
                {
                    "index": index,
                    "checkpoint": file.checkpoint,
                    "filename": file.filename,
                    "subfolder": file.subfolder,
                    "type": file.type,
                    "verdict": verdict,
                }
                for index, (file, verdict) in enumerate(zip(self.files, self.verdicts, strict=True))
            ],
            "explanation": self.reference.plan.explanation,
            "message": self.message,
            "message_parts": list(parts_of(self.message)),
        }


async def preview(node: type[io.ComfyNode], part: RecordedGeneration) -> Previewed:
    """Save the images where a browser finds them, and say so to the log of generations."""
    reference = part.reference
    messages = [reference.message] if reference.message else []
    prefix = f"context_checkpoint_{reference.generation_id[:12] or 'round'}"
    try:
        files = comfy_adapter.save_previews(part.images, reference.checkpoints, prefix, node)
    except OSError as error:
        log.warning("The previews could not be saved: %s", error)
        messages.append(message("no_previews", "The previews could not be saved: {error}.", error=error))
        return Previewed(part, tuple(ImageFile(name) for name in reference.checkpoints), tuple(messages))
    if reference.generation_id:
        try:
            await runtime.current().run(lambda service: service.attach_files(reference.generation_id, files))
        except Exception as error:  # the images go on, and the person is told
            messages.append(_failed(_not_reached(), error))
    return Previewed(part, tuple(files), tuple(messages))


async def record(previewed: Previewed, verdict: Verdict) -> ShownGeneration:
    """Record what the verdict says of this round; nothing said leaves a verdict of before as it is."""
    part, reference = previewed.part, previewed.part.reference
    here = range(len(part.images))
    selected = [index for index in here if part.start + index in verdict.selected]
    rejected = [index for index in here if part.start + index in verdict.rejected]
    verdicts: tuple[str | None, ...] = tuple(
        "selected" if index in selected else "rejected" if index in rejected else None for index in here
    )
    messages = list(previewed.messages)
    spoken = bool(selected or rejected)
    if reference.generation_id:
        try:
            stored = await _store(reference.generation_id, selected, rejected)
            verdicts = tuple(image.verdict for image in stored.images)
        except Exception as error:  # the images go on, and the person is told
            failed = _failed(_not_recorded() if spoken else _not_reached(), error)
            if failed not in messages:
                messages.append(failed)
    elif spoken:
        messages.append(
            message(
                "not_recorded_not_logged",
                "The verdict was not recorded, because the round was not logged.",
            )
        )
    return ShownGeneration(reference, part.images, previewed.files, verdicts, joined(messages))


async def _store(generation_id: str, selected: Sequence[int], rejected: Sequence[int]) -> Generation:
    current = runtime.current()
    if selected or rejected:
        return await current.run(
            lambda service: service.record_feedback(generation_id, selected_images=selected, rejected_images=rejected)
        )
    return await current.run(lambda service: service.generation(generation_id))


def _failed(what: Message, error: Exception) -> str:
    log.warning("%s %s", what, error, exc_info=not isinstance(error, LearningError))
    return joined([what, reason(error)])


def _not_reached() -> Message:
    return message("not_reached", "The learned data cannot be reached.")


def _not_recorded() -> Message:
    return message("not_recorded", "The verdict was not recorded.")
