"""`SavePickedImages`: saves images with what made each of them, so that the file says it for good.

Stock SaveImage writes the queued prompt, in which the checkpoint is only decided when it runs. This node knows each
image's place in its generation, and so its checkpoint and settings. What cannot be known for certain is left out and
said on the node; the image is saved in any case. An image that cannot be saved fails the workflow, as with SaveImage:
the one thing that this node must not do is to lose a picture in silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from comfy_api.latest import io

from ..learning.message import error_text, joined, message, parts_of
from ..learning.values import Recommendation
from ..recipes import Recipe
from .branch_nodes import single_images
from .comfy import execution
from .comfy.graph import empty_list_output
from .comfy.messages import show_on_node, with_parts_sent
from .recording.carried_generations import add, announce
from .recording.own_graph import log_by_plan
from .recording.wiring import WiringError, images_by_checkpoint
from .saving.image_bytes import Encoding
from .saving.image_writer import ImageWriter, NotSaved
from .saving.origins import Origins, graph_recipe
from .saving.places import places
from .socket_types import GenerationReference, GenerationType, PlanType

log = logging.getLogger(__name__)

FORMATS = ("png", "webp", "jpeg")
DEFAULT_QUALITY = 95


class SavePickedImages(io.ComfyNode):
    """Saves images with ComfyUI's workflow, A1111's parameters, and their place in their generation."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SavePickedImages",
            display_name="Save Picked Images",
            category="Context Checkpoint",
            description="Saves images so that each file says what made it: the workflow, the checkpoint and its "
            "settings, and which image of which generation it is.",
            search_aliases=["save image", "save with metadata", "image saver", "civitai", "a1111 parameters"],
            is_input_list=True,
            is_output_node=True,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                # Optional, so that a sampler that is bypassed or muted fails no prompt.
                io.Image.Input("images", optional=True, tooltip="From the sampler, the recorder, or what follows."),
                io.String.Input(
                    "filename_prefix",
                    default="ComfyUI",
                    tooltip="How the files' names begin, with a folder if you like. %checkpoint% is the checkpoint "
                    "of the image; %date:yyyy-MM-dd%, %width% and %KSampler.seed% work as in Save Image.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(FORMATS),
                    default="png",
                    tooltip="png keeps every pixel. ComfyUI's page opens the workflow of png and webp, not of jpeg, "
                    "and a jpeg has no room for a large one.",
                ),
                # Optional, so that a script may leave them out.
                io.Int.Input(
                    "quality",
                    default=DEFAULT_QUALITY,
                    min=1,
                    max=100,
                    optional=True,
                    advanced=True,
                    tooltip="For jpeg, and for webp that is not lossless.",
                ),
                io.Boolean.Input(
                    "lossless",
                    default=True,
                    optional=True,
                    advanced=True,
                    tooltip="For webp: keep every pixel.",
                ),
                io.Boolean.Input(
                    "a1111_parameters",
                    default=True,
                    optional=True,
                    tooltip="Also write the text that A1111 writes, so that galleries and Civitai see prompt, "
                    "checkpoint and settings. Civitai then shows the image as made with A1111; leave it off to "
                    "have it shown as made with ComfyUI.",
                ),
                GenerationType.Input(
                    "generation",
                    optional=True,
                    tooltip="From the node that gives the images: the Feedback Recorder, or the Multi-Checkpoint "
                    "Sampler.",
                ),
                PlanType.Input(
                    "plan", optional=True, tooltip="For a graph of your own without a recorder: from the recommender."
                ),
                io.String.Input(
                    "ckpt_names",
                    optional=True,
                    force_input=True,
                    tooltip="For a graph of your own: the checkpoint of each image (or batch), in order.",
                ),
            ],
            outputs=[io.Image.Output("images", is_output_list=True, tooltip="The images as they arrived.")],
        )

    @classmethod
    async def fingerprint_inputs(cls, **_: Any) -> str:
        """Change nothing about caching; only have the run's files carry the generation of a cached result."""
        await announce(execution.node_id())
        return ""

    @classmethod
    async def execute(
        cls,
        filename_prefix: Sequence[str],
        format: Sequence[str],  # noqa: A002 - the input's name
        images: Sequence[torch.Tensor] = (),
        quality: Sequence[int] = (DEFAULT_QUALITY,),
        lossless: Sequence[bool] = (True,),
        a1111_parameters: Sequence[bool] = (True,),
        generation: Sequence[GenerationReference] | None = None,
        plan: Sequence[Recommendation] | None = None,
        ckpt_names: Sequence[str] | None = None,
    ) -> io.NodeOutput:
        if not images:
            return _result([], empty_list_output(), [_no_images()])
        notes: list[str] = []
        references = generation or ()
        if not references and plan:
            references, problem = await _logged(cls, images, plan, ckpt_names or ())
            notes.append(problem)
        notes += [reference.message for reference in references if not reference.generation_id]
        singles = [image[0] for batch in images for image in single_images(batch)]
        prompt, saver = cls.hidden.prompt or {}, execution.node_id()
        try:
            at, graph = places(references, len(singles), prompt, saver), graph_recipe(prompt, saver)
        except Exception:  # a graph of other packs' nodes: whatever reading it raises, the images are saved
            log.warning("The graph of these images could not be read", exc_info=True)
            at, graph = None, Recipe()
        if references and at is None:
            notes.append(_not_certain(len(singles), references))
        origins = Origins(references, at or (), _names(images, ckpt_names or ()), graph)
        writer = ImageWriter(
            Encoding(format[0], quality[0], lossless[0]),
            filename_prefix[0],
            cls.hidden.prompt,
            cls.hidden.extra_pnginfo,
            with_parameters=a1111_parameters[0],
        )
        try:
            saved = await asyncio.to_thread(writer.save, singles, origins)
        except NotSaved as error:
            raise with_parts_sent(error) from error.__cause__
        return _result(saved, images, [*notes, *writer.notes()])


