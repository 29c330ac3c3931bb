"""Reads Easy Diffusion's settings: one text per setting in a PNG, JSON elsewhere, or lines in a `.txt` sidecar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts, parse_json
from .fields import Fields, Json, known, lora, recipe_of

_SETTINGS = ("num_inference_steps", "use_stable_diffusion_model", "guidance_scale", "sampler_name")
_LINE = re.compile(r"([A-Z][\w ]{1,40}): (.*)")
_QUOTED = re.compile(r"[\"']([^\"']{1,500})[\"']|(-?\d+(?:\.\d+)?)")


def read(texts: Texts) -> Recipe | None:
    """From texts with the names of settings, else from one JSON, or from labelled lines."""
    names = {name.replace(" ", "_"): name for name in texts.names()}
    if any(name in names for name in ("use_stable_diffusion_model", "stable_diffusion_model")):
        return read_settings({name: texts.text(written) for name, written in names.items()})
    data = texts.mapping("parameters")
    if "use_stable_diffusion_model" in data:
        return read_settings(data)
    lines = texts.text("sidecar")
    return None if lines is None else read_lines(lines)


def read_settings(data: Mapping[str, Json]) -> Recipe:
    values = Fields(data)
    recipe = recipe_of(values, "Easy Diffusion")
    names = _several(values.get("use_lora_model", "LoRA model"))
    strengths = _several(values.get("lora_alpha", "LoRA Strength"))
    listed = (lora(name, strengths[at] if at < len(strengths) else None) for at, name in enumerate(names))
    skip = str(values.get("clip_skip") or "").lower()
    return replace(
        recipe,
        loras=known(listed),
        negative=recipe.negative or "",
        clip_skip={"true": 2, "false": 1}.get(skip, recipe.clip_skip),
    )


def read_lines(text: str) -> Recipe | None:
    """`Prompt: a castle`, then one setting per line."""
    lines = [_LINE.fullmatch(line.strip()) for line in text[:100_000].splitlines()[:200]]
    settings = {line[1]: line[2] for line in lines if line is not None}
    return read_settings(settings) if "Stable Diffusion model" in settings else None


def _several(value: Json) -> list[Json]:
    """One, or several: as a list, or as Python or JSON shows one."""
    if isinstance(value, list):
        return value
    if isinstance(value, str) and value.strip().startswith("["):
        listed = parse_json(value)
        return listed if isinstance(listed, list) else [a or b for a, b in _QUOTED.findall(value[:10_000])]
    return [] if value is None else [value]
