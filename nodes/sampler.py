"""`MultiCheckpointSampler`: samples a plan's images, one branch per recommended checkpoint.

It only builds the graph; ComfyUI runs it. Each branch is the graph that a person would wire by hand from ComfyUI's own
nodes (load, encode twice, sample, decode) with the settings of that branch, so that its images are the same, pixel for
pixel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..checkpoints.lora_stacks import Stack, read_stack
from ..learning.message import Message, joined
from ..learning.recommendation.strategy import divide_images
from ..learning.values import Branch, Recommendation
from ..recipes import Recipe, Settings
from .branch_loras import PromptTags, branch_loras, read_tags
from .branch_nodes import BRANCH_INPUTS, without_plan
from .branch_settings import settings_fingerprint
from .branch_start import Link, Start, StartError
from .comfy import execution
from .comfy.files import lora_files
from .comfy.graph import new_expansion, sampler_names, scheduler_names
from .comfy.messages import with_parts_sent
from .learned_settings import branches_with_learned
from .loading.checkpoint_loading import loras_fingerprint, warm_first
from .recording.carried_generations import announce
from .socket_types import GenerationType, LoraStackType, PlanType

if TYPE_CHECKING:
    import torch

    from .comfy.graph import GraphBuilder

MOST_IMAGES = 64
OWN_SETTINGS = "each checkpoint's own, where known"
AS_SET_HERE = "as set here"
APPLY_TAGS = "apply"
KEEP_TAGS = "keep as text"


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
                    tooltip="Below 1, part of the image or latent is kept.",
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
                    tooltip="Start from this instead of an empty image of width and height. It fits the checkpoints of "
                    "one architecture. Each branch takes one sample per image, in order, and starts over when they run "
                    "out.",
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
                # The last widget, so that the values of workflows saved without it keep their places.
                io.Combo.Input(
                    "settings",
                    options=[OWN_SETTINGS, AS_SET_HERE],
                    default=OWN_SETTINGS,
                    optional=True,
                    tooltip="What each checkpoint is drawn with: its own steps, cfg, sampler, scheduler, clip skip and "
                    "words (the panel, Checkpoints), or what is set here for all of them.",
                ),
                LoraStackType.Input(
                    "lora_stack",
                    optional=True,
                    tooltip="LoRAs for every branch, from any pack's stacker. One that is for another architecture "
                    "than a checkpoint's is left out for it, and named here. A plan has its own LoRAs already.",
                ),
                io.Combo.Input(
                    "lora_tags",
                    options=[APPLY_TAGS, KEEP_TAGS],
                    default=APPLY_TAGS,
                    optional=True,
                    tooltip="What becomes of `<lora:name:0.8>` (or `<lora:name:model:text encoder>`) in the positive "
                    "prompt. apply: the LoRA is applied and the tag is taken out of the text; one that cannot be "
                    "applied is named here. keep as text: the text encoder gets the tag as words.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Start from this image, in its own size, instead of an empty one (image to image, a second "
                    "pass). Each checkpoint's own VAE encodes it. Set denoise below 1.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Change only this part of the image or latent (inpainting).",
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
    async def fingerprint_inputs(cls, settings: str = OWN_SETTINGS, **inputs: Any) -> str:
        """Return a value that changes with the checkpoints' own settings, so that ComfyUI serves no former images.

        Also with the LoRAs that there are, where some are asked for: one that was missing or broken may have come. It
        also has the run's files carry the generation of a cached result.
        """
        await announce(execution.node_id())
        own = await asyncio.to_thread(settings_fingerprint) if settings == OWN_SETTINGS else ""
        return f"{own} {lora_files().names()} {loras_fingerprint()}" if _asks_for_loras(inputs) else own

    @classmethod
    async def execute(
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
        settings: str = OWN_SETTINGS,
        lora_stack: object = None,
        lora_tags: str = APPLY_TAGS,
        image: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        **sampling: Any,
    ) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        try:
            start = Start(latent, image, mask)
        except StartError as error:
            raise with_parts_sent(error) from None
        branches = await _branches(plan, settings, _settings_here(width, height, sampling))
        shares = divide_images(plan.strategy, [branch.checkpoint for branch in branches], images_per_prompt)
        texts = (positive if positive.strip() else plan.prompt, negative)
        size = (width, height) if start.empty else None
        recipes, note = await asyncio.to_thread(
            _with_loras,
            [_recipe(branch, texts, size, sampling) for branch in branches],
            branches,
            read_stack(lora_stack),
            lora_tags,
        )
        graph = new_expansion()
        encoder = _Encoder(graph, clip)
        drawn = {}
        for branch_input, position in zip(BRANCH_INPUTS, _warm_first(branches), strict=False):
            recipe, share = recipes[position], shares[position]
            drawn[branch_input] = _branch(graph, position, recipe, encoder, start, share, vae)
        note = joined([note, start.problem])
        collector = graph.node("ContextCheckpointBranchCollector", plan=plan, recipes=recipes, note=note, **drawn)
        return io.NodeOutput(*(collector.out(slot) for slot in range(4)), expand=graph.finalize())


async def _branches(plan: Recommendation, settings: str, here: Settings) -> tuple[Branch, ...]:
    if settings == AS_SET_HERE:  # each once: a question about settings would draw the same twice
        alike = {(branch.checkpoint, branch.loras): branch for branch in plan.all_branches}
        return tuple(Branch(checkpoint, loras=loras) for checkpoint, loras in alike)
    if plan.branches:
        return plan.branches
    return await branches_with_learned(plan, here)


def _warm_first(branches: Sequence[Branch]) -> list[int]:
    """Return the positions of the branches in the order in which they run."""
    order = warm_first(dict.fromkeys(branch.checkpoint for branch in branches))
    return sorted(range(len(branches)), key=lambda position: order.index(branches[position].checkpoint))


def _with_loras(
    recipes: Sequence[Recipe], branches: Sequence[Branch], stack: Stack, lora_tags: str
) -> tuple[tuple[Recipe, ...], Message]:
    """Return the recipes with the LoRAs of their branches, and what of them is left out; blocks on the disk."""
    whole, problems = [], list(stack.problems)
    for recipe, branch in zip(recipes, branches, strict=True):
        text = PromptTags(recipe.positive or "", recipe.negative or "")
        if lora_tags == APPLY_TAGS:
            text = read_tags(text.positive, text.negative)
        loras = branch_loras(branch, stack.loras, text.loras)
        problems += [*text.problems, *loras.problems]
        whole.append(replace(recipe, positive=text.positive, negative=text.negative, loras=loras.loras))
    return tuple(whole), joined(dict.fromkeys(problems))


def _asks_for_loras(inputs: Mapping[str, Any]) -> bool:
    texts = (inputs.get("positive"), inputs.get("negative"))  # None where they are connected
    return "lora_stack" in inputs or any(text is None or "<" in text for text in texts)


def _settings_here(width: int, height: int, sampling: Mapping[str, Any]) -> Settings:
    """Return the node's own values as settings."""
    names = ("steps", "cfg", "sampler_name", "scheduler")
    return Settings(*(sampling.get(name) for name in names), width, height, clip_skip=1)


