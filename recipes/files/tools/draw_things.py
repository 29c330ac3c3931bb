"""Reads Draw Things' JSON, which it writes as `exif:UserComment` of its XMP: `c` is the prompt, `uc` the negative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts
from .fields import Fields, known, lora, recipe_of


def read(texts: Texts) -> Recipe | None:
    data = texts.mapping("exif:usercomment") or texts.mapping("usercomment") or texts.mapping("parameters")
    creator = texts.text("xmp:creatortool") or texts.text("software") or ""
    if "c" not in data or not ("Draw Things" in creator or "uc" in data or "seed_mode" in data):
        return None
    values = Fields(data)
    entries = [entry for entry in values.listed("lora", "loras") if isinstance(entry, Mapping)]
    return replace(
        recipe_of(values, "Draw Things"),
        positive=values.text("c"),
        negative=values.text("uc") or "",
        loras=known(lora(entry.get("model", entry.get("file")), entry.get("weight")) for entry in entries),
    )
