"""`MultiCheckpointSampler`: samples a plan's images, one branch per recommended checkpoint.

It only builds the graph; ComfyUI runs it. Each branch is the graph that a person would wire by hand from ComfyUI's own
nodes (load, encode twice, sample, decode), so that its images are the same, pixel for pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from comfy_api.latest import io

from ..learning.recommendation.strategy import divide_images
from ..learning.values import Recommendation
from ..recipes import Recipe
from .branch_nodes import BRANCH_INPUTS, without_plan
from .comfy import execution
from .comfy.graph import new_expansion, sampler_names, scheduler_names
from .loading.checkpoint_loading import warm_first
from .recording.carried_generations import announce
from .socket_types import GenerationType, PlanType

if TYPE_CHECKING:
    from comfy_execution.graph_utils import GraphBuilder

MOST_IMAGES = 64

Link: TypeAlias = "list[Any]"


class MultiCheckpointSampler(io.ComfyNode):
    """Loads, samples and decodes one branch per checkpoint of a plan, one branch after the other."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MultiCheckpointSampler",
            display_name="Multi-Checkpoint Sampler",
            category="Context Checkpoint",
            description="Generates images with each recommended checkpoint and divides them as the plan says. "
            "Every branch uses the same seed, and its images equal those of the same graph wired by hand.",
            search_aliases=["ksampler", "sampler", "checkpoint", "branch", "compare checkpoints"],
            enable_expand=True,
            not_idempotent=True,
            inputs=[
                # Optional, so that a recommender that is bypassed or muted fails no prompt.
                PlanType.Input("plan", optional=True, tooltip="From the Context Checkpoint Recommender."),
                io.String.Input(
                    "positive",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="What the images should show. Empty: the recommender's prompt.",
                ),
                io.String.Input(
                    "negative",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="What the images should not show.",
                ),
                io.Int.Input("width", default=512, min=16, max=16384, step=8, tooltip="In pixels."),
                io.Int.Input("height", default=512, min=16, max=16384, step=8, tooltip="In pixels."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Every branch starts from this seed.",
                ),
                io.Int.Input("steps", default=20, min=1, max=10000),
                io.Float.Input("cfg", default=7.0, min=0.0, max=100.0, step=0.1, round=0.01),
                io.Combo.Input("sampler_name", options=sampler_names()),
                io.Combo.Input("scheduler", options=scheduler_names()),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Below 1, part of the latent is kept.",
                ),
                io.Int.Input(
                    "images_per_prompt",
                    default=1,
                    min=1,
                    max=MOST_IMAGES,
                    tooltip="Images to divide among the checkpoints; each gets at least one.",
                ),
                io.Latent.Input(
                    "latent",
                    optional=True,
                    tooltip="Start from this instead of an empty image of width and height (image to image, "
                    "inpainting). Each branch takes one sample per image, in order, and starts over "
                    "when they run out.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    raw_link=True,
                    tooltip="Encodes the texts of every branch. Without it each checkpoint's own text encoder does; "
                    "diffusion models have none.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    raw_link=True,
                    tooltip="Decodes the images of every branch. Without it each checkpoint's own VAE does.",
                ),
            ],
            outputs=[
                io.Image.Output("images", is_output_list=True, tooltip="One entry per image, best first."),
                io.Latent.Output("latents", is_output_list=True, tooltip="One entry per image."),
                io.String.Output("ckpt_names", is_output_list=True, tooltip="The checkpoint that made each image."),
                GenerationType.Output("generation", tooltip="For the Feedback Recorder."),
            ],
        )

    @classmethod
    async def fingerprint_inputs(cls, **_: Any) -> str:
        """Change nothing about caching; only have the run's files carry the generation of a cached result."""
        await announce(execution.node_id())
        return ""

    @classmethod
    def execute(
        cls,
        positive: str,
        negative: str,
        width: int,
        height: int,
        images_per_prompt: int,
        plan: Recommendation | None = None,
        latent: Mapping[str, Any] | None = None,
        clip: Link | None = None,
        vae: Link | None = None,
        **sampling: Any,
    ) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        graph = new_expansion()
        positive = positive if positive.strip() else plan.prompt
        texts = _Texts(positive, negative)
        if clip is not None:
            encoders = (graph.node("CLIPTextEncode", text=text, clip=clip) for text in (positive, negative))
            first, second = (encoder.out(0) for encoder in encoders)
            texts = _Texts(positive, negative, (first, second))
        shares = dict(
            zip(
                plan.checkpoints,
                divide_images(plan.strategy, plan.checkpoints, images_per_prompt),
                strict=True,
            )
        )
        size = (width, height) if latent is None else (None, None)
        recipes = {name: _recipe(name, texts, size, sampling) for name in plan.checkpoints}
        branches = {}
        for branch_input, name in zip(BRANCH_INPUTS, warm_first(plan.checkpoints), strict=False):
            latents = (
                _empty_latents(graph, width, height, shares[name])
                if latent is None
                else _first_latents(graph, latent, shares[name])
            )
            branches[branch_input] = _branch(graph, name, texts, latents, vae, sampling)
        collector = graph.node("ContextCheckpointBranchCollector", plan=plan, recipes=recipes, **branches)
        return io.NodeOutput(*(collector.out(slot) for slot in range(4)), expand=graph.finalize())