@dataclass(slots=True)
class _Encoder:
    """Encodes texts: with each checkpoint's own text encoder, or with one that is connected for all.

    With one for all, each text is encoded once.
    """

    graph: GraphBuilder
    clip: Link | None
    _shared: dict[tuple[str | None, int], Link] = field(default_factory=dict)

    def encoded(self, recipe: Recipe, text: str | None, clip: Link, loras: Mapping[str, Link]) -> Link:
        """Encode with a branch's text encoder, which has the branch's LoRAs.

        Parameters
        ----------
        loras
            The link to those that it has; empty where it should have none.
        """
        skip = recipe.clip_skip or 1
        if self.clip is None:
            return self.graph.node(
                "ContextCheckpointBranchText",
                ckpt_name=recipe.model,
                text=text,
                conditioning=self._encode(text, clip, skip),
                clip_skip=skip,
                **loras,
            ).out(0)
        if loras:
            return self._encode(text, clip, skip)
        if (text, skip) not in self._shared:
            self._shared[text, skip] = self._encode(text, self.clip, skip)
        return self._shared[text, skip]

    def _encode(self, text: str | None, clip: Link, skip: int) -> Link:
        """Encode up to a layer of the text encoder. A skip of 1 is what the model does by itself."""
        if skip > 1:
            clip = self.graph.node("CLIPSetLastLayer", clip=clip, stop_at_clip_layer=-skip).out(0)
        return self.graph.node("CLIPTextEncode", text=text, clip=clip).out(0)


def _recipe(
    branch: Branch, texts: tuple[str, str], size: tuple[int, int] | None, sampling: Mapping[str, Any]
) -> Recipe:
    """What makes a branch's images; the size of an image that does not start empty is its own.

    Parameters
    ----------
    texts
        The positive and the negative prompt, without the words of the checkpoint.
    size
        The node's width and height; None if a latent or an image is the start.
    sampling
        The node's own values, by the names of KSampler's inputs.
    """
    here = Settings(sampling["steps"], sampling["cfg"], sampling["sampler_name"], sampling["scheduler"])
    settings = branch.settings.filled(here if size is None else replace(here, width=size[0], height=size[1]))
    return Recipe(
        model=branch.checkpoint,
        loras=(),
        positive=settings.positive_with(texts[0]),
        negative=settings.negative_with(texts[1]),
        steps=settings.steps,
        cfg=settings.cfg,
        sampler=settings.sampler,
        scheduler=settings.scheduler,
        denoise=sampling["denoise"],
        seed=sampling["seed"],
        width=None if size is None else settings.width,
        height=None if size is None else settings.height,
        clip_skip=settings.clip_skip,
        tool="ComfyUI",
    )


def _branch(
    graph: GraphBuilder,
    position: int,
    recipe: Recipe,
    encoder: _Encoder,
    start: Start,
    count: int,
    vae: Link | None,
) -> Link:
    name = recipe.model
    needs = [part for part, linked in (("clip", encoder.clip), ("vae", vae)) if linked is None]
    loader = graph.node("ContextCheckpointBranchLoader", ckpt_name=name, needs=",".join(needs))
    model, own_clip, own_vae, problem = (loader.out(slot) for slot in range(4))
    clip = own_clip if encoder.clip is None else encoder.clip
    vae = own_vae if vae is None else vae
    loras = {}
    if recipe.loras:
        applied = graph.node("ContextCheckpointBranchLoras", ckpt_name=name, model=model, clip=clip, loras=recipe.loras)
        model, clip, loras["loras"] = (applied.out(slot) for slot in range(3))
    positive, negative = (encoder.encoded(recipe, text, clip, loras) for text in (recipe.positive, recipe.negative))
    sampled = graph.node(
        "KSampler",
        model=model,
        positive=positive,
        negative=negative,
        latent_image=start.latents(graph, recipe, count, vae),
        seed=recipe.seed,
        steps=recipe.steps,
        cfg=recipe.cfg,
        sampler_name=recipe.sampler,
        scheduler=recipe.scheduler,
        denoise=recipe.denoise,
    ).out(0)
    images = graph.node("VAEDecode", samples=sampled, vae=vae).out(0)
    return graph.node(
        "ContextCheckpointBranchEnd",
        ckpt_name=name,
        problem=problem,
        images=images,
        latents=sampled,
        position=position,
        **loras,
    ).out(0)
