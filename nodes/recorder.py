"""`FeedbackRecorder`: shows which checkpoint made which image, takes the verdict, and passes the images on by it.

The verdict comes from its inputs, or later from its buttons or a script over HTTP, by the generation's id; in mode
`pause` the run waits for it. In a hand-wired graph, where no sampler of ours has logged the generation, it does so
itself. It never takes images away: if learning fails, it says so and passes them on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from comfy_api.latest import io

from ..learning.message import message
from ..learning.values import Recommendation
from .branch_nodes import single_images
from .comfy import execution
from .comfy.graph import empty_list_output
from .comfy.messages import with_parts_sent
from .recording.carried_generations import add, announce
from .recording.own_graph import log_by_plan
from .recording.pause import WaitLimits, wait_for_pick
from .recording.recorded_generation import GenerationImages, Verdict, preview, record
from .recording.verdict_inputs import VerdictError, VerdictInputs
from .socket_types import GenerationReference, GenerationType, PlanType

DEFAULT_TIMEOUT_S = 600.0
LONGEST_TIMEOUT_S = 7 * 24 * 3600.0


class FeedbackRecorder(io.ComfyNode):
    """Records which images of a generation are selected and which are rejected."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FeedbackRecorder",
            display_name="Feedback Recorder",
            category="Context Checkpoint",
            description="Shows which checkpoint made which image and learns from what you select and reject. "
            "An image without a verdict teaches nothing.",
            search_aliases=["feedback", "rate images", "pick images", "select images", "learn preference"],
            is_input_list=True,
            is_output_node=True,
            not_idempotent=True,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                # Optional, so that a sampler that is bypassed or muted fails no prompt.
                io.Image.Input("images", optional=True),
                io.Combo.Input(
                    "mode",
                    options=["record", "pause"],
                    default="record",
                    tooltip="record: show the images and continue. pause: hold the workflow until you have "
                    "picked; only the picked images are passed on.",
                ),
                io.String.Input(
                    "selected",
                    default="",
                    advanced=True,
                    tooltip="For scripts: the images to select, counted from 0, such as 0,2; or all. Leave it "
                    "empty to use the buttons.",
                ),
                io.String.Input(
                    "rejected",
                    default="",
                    advanced=True,
                    tooltip="For scripts: the images to reject, written like `selected`. all: the rest.",
                ),
                GenerationType.Input("generation", optional=True, tooltip="From the Multi-Checkpoint Sampler."),
                PlanType.Input("plan", optional=True, tooltip="For a graph of your own: from the recommender."),
                io.String.Input(
                    "ckpt_names",
                    optional=True,
                    force_input=True,
                    tooltip="For a graph of your own: the checkpoint of each image (or batch), in order. If not "
                    "connected, the plan's.",
                ),
                # Optional, so that scripts written before these inputs existed still run.
                io.Float.Input(
                    "timeout_s",
                    default=DEFAULT_TIMEOUT_S,
                    min=0.0,
                    max=LONGEST_TIMEOUT_S,
                    step=10.0,
                    round=0.1,
                    optional=True,
                    advanced=True,
                    tooltip="For mode pause: the run continues after this many seconds, with what was picked by "
                    "then, or with all images and no verdict if nothing was. 0: no limit.",
                ),
                io.Boolean.Input(
                    "wait_without_browser",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="For mode pause: also wait if no browser is connected, for a script that answers over "
                    "HTTP. Otherwise such a run does not wait, and all images are passed on.",
                ),
            ],
            outputs=[
                io.Image.Output("selected_images", is_output_list=True),
                io.Image.Output("rejected_images", is_output_list=True),
                GenerationType.Output("generation", is_output_list=True),
                # After the others, so that the links of saved workflows keep their places. Of any type, because many
                # savers declare the model as a list of names, which lets no STRING in.
                io.AnyType.Output(
                    "selected_names", is_output_list=True, tooltip="The checkpoint of each selected image."
                ),
                io.AnyType.Output(
                    "rejected_names", is_output_list=True, tooltip="The checkpoint of each rejected image."
                ),
                PlanType.Output(
                    "selected_plan",
                    is_output_list=True,
                    tooltip="Of each selected image a plan with its checkpoint alone, to finish it with: for a second "
                    "Multi-Checkpoint Sampler or a Recommended Checkpoint Loader.",
                ),
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
    async def fingerprint_inputs(cls, **_: Any) -> str:
        """Change nothing about caching; only have the run's files carry the generation of a cached result."""
        await announce(execution.node_id())
        return ""

    @classmethod
    async def execute(
        cls,
        mode: Sequence[str],
        selected: Sequence[str],
        rejected: Sequence[str],
        images: Sequence[torch.Tensor] = (),
        generation: Sequence[GenerationReference] | None = None,
        plan: Sequence[Recommendation] | None = None,
        ckpt_names: Sequence[str] | None = None,
        timeout_s: Sequence[float] = (DEFAULT_TIMEOUT_S,),
        wait_without_browser: Sequence[bool] = (False,),
    ) -> io.NodeOutput:
        singles = [image for batch in images for image in single_images(batch)]
        try:
            inputs = VerdictInputs.read(selected[0], rejected[0])
            if not images:
                inputs, references = VerdictInputs(), (GenerationReference("", (), None, _no_images()),)
            elif generation:
                references = _check_count(generation, len(singles))
            elif plan:
                references = await log_by_plan(images, plan, ckpt_names or (), cls.hidden.prompt)
            else:
                references = (GenerationReference("", ("",) * len(singles), None, _nothing_connected()),)
            verdict = Verdict(*inputs.over(len(singles)))
        except ValueError as error:
            raise with_parts_sent(error) from error.__cause__
        for number, reference in enumerate(references):
            add(reference, execution.node_id(), f"{execution.node_id()}/{number}", cls.hidden.extra_pnginfo)
        previewed = [await preview(cls, part) for part in _divide(references, singles)]
        unplanned = not (generation or plan)
        paused = mode[0] == "pause" and not inputs and bool(images)
        answer = None
        if paused:
            limits = WaitLimits(timeout_s[0], wait_without_browser[0])
            answer = await wait_for_pick([part.to_pending() for part in previewed], limits, _workflow_id(cls))
            verdict = Verdict(answer.selected, answer.rejected) if answer else verdict
        recorded = [await record(part, verdict) for part in previewed]
        # If nobody picked, the run continues as if it had not been paused; without a plan, nobody can judge it later.
        unjudged = (paused or unplanned) and not inputs and not any(part.judged for part in recorded)
        send_all = answer.send_all if answer else unjudged
        passed_on = [part.pass_on(everything=send_all) for part in recorded]
        return io.NodeOutput(
            [image for part in passed_on for image in part.selected_images] or empty_list_output(),
            [image for part in passed_on for image in part.rejected_images] or empty_list_output(),
            [part.reference for part in passed_on],
            [name for part in passed_on for name in part.selected_names] or empty_list_output(),
            [name for part in passed_on for name in part.rejected_names] or empty_list_output(),
            [plan for part in passed_on for plan in part.selected_plans] or empty_list_output(),
            ui={"context_checkpoint": [part.as_ui() for part in recorded]},
        )


def _divide(references: Sequence[GenerationReference], images: Sequence[torch.Tensor]) -> list[GenerationImages]:
    generations, start = [], 0
    for reference in references:
        end = start + len(reference.checkpoints)
        generations.append(GenerationImages(reference, start, tuple(images[start:end])))
        start = end
    return generations


def _workflow_id(node: type[io.ComfyNode]) -> str:
    """Return the frontend's id of the workflow; a script's prompt has none."""
    workflow = (node.hidden.extra_pnginfo or {}).get("workflow") or {}
    return str(workflow.get("id") or "")


def _no_images() -> str:
    return message(
        "no_images",
        "No images arrive, so nothing is learned. The node that makes them is bypassed, muted or not connected; turn "
        "it on or connect it.",
    )


def _nothing_connected() -> str:
    return message(
        "nothing_connected",
        "No plan arrives, so nothing is learned from these images; all are passed on. Connect the sampler's "
        "`generation`, or, in a graph of your own, the recommender's `plan` (and the names of the checkpoints that "
        "were loaded), and see that the node is not bypassed or muted.",
    )


def _check_count(references: Sequence[GenerationReference], images: int) -> tuple[GenerationReference, ...]:
    # One reference per generation, however many images it has.
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
