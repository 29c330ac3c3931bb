"""What one socket of this pack carries: the generation that images belong to.

Separate from `socket_types`, which needs ComfyUI, so that what is decided from it can be tested without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..learning.values import Branch, Recommendation
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

    def plan_of(self, position: int) -> Recommendation | None:
        """Return a plan for one image: its checkpoint alone, with the settings of its branch and its own LoRAs.

        None where no plan is known.
        """
        if self.plan is None:
            return None
        name = self.checkpoints[position]
        recipe = self.recipes[position] if position < len(self.recipes) else Recipe()
        loras = tuple(recipe.loras or ())
        branch = Branch(name, loras=loras)
        if same := [each for each in self.plan.branches if each.checkpoint == name]:
            # Two branches of one checkpoint differ in a setting, or in their LoRAs.
            branch = replace(next((each for each in same if _drew(each, recipe)), same[0]), loras=loras)
        return replace(self.plan, checkpoints=(name,), branches=(branch,), strategy="exploit", pinned=(), picked=True)


def _drew(branch: Branch, recipe: Recipe) -> bool:
    fields = ("steps", "cfg", "sampler", "scheduler", "clip_skip")
    own = {name: getattr(branch.settings, name) for name in fields}
    alike = all(getattr(recipe, name) == value for name, value in own.items() if value is not None)
    return alike and set(branch.loras) <= set(recipe.loras or ())
