"""One generation in the recorder: its previews, the verdict on it, and what the browser is shown.

Separate from the node, which knows inputs and outputs and may wait between the two steps: `preview` before, `record`
after. Nothing here takes an image away: a failure is reported, and the images are passed on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from comfy_api.latest import io

from ... import runtime
from ...learning.errors import LearningError
from ...learning.message import Message, joined, message, parts_of
from ...learning.values import Generation, ImageFile, Recommendation
from ...runtime.pending_picks import PendingGeneration
from ..comfy.previews import save_previews
from ..socket_types import GenerationReference
from .generation_log import failure_reason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Numbers of images, counted over all of the recorder's generations."""

    selected: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class GenerationImages:
    """The recorder's images that belong to one generation; `start` is the number of the first."""

    reference: GenerationReference
    start: int
    images: tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True)
class PreviewedGeneration:
    """A generation whose images the browser can show; `files` is parallel to its images."""

    generation: GenerationImages
    files: tuple[ImageFile, ...]
    messages: tuple[str, ...]

    def to_pending(self) -> PendingGeneration:
        return PendingGeneration(self.generation.reference.generation_id, self.generation.start, self.files)


@dataclass(frozen=True, slots=True)
class RecordedGeneration:
    """A generation with its verdict; `images`, `files` and `verdicts` are parallel."""

    reference: GenerationReference
    images: tuple[torch.Tensor, ...]
    files: tuple[ImageFile, ...]
    verdicts: tuple[str | None, ...]
    message: str

    @property
    def judged(self) -> bool:
        return any(self.verdicts)

    def pass_on(self, *, everything: bool) -> PassedOn:
        """What goes on by the verdict, or, with `everything`, all images as if they were selected."""
        positions = range(len(self.images))
        selected = tuple(at for at in positions if everything or self.verdicts[at] == "selected")
        rejected = tuple(at for at in positions if not everything and self.verdicts[at] == "rejected")
        return PassedOn(replace(self.reference, selected=selected, rejected=rejected), self.images)

    def as_ui(self) -> dict[str, Any]:
        """Return what the node shows in the browser (`web/recorder/verdicts.mjs` reads it)."""
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
            "explanation": self.reference.plan.explanation if self.reference.plan else "",
            "message": self.message,
            "message_parts": list(parts_of(self.message)),
        }


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What the recorder passes on of one generation; the reference has the positions."""

    reference: GenerationReference
    images: tuple[torch.Tensor, ...]

    @property
    def selected_images(self) -> list[torch.Tensor]:
        return [self.images[at] for at in self.reference.selected or ()]

    @property
    def rejected_images(self) -> list[torch.Tensor]:
        return [self.images[at] for at in self.reference.rejected or ()]

    @property
    def selected_names(self) -> list[str]:
        return [self.reference.checkpoints[at] for at in self.reference.selected or ()]

    @property
    def rejected_names(self) -> list[str]:
        return [self.reference.checkpoints[at] for at in self.reference.rejected or ()]

    @property
    def selected_plans(self) -> list[Recommendation | None]:
        return [self.reference.plan_of(at) for at in self.reference.selected or ()]


async def preview(node: type[io.ComfyNode], generation: GenerationImages) -> PreviewedGeneration:
    """Save the images where the browser finds them, and log their files with the generation."""
    reference = generation.reference
    messages = [reference.message] if reference.message else []
    prefix = f"context_checkpoint_{reference.generation_id[:12] or 'generation'}"
    try:
        files = save_previews(generation.images, reference.checkpoints, prefix, node)
    except OSError as error:
        log.warning("The previews could not be saved: %s", error)
        messages.append(message("no_previews", "The previews could not be saved: {error}.", error=error))
        unsaved = tuple(ImageFile(name) for name in reference.checkpoints)
        return PreviewedGeneration(generation, unsaved, tuple(messages))
    if reference.generation_id:
        try:
            await runtime.current().run(lambda service: service.attach_files(reference.generation_id, files))
        except Exception as error:  # the images are passed on, and the failure is shown
            messages.append(_failure_message(_not_reached(), error))
    return PreviewedGeneration(generation, tuple(files), tuple(messages))


async def record(previewed: PreviewedGeneration, verdict: Verdict) -> RecordedGeneration:
    """Record the part of a verdict that is about this generation; an empty part leaves the stored verdict as it is."""
    generation, reference = previewed.generation, previewed.generation.reference
    indices = range(len(generation.images))
    selected = [index for index in indices if generation.start + index in verdict.selected]
    rejected = [index for index in indices if generation.start + index in verdict.rejected]
    verdicts: tuple[str | None, ...] = tuple(
        "selected" if index in selected else "rejected" if index in rejected else None for index in indices
    )
    messages = list(previewed.messages)
    has_verdict = bool(selected or rejected)
    if reference.generation_id:
        try:
            stored = await _store(reference.generation_id, selected, rejected)
            verdicts = tuple(image.verdict for image in stored.images)
            if stored.waiting:
                messages.append(_waiting())
        except Exception as error:  # the images are passed on, and the failure is shown
            failure = _failure_message(_not_recorded() if has_verdict else _not_reached(), error)
            if failure not in messages:
                messages.append(failure)
    elif has_verdict:
        messages.append(
            message(
                "not_recorded_not_logged",
                "The verdict was not recorded, because the generation was not logged.",
            )
        )
    return RecordedGeneration(reference, generation.images, previewed.files, verdicts, joined(messages))


async def _store(generation_id: str, selected: Sequence[int], rejected: Sequence[int]) -> Generation:
    current = runtime.current()
    if selected or rejected:
        return await current.run(
            lambda service: service.record_feedback(generation_id, selected_images=selected, rejected_images=rejected)
        )
    return await current.run(lambda service: service.generation(generation_id))


def _failure_message(what: Message, error: Exception) -> str:
    log.warning("%s %s", what, error, exc_info=not isinstance(error, LearningError))
    return joined([what, failure_reason(error)])


def _waiting() -> Message:
    return message("verdict_waits", "The verdict waits on this machine's disk until the database can be written.")


def _not_reached() -> Message:
    return message("not_reached", "The learned data cannot be reached.")


def _not_recorded() -> Message:
    return message("not_recorded", "The verdict was not recorded.")
