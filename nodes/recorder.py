"""`FeedbackRecorder`: shows who drew which image, takes the verdict, and passes the images on by it.

The verdict comes from its inputs, or later from its buttons or a script over HTTP, by the generation's id. In
a hand-wired graph, where no sampler of ours has logged the generation, it does so itself. It never takes
images away: if learning fails, it says so and hands them on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from .. import runtime
from ..learning.errors import LearningError
from ..learning.values import Generation, ImageFile, Recommendation
from . import comfy_adapter
from .branch_nodes import single_images
from .generation_log import LoggedImages, dropped_out, log_generation, reason
from .recorder_wiring import Entry, divide_by_plan, entries_by_checkpoint
from .socket_types import GenerationReference, GenerationType, PlanType
from .verdict_inputs import VerdictError, VerdictInputs

log = logging.getLogger(__name__)

_logged_images = LoggedImages()


class FeedbackRecorder(io.ComfyNode):
    """Records which images of a generation were kept and which were thrown away."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FeedbackRecorder",
            display_name="Feedback Recorder",
            category="Context Checkpoint",
            description="Shows which checkpoint drew which image and learns from what you select and reject. "
            "An image without a verdict teaches nothing.",
            search_aliases=["feedback", "rate images", "pick images", "select images", "learn preference"],
            is_input_list=True,
            is_output_node=True,
            not_idempotent=True,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                io.Image.Input("images"),
                io.Combo.Input(
                    "mode", options=["record"], default="record", tooltip="record: show the images and go on."
                ),
                io.String.Input(
                    "selected",
                    default="",
                    advanced=True,
                    tooltip="For scripts: numbers of the images to select, counted from 0, such as 0,2; or "
                    "all. Leave it empty to choose with the buttons.",
                ),
                io.String.Input(
                    "rejected",
                    default="",
                    advanced=True,
                    tooltip="For scripts: as selected. `all` rejects the rest.",
                ),
                GenerationType.Input(
                    "generation", optional=True, tooltip="From the Multi-Checkpoint Sampler."
                ),
                PlanType.Input(
                    "plan", optional=True, tooltip="For a graph of your own: from the recommender."
                ),
                io.String.Input(
                    "ckpt_names",
                    optional=True,
                    force_input=True,
                    tooltip="For a graph of your own: the checkpoint of each image (or batch), in their "
                    "order. Without it, the plan's.",
                ),
            ],
            outputs=[
                io.Image.Output("selected_images", is_output_list=True),
                io.Image.Output("rejected_images", is_output_list=True),
                GenerationType.Output("generation", is_output_list=True),
            ],
        )

    @classmethod
    def validate_inputs(
        cls, selected: Sequence[str | None] = ("",), rejected: Sequence[str | None] = ("",)
    ) -> bool | str:
        # A linked input is None here; it is read when the node runs.
        try:
            VerdictInputs.read(selected[0] or "", rejected[0] or "")
        except VerdictError as error:
            return str(error)
        return True

    @classmethod
    async def execute(
        cls,
        images: Sequence[torch.Tensor],
        mode: Sequence[str],
        selected: Sequence[str],
        rejected: Sequence[str],
        generation: Sequence[GenerationReference] | None = None,
        plan: Sequence[Recommendation] | None = None,
        ckpt_names: Sequence[str] | None = None,
    ) -> io.NodeOutput:
        verdict = VerdictInputs.read(selected[0], rejected[0])
        singles = [image for batch in images for image in single_images(batch)]
        references = (
            _given(generation, len(singles))
            if generation
            else await _log_by_plan(images, plan or (), ckpt_names or ())
        )
        chosen, refused = verdict.over(len(singles))
        rounds, start = [], 0
        for reference in references:
            end = start + len(reference.checkpoints)
            rounds.append(_Round(reference, start, tuple(singles[start:end])))
            start = end
        shown = [await _record(cls, part, verdict, chosen, refused) for part in rounds]
        kept = [image for part in shown for image in part.with_verdict("selected")]
        thrown_away = [image for part in shown for image in part.with_verdict("rejected")]
        return io.NodeOutput(
            kept or comfy_adapter.nothing_to_pass_on(),
            thrown_away or comfy_adapter.nothing_to_pass_on(),
            list(references),
            ui={"context_checkpoint": [part.as_ui() for part in shown]},
        )