async def _logged(
    node: type[io.ComfyNode], images: Sequence[torch.Tensor], plans: Sequence[Recommendation], names: Sequence[str]
) -> tuple[Sequence[GenerationReference], str]:
    """The generations of a graph that a person wired, or why they are not known."""
    try:
        references = await log_by_plan(images, plans, names, node.hidden.prompt)
    except WiringError as error:
        return (), error_text(error)
    for number, reference in enumerate(references):
        add(reference, execution.node_id(), f"{execution.node_id()}/{number}", node.hidden.extra_pnginfo)
    return references, ""


def _names(batches: Sequence[torch.Tensor], names: Sequence[str]) -> Sequence[str]:
    """The checkpoint of each image as it was connected; empty where the names do not fit."""
    try:
        entries = images_by_checkpoint([batch.shape[0] for batch in batches], names)
    except WiringError:
        return ()
    return [entry.checkpoint for entry in entries for _ in range(entry.images)]


def _result(saved: Sequence[Mapping[str, str]], images: Sequence[Any], notes: Sequence[str]) -> io.NodeOutput:
    text = joined(dict.fromkeys(note for note in notes if note))
    ui: dict[str, Any] = {"images": list(saved)}
    if text:
        show_on_node(text)
        ui["context_checkpoint_message"] = [{"message": text, "message_parts": list(parts_of(text))}]
    return io.NodeOutput(list(images), ui=ui)


def _no_images() -> str:
    return message(
        "nothing_to_save",
        "No images arrive, so none is saved. The node that makes them is bypassed, muted or not connected; turn it on "
        "or connect it.",
    )


def _not_certain(images: int, references: Sequence[GenerationReference]) -> str:
    return message(
        "places_unknown",
        "{images} images arrive, and which of the generation's {expected} they are is not certain: the files name the "
        "generation and all of its checkpoints. Connect the `generation` of the node that gives the images, and let "
        "nothing between them change their number.",
        images=images,
        expected=sum(len(reference.checkpoints) for reference in references),
    )
