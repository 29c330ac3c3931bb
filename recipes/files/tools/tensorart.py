"""Reads Tensor.Art's `generation_data`. A random seed is -1 there; the graph beside it has the one that was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Lora, Recipe
from ..texts import Texts
from .fields import Fields, Json, completed, known, lora, recipe_of


def read(texts: Texts, graph: Recipe | None) -> Recipe | None:
    data = texts.mapping("generation_data")
    if not data:
        return None
    values = Fields(data)
    model = values.get("baseModel")
    named = Fields(model) if isinstance(model, Mapping) else Fields({"label": model})
    recipe = replace(
        recipe_of(values, "Tensor.Art"),
        model=named.name("modelFileName", "label"),
        model_hash=named.name("hash"),
        loras=known(_lora(entry) for entry in values.listed("models")),
    )
    return completed(recipe, graph)


def _lora(entry: Json) -> Lora | None:
    if not isinstance(entry, Mapping) or "LORA" not in str(entry.get("type", "LORA")).upper():
        return None
    return lora(Fields(entry).name("modelFileName", "label"), entry.get("weight"))
