"""The two socket types of this pack, and what travels along them.

They are apart from the nodes so that a node at either end of a wire needs to know only this module. The type
names are written into people's workflows and never change.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfy_api.latest import io

from ..learning.values import Recommendation

PlanType = io.Custom("CC_PLAN")
"""Carries a `learning.values.Recommendation`, its checkpoints spelled as in ComfyUI's file lists."""

GenerationType = io.Custom("CC_GENERATION")
"""Carries a `GenerationReference`."""


@dataclass(frozen=True, slots=True)
class GenerationReference:
    """Which logged generation a list of images belongs to, and who drew each of them.

    Attributes
    ----------
    generation_id
        The id to give verdicts by. Empty where logging failed: `message` then says why, and nothing can be
        learned.
    checkpoints
        The checkpoint of each image, in the order of the images.
    plan
        What was recommended. Its checkpoints may be more than were drawn: one that could not be loaded drops
        out.
    message
        What the person should know of this round (a checkpoint dropped out, the database failed); empty if
        nothing.
    """

    generation_id: str
    checkpoints: tuple[str, ...]
    plan: Recommendation
    message: str = ""


__all__ = ["GenerationReference", "GenerationType", "PlanType"]
