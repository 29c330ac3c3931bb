"""What the branches of `MultiCheckpointSampler` start from: nothing, a latent, or an image; and a mask.

An image is encoded with each checkpoint's own VAE, because a latent of one architecture does not fit another. Separate
from the node, which knows plans and settings; here are only the nodes in front of each branch's KSampler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..learning.message import message
from ..recipes import Recipe

if TYPE_CHECKING:
    import torch

    from .comfy.graph import GraphBuilder

Link: TypeAlias = "list[Any]"


class StartError(ValueError):
    """The inputs that a branch would start from contradict each other."""


@dataclass(frozen=True, slots=True)
class Start:
    """The inputs `latent`, `image` (`[B, H, W, C]`) and `mask` of the sampler."""

    latent: Mapping[str, Any] | None = None
    image: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.latent is not None and self.image is not None:
            raise StartError(
                message("two_starts", "Both an image and a latent are connected. Connect one of them to start from.")
            )
        if self.empty and self.mask is not None:
            raise StartError(
                message(
                    "mask_alone",
                    "A mask is connected, but nothing that it belongs to. Connect the image to change, too.",
                )
            )

    @property
    def empty(self) -> bool:
        """Whether an empty latent of the node's width and height is the start."""
        return self.latent is None and self.image is None

    @property
    def problem(self) -> str:
        """What the person should know, or empty."""
        if self.mask is None or bool(self.mask.any()):
            return ""
        return message(
            "mask_empty",
            "The mask is empty, so every checkpoint gives the image back as it is. Paint what to change: right-click "
            "the node that loads the image, and open it in the mask editor.",
        )

    def latents(self, graph: GraphBuilder, recipe: Recipe, count: int, vae: Link) -> Link | Mapping[str, Any]:
        """Add the nodes that give `count` latents; a batch begins again at its first when it is used up."""
        latents: Link | Mapping[str, Any]
        if self.latent is not None:
            latents, given = self.latent, self.latent["samples"].shape[0]
        elif self.image is not None:
            latents, given = graph.node("VAEEncode", pixels=self.image, vae=vae).out(0), self.image.shape[0]
        else:  # ComfyUI's sampler adapts the channels and the scale of an empty latent to the model
            return graph.node("EmptyLatentImage", width=recipe.width, height=recipe.height, batch_size=count).out(0)
        if self.mask is not None:
            latents = graph.node("SetLatentNoiseMask", samples=latents, mask=self.mask).out(0)
        repeats = math.ceil(count / given)
        if repeats > 1:
            latents = graph.node("RepeatLatentBatch", samples=latents, amount=repeats).out(0)
        if repeats * given != count:
            latents = graph.node("LatentFromBatch", samples=latents, batch_index=0, length=count).out(0)
        return latents
