"""Reads Stability Matrix's `parameters-json`: the prompts as the person wrote them. The graph beside it has ComfyUI's
names of sampler and scheduler, and the prompts without comments."""

from __future__ import annotations

from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts
from .fields import Fields, completed, recipe_of, tagged_loras

TOOL = "Stability Matrix"


def read(texts: Texts, graph: Recipe | None) -> Recipe | None:
    data = texts.mapping("parameters-json")
    if not data:
        return None
    recipe = recipe_of(Fields(data), TOOL)
    if graph is not None and graph.sampler is not None:
        recipe = replace(recipe, sampler=graph.sampler, scheduler=graph.scheduler)
    recipe = completed(recipe, graph)
    return recipe if recipe.loras is not None else replace(recipe, loras=tagged_loras(recipe.positive))