@dataclass(frozen=True, slots=True)
class _Texts:
    """The positive and the negative prompt; encoded already where one text encoder serves all branches."""

    positive: str
    negative: str
    encoded: tuple[Link, Link] | None = None


def _recipe(name: str, texts: _Texts, size: tuple[int | None, int | None], sampling: Mapping[str, Any]) -> Recipe:
    """What makes a branch's images; the size of an image that starts from a latent is the image's own."""
    return Recipe(
        model=name,
        loras=(),
        positive=texts.positive,
        negative=texts.negative,
        steps=sampling.get("steps"),
        cfg=sampling.get("cfg"),
        sampler=sampling.get("sampler_name"),
        scheduler=sampling.get("scheduler"),
        denoise=sampling.get("denoise"),
        seed=sampling.get("seed"),
        width=size[0],
        height=size[1],
        tool="ComfyUI",
    )


def _branch(
    graph: GraphBuilder, name: str, texts: _Texts, latents: Link, vae: Link | None, sampling: Mapping[str, Any]
) -> Link:
    needs = [part for part, linked in (("clip", texts.encoded), ("vae", vae)) if linked is None]
    loader = graph.node("ContextCheckpointBranchLoader", ckpt_name=name, needs=",".join(needs))
    model, own_clip, own_vae, problem = (loader.out(slot) for slot in range(4))
    positive, negative = texts.encoded or (
        _encoded(graph, name, texts.positive, own_clip),
        _encoded(graph, name, texts.negative, own_clip),
    )
    sampled = graph.node(
        "KSampler", model=model, positive=positive, negative=negative, latent_image=latents, **sampling
    ).out(0)
    images = graph.node("VAEDecode", samples=sampled, vae=own_vae if vae is None else vae).out(0)
    return graph.node(
        "ContextCheckpointBranchEnd", ckpt_name=name, problem=problem, images=images, latents=sampled
    ).out(0)


def _encoded(graph: GraphBuilder, name: str, text: str, clip: Link) -> Link:
    encoded = graph.node("CLIPTextEncode", text=text, clip=clip).out(0)
    return graph.node("ContextCheckpointBranchText", ckpt_name=name, text=text, conditioning=encoded).out(0)


def _empty_latents(graph: GraphBuilder, width: int, height: int, count: int) -> Link:
    """ComfyUI's sampler adapts the channels and the scale of an empty latent to the model."""
    return graph.node("EmptyLatentImage", width=width, height=height, batch_size=count).out(0)


def _first_latents(graph: GraphBuilder, latent: Mapping[str, Any], count: int) -> Link | Mapping[str, Any]:
    """Take the first `count` samples of a batch, starting over when they run out."""
    batch_size = latent["samples"].shape[0]
    repeats = math.ceil(count / batch_size)
    latents: Link | Mapping[str, Any] = latent
    if repeats > 1:
        latents = graph.node("RepeatLatentBatch", samples=latents, amount=repeats).out(0)
    if repeats * batch_size != count:
        latents = graph.node("LatentFromBatch", samples=latents, batch_index=0, length=count).out(0)
    return latents
