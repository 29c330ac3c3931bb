"""The sub-nodes of `MultiCheckpointSampler`, besides ComfyUI's own: load, LoRAs, text, end of a branch,
collect.

Nobody adds these by hand. They are nodes and not functions because ComfyUI decides in which order a graph runs:

- The loader has empty outputs for a checkpoint that cannot be loaded instead of failing, and gives the reason in its
  last output. (An `ExecutionBlocker` would also block the collector.)
- The LoRAs are applied by a node of its own instead of ComfyUI's, which fails the whole prompt at a broken file.
- The end of a branch requests its images only if there is no problem (lazy inputs), and packs them into one value, so
  that nothing that waits for the other branches keeps this one's model alive.
- The collector requests one branch after the other (lazy inputs again): each has ended before the next loads.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from comfy_api.latest import io

from ..checkpoints.lora_stacks import Stack
from ..checkpoints.pool import ALL_PARTS
from ..learning.message import error_text, joined, message, parts_of
from ..learning.names import shown_name
from ..learning.values import MOST_BRANCHES
from ..recipes import Lora, Recipe
from .comfy import execution
from .comfy.checkpoint import Checkpoint
from .comfy.graph import ExecutionBlocker, empty_list_output
from .comfy.messages import show_on_node, with_parts_sent
from .loading.checkpoint_loading import (
    CannotLoad,
    apply_loras,
    end_branch,
    file_fingerprint,
    load,
    loras_fingerprint,
    pace,
    text_cache,
    text_key,
)
from .recording.carried_generations import add
from .recording.generation_log import log_generation
from .socket_types import GenerationType, PlanType

log = logging.getLogger(__name__)

_CATEGORY = "Context Checkpoint/inner"

_Branch = io.Custom("CC_BRANCH")
_Recipes = io.Custom("CC_RECIPES")
"""Carries what makes the images of each checkpoint, by its name."""
_Loras = io.Custom("CC_LORAS")
"""Carries the LoRAs of a branch: those that it should have, or a `Stack` of those that it has."""
NO_LORAS = Stack()
_Collected = io.Custom("CC_COLLECTED")
"""A whole list as one value: ComfyUI cannot link a result to a list output of a sub-node."""


@dataclass(frozen=True, slots=True)
class EndedBranch:
    """A branch that has ended: its place in the plan, its images, each `[1, H, W, C]`, and their latents; or its
    problem."""

    position: int
    checkpoint: str
    problem: str
    images: tuple[torch.Tensor, ...] = ()
    latents: tuple[Mapping[str, Any], ...] = ()
    loras: Stack = NO_LORAS


class BranchLoader(io.ComfyNode):
    """Loads a branch's checkpoint, or says why that failed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextCheckpointBranchLoader",
            display_name="Branch: load",
            category=_CATEGORY,
            description="Inner node of the Multi-Checkpoint Sampler.",
            is_dev_only=True,
            inputs=[io.String.Input("ckpt_name"), io.String.Input("needs", default=",".join(ALL_PARTS), optional=True)],
            outputs=[
                io.Model.Output(),
                io.Clip.Output(),
                io.Vae.Output(),
                io.String.Output("problem"),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, ckpt_name: str, **_: Any) -> str:
        return file_fingerprint(ckpt_name)

    @classmethod
    def execute(cls, ckpt_name: str, needs: str = ",".join(ALL_PARTS)) -> io.NodeOutput:
        try:
            checkpoint = load(ckpt_name, [part for part in ALL_PARTS if part in needs.split(",")])
        except CannotLoad as error:
            log.warning("Checkpoint %s drops out of this generation: %s", shown_name(ckpt_name), error)
            return io.NodeOutput(None, None, None, error_text(error))
        pace().begin(ckpt_name)
        return io.NodeOutput(checkpoint.model, checkpoint.clip, checkpoint.vae, "")


