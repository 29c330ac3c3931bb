"""From the texts of a file to a recipe: one module per tool, each a pure function, and the order in which they are
asked. Tools come first that others' texts would also fit: SwarmUI, Stability Matrix and Tensor.Art write ComfyUI's
graph beside their own settings, and say in these what the person asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...recipe import Recipe
from ..problem import Problem
from ..texts import Json, Texts
from . import (
    a1111,
    civitai,
    comfyui,
    draw_things,
    easy_diffusion,
    fooocus,
    hugging_face,
    invokeai,
    novelai,
    stability_matrix,
    swarmui,
    tensorart,
)

_ALONE: tuple[Callable[[Texts], Recipe | None], ...] = (swarmui.read, invokeai.read, novelai.read)
_BESIDE_A_GRAPH: tuple[Callable[[Texts, Recipe | None], Recipe | None], ...] = (
    tensorart.read,
    stability_matrix.read,
    civitai.read,
)
_WITHOUT_A_GRAPH: tuple[Callable[[Texts], Recipe | None], ...] = (
    fooocus.read,
    draw_things.read,
    easy_diffusion.read,
    a1111.read,
    hugging_face.read,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the texts of a file say.

    Parameters
    ----------
    recipe
        None where no tool is known by them.
    problems
        What of the recipe could not be read.
    prompt
        ComfyUI's graph in API form, where that is what was read.
    """

    recipe: Recipe | None
    problems: tuple[Problem, ...] = ()
    prompt: Mapping[str, Json] | None = None


def read_texts(texts: Texts, file_name: str) -> Found:
    """Ask one tool's reader after the other; the first that knows the texts answers."""
    for read in _ALONE:
        recipe = read(texts)
        if _says_something(recipe):
            return Found(recipe)
    graph = comfyui.read_graphs(texts, file_name)
    for read_beside in _BESIDE_A_GRAPH:
        recipe = read_beside(texts, graph.recipe)
        if _says_something(recipe):
            return Found(recipe, (), graph.prompt)
    recipe = comfyui.read(texts, graph)
    if recipe is not None:
        return Found(recipe, _still(graph.problems, recipe), graph.prompt)
    for read in _WITHOUT_A_GRAPH:
        recipe = read(texts)
        if _says_something(recipe):
            return Found(recipe, (), graph.prompt)
    return Found(None, graph.problems, graph.prompt)


def _says_something(recipe: Recipe | None) -> bool:
    """Whether there is anything that tells one image from another."""
    return recipe is not None and (recipe.model, recipe.positive, recipe.seed, recipe.steps) != (None,) * 4


def _still(problems: tuple[Problem, ...], recipe: Recipe) -> tuple[Problem, ...]:
    """The problems of fields that nothing else has filled since."""
    return tuple(entry for entry in problems if getattr(recipe, str(entry.values.get("field", "")), None) is None)
