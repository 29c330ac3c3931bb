"""Reads the JSON of Fooocus and of those that come from it: RuinedFooocus, Fooocus-MRE, SimpleSDXL.

The prompt is what the person wrote; styles and expansions are added to it when it is drawn. Fooocus can also write
A1111's `parameters`, which `a1111` reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Lora, Recipe
from ..texts import Texts
from .fields import Fields, Json, known, lora, real, recipe_of

_LORA = re.compile(r"lora(combined)?\d{1,2}")
_LORA_LINE = re.compile(r"(.{1,500}?)\s*:\s*(-?[\d.]{1,10})")
_WEIGHT_FIRST = re.compile(r"(-?[\d.]{1,10})\s*-\s*(.{1,500})")


def read(texts: Texts) -> Recipe | None:
    for place in ("parameters", "comment", "usercomment"):
        data = texts.mapping(place)
        if data and _is_fooocus(Fields(data), texts):
            return read_settings(data)
    return None


def _is_fooocus(values: Fields, texts: Texts) -> bool:
    said = " ".join((values.text(name) or "") for name in ("version", "software", "metadata_scheme"))
    said += f" {texts.text('software') or ''} {texts.text('fooocus_scheme') or ''}"
    return "fooocus" in said.lower() or ("base_model" in values and "performance" in values)


def read_settings(data: Mapping[str, Json]) -> Recipe:
    values = Fields(data)
    software = values.name("software") or ""
    recipe = recipe_of(values, software if "fooocus" in software.lower() else "Fooocus")
    listed = [_lora(entry) for entry in values.listed("loras")]
    numbered = [_lora(value) for _, value in values.matching(_LORA)]
    return replace(recipe, loras=known([*listed, *numbered]), negative=recipe.negative or "")


def _lora(entry: Json) -> Lora | None:
    """`["name", 0.5, "hash"]`, `"name : 0.5"` or `"0.5 - name"`."""
    if isinstance(entry, list) and len(entry) >= 2:
        texts = [part for part in entry if isinstance(part, str)]
        if real(entry[1]) is None and len(texts) >= 2:
            return _lora(texts[1])
        return lora(entry[0], entry[1])
    if isinstance(entry, Mapping):
        return lora(entry.get("name"), entry.get("weight"))
    if not isinstance(entry, str):
        return None
    line = entry.strip()[:600]
    weight_last, weight_first = _LORA_LINE.fullmatch(line), _WEIGHT_FIRST.fullmatch(line)
    if weight_last is not None:
        return lora(weight_last[1], weight_last[2])
    if weight_first is not None:
        return lora(weight_first[2], weight_first[1])
    return None