class BranchLoras(io.ComfyNode):
    """Applies a branch's LoRAs as a chain of stock loaders does, without those that cannot be applied."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextCheckpointBranchLoras",
            display_name="Branch: LoRAs",
            category=_CATEGORY,
            description="Inner node of the Multi-Checkpoint Sampler.",
            is_dev_only=True,
            inputs=[
                io.String.Input("ckpt_name"),
                io.Model.Input("model"),
                io.Clip.Input("clip", optional=True),
                _Loras.Input("loras"),
            ],
            outputs=[io.Model.Output(), io.Clip.Output(), _Loras.Output("applied")],
        )

    @classmethod
    def fingerprint_inputs(cls, loras: tuple[Lora, ...], **_: Any) -> str:
        return loras_fingerprint(loras)

    @classmethod
    def execute(cls, ckpt_name: str, model: Any, loras: tuple[Lora, ...], clip: Any = None) -> io.NodeOutput:
        checkpoint, applied = apply_loras(ckpt_name, Checkpoint(model, clip, None), loras)
        return io.NodeOutput(checkpoint.model, checkpoint.clip, applied)


class BranchText(io.ComfyNode):
    """Passes an encoded text on and caches it, so that the next prompt with this text need not encode it.

    ComfyUI's own node in front of this one encodes the text. It runs (lazy input) only if the text is not cached.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextCheckpointBranchText",
            display_name="Branch: text",
            category=_CATEGORY,
            description="Inner node of the Multi-Checkpoint Sampler.",
            is_dev_only=True,
            inputs=[
                io.String.Input("ckpt_name"),
                io.String.Input("text", multiline=True),
                io.Conditioning.Input("conditioning", lazy=True),
                io.Int.Input("clip_skip", default=1, optional=True),
                _Loras.Input("loras", optional=True),
            ],
            outputs=[io.Conditioning.Output()],
        )

    @classmethod
    def fingerprint_inputs(cls, ckpt_name: str, text: str, **_: Any) -> str:
        return file_fingerprint(ckpt_name)

    @classmethod
    def check_lazy_status(
        cls, ckpt_name: str, text: str, conditioning: Any, clip_skip: int = 1, loras: Stack = NO_LORAS
    ) -> list[str]:
        needed = conditioning is None and not text_cache().reserve(text_key(ckpt_name, text, clip_skip, loras.loras))
        return ["conditioning"] if needed else []

    @classmethod
    def execute(
        cls, ckpt_name: str, text: str, conditioning: Any = None, clip_skip: int = 1, loras: Stack = NO_LORAS
    ) -> io.NodeOutput:
        key = text_key(ckpt_name, text, clip_skip, loras.loras)
        if conditioning is None:
            return io.NodeOutput(text_cache().take(key))
        text_cache().put(key, conditioning)
        return io.NodeOutput(conditioning)


class BranchEnd(io.ComfyNode):
    """Packs the images and latents of a branch into one value."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextCheckpointBranchEnd",
            display_name="Branch: end",
            category=_CATEGORY,
            description="Inner node of the Multi-Checkpoint Sampler.",
            is_dev_only=True,
            inputs=[
                io.String.Input("ckpt_name"),
                io.String.Input("problem", force_input=True),
                io.Image.Input("images", lazy=True),
                io.Latent.Input("latents", lazy=True),
                io.Int.Input("position", default=0, optional=True),
                _Loras.Input("loras", optional=True, lazy=True),
            ],
            outputs=[_Branch.Output("branch")],
        )

    @classmethod
    def check_lazy_status(
        cls,
        ckpt_name: str,
        problem: str | None,
        images: torch.Tensor | None,
        latents: Mapping[str, Any] | None,
        position: int = 0,
        loras: Stack | None = NO_LORAS,
    ) -> list[str]:
        if problem:
            return []
        inputs = {"images": images, "latents": latents, "loras": loras}
        return [name for name, value in inputs.items() if value is None]

    @classmethod
    def execute(
        cls,
        ckpt_name: str,
        problem: str,
        images: torch.Tensor | None = None,
        latents: Mapping[str, Any] | None = None,
        position: int = 0,
        loras: Stack | None = None,
    ) -> io.NodeOutput:
        end_branch()
        pace().end(ckpt_name, 0 if images is None else len(images))
        if images is None or latents is None:
            return io.NodeOutput(EndedBranch(position, ckpt_name, problem))
        made = single_images(images), single_latents(latents)
        return io.NodeOutput(EndedBranch(position, ckpt_name, "", *made, loras or NO_LORAS))


class BranchCollector(io.ComfyNode):
    """Runs the branches in turn, puts their images into the plan's order, and logs the generation."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextCheckpointBranchCollector",
            display_name="Branch: collect",
            category=_CATEGORY,
            description="Inner node of the Multi-Checkpoint Sampler.",
            is_dev_only=True,
            not_idempotent=True,
            hidden=[io.Hidden.extra_pnginfo],
            inputs=[
                PlanType.Input("plan"),
                _Recipes.Input("recipes"),
                io.String.Input("note", default="", optional=True),
                *(_Branch.Input(name, optional=True, lazy=True) for name in BRANCH_INPUTS),
            ],
            outputs=[
                _Collected.Output("images"),
                _Collected.Output("latents"),
                _Collected.Output("ckpt_names"),
                GenerationType.Output("generation"),
            ],
        )

    @classmethod
    def check_lazy_status(cls, plan: Any, recipes: Any, note: str = "", **branches: EndedBranch | None) -> list[str]:
        waiting = [name for name in BRANCH_INPUTS if name in branches and branches[name] is None]
        return waiting[:1]

    @classmethod
    async def execute(
        cls, plan: Any, recipes: Sequence[Recipe], note: str = "", **branches: EndedBranch
    ) -> io.NodeOutput:
        ended = sorted(branches.values(), key=lambda branch: branch.position)
        successful = [branch for branch in ended if not branch.problem]
        dropped = {branch.checkpoint: branch.problem for branch in ended if branch.problem}
        if not successful:
            raise with_parts_sent(NoCheckpointLeft(dropped))
        note = joined(dict.fromkeys([note, *(each for branch in successful for each in branch.loras.problems)]))
        whole = joined([drop_out_message(dropped), note])
        if whole:
            show_on_node(whole)
        names = [branch.checkpoint for branch in successful for _ in branch.images]
        made = [
            replace(recipes[branch.position], loras=branch.loras.loras) for branch in successful for _ in branch.images
        ]
        reference = await log_generation(plan, names, whole, made)
        collector = execution.node_id()
        sampler = collector.rsplit(".", 3)[0]  # an expansion puts three parts behind the id of its node
        add(reference, sampler, collector, cls.hidden.extra_pnginfo)
        return io.NodeOutput(
            [image for branch in successful for image in branch.images],
            [latent for branch in successful for latent in branch.latents],
            names,
            reference,
            ui={**(drop_out_ui(dropped) or {}), **message_ui(note)} or None,
        )


