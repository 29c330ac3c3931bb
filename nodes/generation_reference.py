"""What one socket of this pack carries: the generation that images belong to.

Separate from `socket_types`, which needs ComfyUI, so that what is decided from it can be tested without.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..learning.values import Recommendation
from ..recipes import Recipe


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
