"""What made the images of a graph that a person wired: read from the queued prompt, for the log.

Pure, and never a guess: a value that is computed when the graph runs stays unknown, unless it comes from our own
nodes, whose settings and LoRAs are in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...learning.values import Branch, Recommendation
from ...recipes import Lora, Reading, Recipe, read_images

SETTINGS_NODE = "ContextSettingsRecommender"
LOADER_NODE = "RecommendedCheckpointLoader"

LoadedLoras = Callable[[str], "Sequence[tuple[Lora, ...]] | None"]
"""With which LoRAs our loader gave each entry of its lists, by the id of its node; None where that is not known."""

_INPUTS = {
    "steps": "steps",
    "cfg": "cfg",
    "sampler": "sampler_name",
    "scheduler": "scheduler",
    "width": "width",
    "height": "height",
}
"""Of the settings node, by the field of a recipe."""


def recipes_of(
    prompt: Mapping[str, object],
    node: str,
    plan: Recommendation,
    checkpoints: Sequence[str],
    loaded_loras: LoadedLoras = lambda node: None,
) -> tuple[Recipe, ...]:
    """Return what made the images that arrive at a node; empty where the prompt does not say.

    Parameters
    ----------
    checkpoints
        The checkpoint of each run of the graph, in their order.
    """
    reading = read_images(prompt).get(node)
    if reading is None:
        return ()
    linked = _of_the_settings_node(prompt, reading)
    branches = _branches(plan, checkpoints)
    recipes = [
        _recipe(replace(reading.recipe, model=name), branch, linked)
        for name, branch in zip(checkpoints, branches, strict=True)
    ]
    if not reading.planned_by:
        return tuple(recipes)
    loras = _planned_loras(prompt, reading, branches, loaded_loras)
    return tuple(replace(recipe, loras=planned) for recipe, planned in zip(recipes, loras, strict=True))


def _planned_loras(
    prompt: Mapping[str, object], reading: Reading, branches: Sequence[Branch | None], loaded_loras: LoadedLoras
) -> Sequence[tuple[Lora, ...] | None]:
    """The LoRAs of each branch where a node of ours gives them, and those that the graph adds; None: not known."""
    node = prompt.get(reading.planned_by)
    if isinstance(node, Mapping) and node.get("class_type") == LOADER_NODE:
        planned: Sequence[tuple[Lora, ...] | None] = loaded_loras(reading.planned_by) or ()
    else:
        planned = [None if branch is None else branch.loras for branch in branches]
    others = reading.other_loras
    if others is None or len(planned) != len(branches):
        return [None] * len(branches)
    return [None if loras is None else (*loras, *others) for loras in planned]


def _of_the_settings_node(prompt: Mapping[str, object], reading: Reading) -> dict[str, object]:
    """The fields that are linked to a settings node, with the values that it uses where the plan says nothing."""
    own: dict[str, object] = {}
    for one in reading.unclear:
        node = prompt.get(one.node)
        if isinstance(node, Mapping) and node.get("class_type") == SETTINGS_NODE and one.field in _INPUTS:
            typed = node.get("inputs", {}).get(_INPUTS[one.field])
            own[one.field] = typed if isinstance(typed, (int, float, str)) else None
    return own


def _branches(plan: Recommendation, checkpoints: Sequence[str]) -> list[Branch | None]:
    """The plan's branch of each run; two of one checkpoint are told apart by their order, or nothing is known."""
    branches = plan.all_branches
    if [branch.checkpoint for branch in branches] == list(checkpoints):
        return list(branches)
    names = [branch.checkpoint for branch in branches]
    return [branches[names.index(name)] if names.count(name) == 1 else None for name in checkpoints]


def _recipe(recipe: Recipe, branch: Branch | None, linked: Mapping[str, object]) -> Recipe:
    if branch is None:
        return recipe
    known = branch.settings.known()
    values: dict[str, Any] = {name: known.get(name, own) for name, own in linked.items()}
    return replace(recipe, **values)