BRANCH_INPUTS = tuple(f"branch_{number}" for number in range(1, MOST_BRANCHES + 1))

BRANCH_NODES: tuple[type[io.ComfyNode], ...] = (BranchLoader, BranchLoras, BranchText, BranchEnd, BranchCollector)


class NoCheckpointLeft(Exception):
    """Not one of a plan's checkpoints could be loaded."""

    def __init__(self, dropped: Mapping[str, str]) -> None:
        reasons = (joined([name, problem], by=": ") for name, problem in dropped.items())
        super().__init__(
            message(
                "none_loaded",
                "None of the recommended checkpoints could be loaded. {reasons}. Queue again: broken files "
                "are left out of the next recommendation. If no other checkpoint is left, put a working one "
                "into ComfyUI's checkpoints folder, or widen the recommender's family and globs.",
                reasons=joined(reasons, by="; "),
            )
        )


def without_plan(node: type[io.ComfyNode]) -> io.NodeOutput:
    """Run nothing that follows a node without a plan, and say what to do; the rest of the prompt runs."""
    text = message(
        "no_plan",
        "No plan arrives, so no checkpoint is known: no image is made, and nothing is learned. The Context Checkpoint "
        "Recommender is bypassed, muted or not connected; turn it on or connect it.",
    )
    show_on_node(text)
    outputs = [
        empty_list_output() if output.is_output_list else ExecutionBlocker(None)
        for output in node.define_schema().outputs
    ]
    return io.NodeOutput(*outputs, ui=message_ui(text))


def drop_out_message(dropped: Mapping[str, str]) -> str:
    """Say which checkpoints dropped out of a generation, and why; empty if none did."""
    return joined(
        message("dropped_out", "{name} dropped out of this generation: {problem}.", name=name, problem=problem)
        for name, problem in dropped.items()
    )


def drop_out_ui(dropped: Mapping[str, str]) -> dict[str, list[dict[str, str]]] | None:
    """Return the same for the browser and the history."""
    if not dropped:
        return None
    entries = [{"checkpoint": name, "reason": problem} for name, problem in dropped.items()]
    return {"context_checkpoint_dropped": entries}


def message_ui(text: str) -> dict[str, list[dict[str, Any]]]:
    """Return a message for the browser and the history; empty if there is none."""
    return {"context_checkpoint_message": [{"message": text, "message_parts": list(parts_of(text))}]} if text else {}


def single_images(batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Split `[B, H, W, C]` into B times `[1, H, W, C]`."""
    return tuple(batch[position : position + 1] for position in range(batch.shape[0]))


def single_latents(batch: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Split a LATENT of B samples into B of one, each with its own mask and index."""
    samples = batch["samples"]
    if getattr(samples, "is_nested", False):  # image and audio together; they have no common batch
        return (batch,)
    count = samples.shape[0]
    return tuple(_single_latent(batch, position, count) for position in range(count))


def _single_latent(batch: Mapping[str, Any], position: int, count: int) -> Mapping[str, Any]:
    latent = {**batch, "samples": batch["samples"][position : position + 1]}
    for name in ("noise_mask", "batch_index"):
        parts: Sequence[Any] | None = batch.get(name)
        if parts is not None and len(parts) == count:
            latent[name] = parts[position : position + 1]
    return latent
