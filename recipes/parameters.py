"""Writes what made an image as A1111's text `parameters`, which galleries, Civitai and other programs read.

The spelling is A1111's own: the names of its samplers, the order of its fields. What is not known is left out. The
reader of such texts is separate, because others write them in many more ways than this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from .loras import short_name
from .recipe import Lora, Recipe
from .samplers import A1111_SAMPLERS, A1111_SCHEDULERS

_IN_THE_NAME: Mapping[str, str] = {"karras": "Karras", "exponential": "Exponential"}
"""Schedulers that A1111 wrote behind the sampler's name until 1.8, which every reader understands."""


def parameters_text(
    recipe: Recipe,
    *,
    width: int,
    height: int,
    lora_hashes: Mapping[str, str] | None = None,
    version: str = "",
) -> str:
    """Write a recipe as A1111 writes it into an image.

    Parameters
    ----------
    width, height
        The image's own size in pixels, where the recipe knows none.
    lora_hashes
        By the LoRA's name as the recipe has it: the beginning of the SHA-256 of its file.
    version
        The program and its version.
    """
    lines = [_with_loras(recipe.positive or "", recipe.loras or ())]
    if recipe.negative:
        lines.append(f"Negative prompt: {recipe.negative}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in _fields(recipe, width, height)))
    hashes = {short_name(name): known for name, known in (lora_hashes or {}).items() if known}
    if hashes:
        listed = ", ".join(f"{name}: {known}" for name, known in hashes.items())
        lines[-1] += f", Lora hashes: {json.dumps(listed, ensure_ascii=False)}"
    if version:
        lines[-1] += f", Version: {_quoted(version)}"
    return "\n".join(lines)


def sampler_fields(sampler: str, scheduler: str | None) -> list[tuple[str, str]]:
    """ComfyUI's sampler and scheduler as A1111's `Sampler`, and `Schedule type` where its name needs one.

    >>> sampler_fields("dpmpp_2m", "karras")
    [('Sampler', 'DPM++ 2M Karras')]
    >>> sampler_fields("euler", "sgm_uniform")
    [('Sampler', 'Euler'), ('Schedule type', 'SGM Uniform')]
    """
    name = A1111_SAMPLERS.get(sampler.removesuffix("_gpu"), sampler)
    if scheduler is None or scheduler == "normal":
        return [("Sampler", name)]
    if scheduler in _IN_THE_NAME:
        return [("Sampler", f"{name} {_IN_THE_NAME[scheduler]}")]
    return [("Sampler", name), ("Schedule type", A1111_SCHEDULERS.get(scheduler, scheduler))]


def _fields(recipe: Recipe, width: int, height: int) -> Iterable[tuple[str, str]]:
    yield from _known("Steps", recipe.steps)
    if recipe.sampler:
        yield from sampler_fields(recipe.sampler, recipe.scheduler)
    yield from _known("CFG scale", None if recipe.cfg is None else f"{recipe.cfg:g}")
    yield from _known("Seed", recipe.seed)
    yield "Size", f"{recipe.width or width}x{recipe.height or height}"
    yield from _known("Model hash", recipe.model_hash)
    yield from _known("Model", None if recipe.model is None else short_name(recipe.model))
    if recipe.denoise is not None and recipe.denoise < 1:
        yield "Denoising strength", f"{recipe.denoise:g}"
    if recipe.clip_skip is not None and recipe.clip_skip > 1:
        yield "Clip skip", str(recipe.clip_skip)


def _known(name: str, value: object) -> Iterable[tuple[str, str]]:
    return [] if value is None or value == "" else [(name, str(value))]


def _with_loras(text: str, loras: Iterable[Lora]) -> str:
    """The prompt with A1111's tag for each LoRA that it does not name already; their strengths have no other place."""
    missing = [lora for lora in loras if f"<lora:{short_name(lora[0])}:" not in text]
    tags = [f"<lora:{short_name(name)}:{_strengths(model, clip)}>" for name, model, clip in missing]
    return " ".join([text, *tags]) if text else " ".join(tags)


def _strengths(model: float, clip: float) -> str:
    """A1111's order: the text encoder's first."""
    return f"{model:g}" if model == clip else f"{clip:g}:{model:g}"


def _quoted(value: str) -> str:
    """As A1111 quotes a value that would read as several."""
    return json.dumps(value, ensure_ascii=False) if re.search(r"[,:\n]", value) else value
