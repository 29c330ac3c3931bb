"""Reads the JSON of Hugging Face spaces, which comes from one space that the others copied; and, without naming a tool,
any other JSON of settings that has a prompt and steps or a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Lora, Recipe
from ..texts import Texts
from .fields import Fields, Json, known, lora, recipe_of, tagged_loras


def read(texts: Texts) -> Recipe | None:
    data = next((found for name in ("parameters", "comment", "sidecar") if (found := texts.mapping(name))), {})
    values = Fields(data)
    is_space = all(name in values for name in ("num_inference_steps", "guidance_scale", "model"))
    recipe = recipe_of(values, "Hugging Face space" if is_space else None)
    if recipe.positive is None or (recipe.steps is None and recipe.seed is None):
        return None
    return replace(recipe, loras=_loras(values.get("loras", "use_lora", "lora")) or tagged_loras(recipe.positive))


def _loras(value: Json) -> tuple[Lora, ...]:
    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries[:100]:
        if isinstance(entry, Mapping):
            named = Fields(entry)
            weight = named.get("weight", "scale", "lora_scale", "strength")
            found.append(lora(named.name("name", "model", "model_name", "selected_lora"), weight))
        elif isinstance(entry, list) and len(entry) >= 2:
            found.append(lora(entry[0], entry[1]))
        else:
            found.append(lora(entry))
    return known(found)
