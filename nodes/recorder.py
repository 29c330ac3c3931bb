"""`FeedbackRecorder`: shows who drew which image, takes the verdict, and passes the images on by it.

The verdict comes from its inputs, or later from its buttons or a script over HTTP, by the generation's id; in
mode `pause` the run waits for it. In a hand-wired graph, where no sampler of ours has logged the generation,
it does so itself. It never takes images away: if learning fails, it says so and hands them on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io

from ..learning.message import message
from ..learning.values import Recommendation
from .branch_nodes import single_images
from .comfy import adapter as comfy_adapter
from .recording.generation_log import LoggedImages, dropped_out, log_generation
from .recording.pausing import Patience, wait_for_pick
from .recording.rounds import RecordedGeneration, Verdict, preview, record
from .recording.verdict_inputs import VerdictError, VerdictInputs
from .recording.wiring import Entry, divide_by_plan, entries_by_checkpoint
from .socket_types import GenerationReference, GenerationType, PlanType

DEFAULT_TIMEOUT_S = 600.0
LONGEST_TIMEOUT_S = 7 * 24 * 3600.0

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
                    "mode",
                    options=["record", "pause"],
                    default="record",
                    tooltip="record: show the images and go on. pause: hold the workflow until you have "
                    "picked; only the picked images go on.",
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
                GenerationType.Input("generation", optional=True, tooltip="From the Multi-Checkpoint Sampler."),
                PlanType.Input("plan", optional=True, tooltip="For a graph of your own: from the recommender."),
                io.String.Input(
                    "ckpt_names",
                    optional=True,
                    force_input=True,
                    tooltip="For a graph of your own: the checkpoint of each image (or batch), in their "
                    "order. Without it, the plan's.",
                ),
                # Optional, so that prompts of scripts from before they were there still run.
                io.Float.Input(
                    "timeout_s",
                    default=DEFAULT_TIMEOUT_S,
                    min=0.0,
                    max=LONGEST_TIMEOUT_S,
                    step=10.0,
                    round=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="For mode pause: seconds after which the run goes on by itself, with what was "
                    "picked by then; with all images, unjudged, where nothing was. 0: without limit.",
                ),
                io.Boolean.Input(
                    "wait_without_browser",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="For mode pause: wait also where no browser is connected, for a script that "
                    "answers over HTTP. Otherwise such a run does not wait, and all images go on.",
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
        timeout_s: Sequence[float] = (DEFAULT_TIMEOUT_S,),
        wait_without_browser: Sequence[bool] = (False,),
    ) -> io.NodeOutput:
        singles = [image for batch in images for image in single_images(batch)]
        try:
            verdict = VerdictInputs.read(selected[0], rejected[0])
            references = (
                _given(generation, len(singles))
                if generation
                else await _log_by_plan(images, plan or (), ckpt_names or ())
            )
            said = Verdict(*verdict.over(len(singles)))
        except ValueError as error:
            raise comfy_adapter.telling(error) from error.__cause__
        previewed = [await preview(cls, part) for part in _divided(references, singles)]
        paused = mode[0] == "pause" and not verdict
        answer = None
        if paused:
            patience = Patience(timeout_s[0], wait_without_browser[0])
            answer = await wait_for_pick([part.to_pick() for part in previewed], patience, _workflow_id(cls))
            said = Verdict(answer.selected, answer.rejected) if answer else said
        shown = [await record(part, said) for part in previewed]
        # Where nobody picked, the run goes on as if it had not been paused.
        send_all = answer.send_all if answer else paused and not any(part.judged for part in shown)
        kept: list[torch.Tensor] = []
        thrown_away: list[torch.Tensor] = []
        for part in shown:
            kept += part.images if send_all else part.with_verdict("selected")
            thrown_away += [] if send_all else part.with_verdict("rejected")
        return io.NodeOutput(
            kept or comfy_adapter.nothing_to_pass_on(),
            thrown_away or comfy_adapter.nothing_to_pass_on(),
            list(references),
            ui={"context_checkpoint": [part.as_ui() for part in shown]},
        )


def _divided(references: Sequence[GenerationReference], images: Sequence[torch.Tensor]) -> list[RecordedGeneration]:
    rounds, start = [], 0
    for reference in references:
        end = start + len(reference.checkpoints)
        rounds.append(RecordedGeneration(reference, start, tuple(images[start:end])))
        start = end
    return rounds


def _workflow_id(node: type[io.ComfyNode]) -> str:
    """Name the workflow as the frontend does; a script's prompt has none."""
    workflow = (node.hidden.extra_pnginfo or {}).get("workflow") or {}
    return str(workflow.get("id") or "")


def _given(references: Sequence[GenerationReference], images: int) -> tuple[GenerationReference, ...]:
    # ComfyUI repeats nothing here: one reference per generation, however many images it has.
    expected = sum(len(reference.checkpoints) for reference in references)
    if expected != images:
        raise ValueError(
            message(
                "images_do_not_fit",
                "The generation has {expected} images, but {images} arrived. Connect all of the sampler's "
                "images, in their order; what comes between may change the images, not their number.",
                expected=expected,
                images=images,
            )
        )
    return tuple(references)


async def _log_by_plan(
    batches: Sequence[torch.Tensor], plans: Sequence[Recommendation], names: Sequence[str]
) -> tuple[GenerationReference, ...]:
    """Log the generations of a hand-wired graph, unless these very images were logged before."""
    if not plans:
        raise ValueError(
            message(
                "nothing_connected",
                "Connect the sampler's `generation`, or, in a graph of your own, the recommender's `plan` "
                "(and the names of the checkpoints that were loaded).",
            )
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
