"""Reads NovelAI's texts: `Comment` is JSON with the settings, `Source` names the model and its hash.

The prompts of single characters stay apart from the prompt and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts
from .fields import Fields, Json, recipe_of

_SOURCE = re.compile(r"\s*(.*?)\s*\b([0-9A-F]{8})\s*")


def read(texts: Texts) -> Recipe | None:
    comment = texts.mapping("comment")
    software = (texts.text("software") or "").lower()
    if not comment or not ("novelai" in software or ("uc" in comment and "scale" in comment)):
        return None
    values = Fields(comment)
    model, model_hash = _model(texts.text("source") or "")
    recipe = recipe_of(values, "NovelAI")
    return replace(
        recipe,
        model=model,
        model_hash=model_hash,
        positive=recipe.positive or _caption(values.get("v4_prompt")) or texts.text("description"),
        negative=recipe.negative or _caption(values.get("v4_negative_prompt")) or "",
        loras=(),
    )


def _model(source: str) -> tuple[str | None, str | None]:
    """`NovelAI Diffusion V4.5 4BDE2A90`: name and hash."""
    source = source.strip()[:200]
    found = _SOURCE.fullmatch(source)
    if found is None or not found[1]:
        return source or None, None
    return found[1], found[2]


def _caption(prompt: Json) -> str | None:
    caption = prompt.get("caption") if isinstance(prompt, Mapping) else None
    text = caption.get("base_caption") if isinstance(caption, Mapping) else None
    return text if isinstance(text, str) else None