@dataclass(frozen=True, slots=True)
class _Round:
    """The part of the recorder's images that belongs to one generation; `start` is the first one's index."""

    reference: GenerationReference
    start: int
    images: tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One round as the recorder shows it; all three are parallel to the round's images."""

    reference: GenerationReference
    images: tuple[torch.Tensor, ...]
    files: tuple[ImageFile, ...]
    verdicts: tuple[str | None, ...]
    message: str

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
        }


def _given(references: Sequence[GenerationReference], images: int) -> tuple[GenerationReference, ...]:
    # ComfyUI repeats nothing here: one reference per generation, however many images it has.
    expected = sum(len(reference.checkpoints) for reference in references)
    if expected != images:
        raise ValueError(
            f"The generation has {expected} images, but {images} arrived. Connect all of the sampler's "
            "images, in their order; what comes between may change the images, not their number."
        )
    return tuple(references)


async def _log_by_plan(
    batches: Sequence[torch.Tensor], plans: Sequence[Recommendation], names: Sequence[str]
) -> tuple[GenerationReference, ...]:
    """Log the generations of a hand-wired graph, unless these very images were logged before."""
    if not plans:
        raise ValueError(
            "Connect the sampler's `generation`, or, in a graph of your own, the recommender's `plan` "
            "(and the names of the checkpoints that were loaded)."
        )
    names = names or [name for plan in plans for name in plan.checkpoints]
    entries = entries_by_checkpoint([batch.shape[0] for batch in batches], names)
    references, start = [], 0
    counts = divide_by_plan(plans, [entry.checkpoint for entry in entries])
    for plan, count in zip(plans, counts, strict=True):
        if count:
            references.append(await _log_entries(plan, entries[start : start + count], batches))
        start += count
    return tuple(references)


async def _log_entries(
    plan: Recommendation, entries: Sequence[Entry], batches: Sequence[torch.Tensor]
) -> GenerationReference:
    tensors = [batches[entry.batch] for entry in entries]
    known = _logged_images.find(tensors)
    if known is not None and known.plan == plan:
        return known
    drawn = [entry.checkpoint for entry in entries for _ in range(entry.images)]
    reference = await log_generation(plan, drawn, dropped_out(plan, drawn))
    _logged_images.add(tensors, reference)
    return reference


async def _record(
    node: type[io.ComfyNode],
    part: _Round,
    verdict: VerdictInputs,
    chosen: frozenset[int],
    refused: frozenset[int],
) -> _Shown:
    reference = part.reference
    here = range(len(part.images))
    selected = [index for index in here if part.start + index in chosen]
    rejected = [index for index in here if part.start + index in refused]
    verdicts: tuple[str | None, ...] = tuple(
        "selected" if index in selected else "rejected" if index in rejected else None for index in here
    )
    messages = [reference.message] if reference.message else []
    files = _previews(node, part, messages)
    if reference.generation_id:
        try:
            stored = await _store(reference.generation_id, files, selected, rejected, verdict)
            verdicts = tuple(image.verdict for image in stored.images)
        except Exception as error:  # the images go on, and the person is told
            failure = (
                f"{'The verdict was not recorded' if verdict else 'The learned data cannot be reached'}. "
            )
            log.warning("%s%s", failure, error, exc_info=not isinstance(error, LearningError))
            messages.append(failure + reason(error))
    elif verdict:
        messages.append("The verdict was not recorded, because the round was not logged.")
    return _Shown(reference, part.images, tuple(files), verdicts, " ".join(messages))


def _previews(node: type[io.ComfyNode], part: _Round, messages: list[str]) -> list[ImageFile]:
    checkpoints = part.reference.checkpoints
    prefix = f"context_checkpoint_{part.reference.generation_id[:12] or 'round'}"
    try:
        return comfy_adapter.save_previews(part.images, checkpoints, prefix, node)
    except OSError as error:
        log.warning("The previews could not be saved: %s", error)
        messages.append(f"The previews could not be saved: {error}.")
        return [ImageFile(checkpoint) for checkpoint in checkpoints]


async def _store(
    generation_id: str,
    files: Sequence[ImageFile],
    selected: Sequence[int],
    rejected: Sequence[int],
    verdict: VerdictInputs,
) -> Generation:
    """Attach the files and record what the inputs say; nothing said leaves a verdict of before as it is."""
    current = runtime.current()
    if any(file.filename for file in files):
        await current.run(lambda service: service.attach_files(generation_id, files))
    if verdict and (selected or rejected):
        return await current.run(
            lambda service: service.record_feedback(
                generation_id, selected_images=selected, rejected_images=rejected
            )
        )
    return await current.run(lambda service: service.generation(generation_id))
