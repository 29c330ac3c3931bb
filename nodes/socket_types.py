"""The two socket types of this pack, and the values that they carry.

Separate from the nodes so that a node at either end of a link needs to know only this module. The type names are
written into people's workflows and never change.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfy_api.latest import io

from ..learning.values import Recommendation
from ..recipes import Recipe

PlanType = io.Custom("CC_PLAN")
"""Carries a `learning.values.Recommendation`, its checkpoints spelled as in ComfyUI's file lists."""

GenerationType = io.Custom("CC_GENERATION")
"""Carries a `GenerationReference`."""


@dataclass(frozen=True, slots=True)
class GenerationReference:
    """The logged generation that a list of images belongs to, and the checkpoint that made each of them.

    Attributes
    ----------
    generation_id
        The id for verdicts. Empty if logging failed: `message` then says why, and nothing can be learned.
    checkpoints
        The checkpoint of each image, in the order of the images.
    plan
        What was recommended; None where no recommender is connected or active. It may have more checkpoints than made
        images: one that cannot be loaded drops out.
    message
        What the person should know about this generation (a checkpoint dropped out, the database failed), or empty.
    recipes
        What made each image, parallel to `checkpoints`; empty where the graph is a person's own and says it itself.
    selected, rejected
        Positions of the images that a recorder passed on at its first and second output; None before a recorder.
    """

    generation_id: str
    checkpoints: tuple[str, ...]
    plan: Recommendation | None
    message: str = ""
    recipes: tuple[Recipe, ...] = ()
    selected: tuple[int, ...] | None = None
    rejected: tuple[int, ...] | None = None


__all__ = ["GenerationReference", "GenerationType", "PlanType"]
