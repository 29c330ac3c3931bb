"""Reads values out of JSON and settings lines, where each tool writes names and numbers in its own way."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache

from ...loras import MOST_LORAS, Json, known, lora, real, tagged_loras
from ...recipe import Recipe
from ..limits import LONGEST_NAME

__all__ = [
    "Fields",
    "Json",
    "completed",
    "known",
    "lora",
    "plain",
    "positive",
    "real",
    "recipe_of",
    "tagged_loras",
    "whole",
]

_WHOLE = re.compile(r"-?\d{1,20}(\.0{0,6})?")
_SIZE = re.compile(r"\D{0,20}(\d{1,6})\D{1,20}(\d{1,6})\D{0,20}")
_LARGEST_SEED = 2**64 - 1
_NO_NAME = ("", "none", "null")


class Fields:
    """Values by name; names are compared by their letters and digits, so `CFG scale` is `cfg_scale`."""

    def __init__(self, values: Mapping[str, Json]) -> None:
        self._values: dict[str, Json] = {}
        for name, value in values.items():
            self._values.setdefault(plain(str(name)), value)

    def __contains__(self, name: str) -> bool:
        return plain(name) in self._values

    def get(self, *names: str) -> Json:
        """The first of these that is there and not null."""
        found = (self._values.get(plain(name)) for name in names)
        return next((value for value in found if value is not None), None)

    def text(self, *names: str) -> str | None:
        value = self.get(*names)
        return value if isinstance(value, str) else None

    def name(self, *names: str) -> str | None:
        """A text that names something; `None` and nothing name nothing."""
        value = self.get(*names)
        if not isinstance(value, str) or value.strip().lower() in _NO_NAME:
            return None
        return value.strip()[:LONGEST_NAME]

    def whole(self, *names: str) -> int | None:
        return whole(self.get(*names))

    def real(self, *names: str) -> float | None:
        return real(self.get(*names))

    def seed(self, *names: str) -> int | None:
        """Negative seeds ask for a random one."""
        value = self.whole(*names)
        return value if value is not None and 0 <= value <= _LARGEST_SEED else None

    def size(self) -> tuple[int | None, int | None]:
        """Width and height, apart or together (`512x768`, `(768, 1280)`, `1024 × 1024`)."""
        width, height = self.whole("width"), self.whole("height")
        if width is None or height is None:
            both = _SIZE.fullmatch(str(self.get("size", "resolution", "image_size") or "")[:60])
            width, height = (int(both[1]), int(both[2])) if both else (self.whole("size-1"), self.whole("size-2"))
        return (width, height) if width and height and width > 0 and height > 0 else (None, None)

    def listed(self, *names: str) -> list[Json]:
        value = self.get(*names)
        return value[:MOST_LORAS] if isinstance(value, list) else []

    def matching(self, pattern: re.Pattern[str]) -> list[tuple[str, Json]]:
        """Plain names that match, and their values."""
        return [(name, value) for name, value in self._values.items() if pattern.fullmatch(name)][:MOST_LORAS]


@lru_cache(1024)
def plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name[:LONGEST_NAME]).lower()


def whole(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 2**53 else None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()[:40]):
        return int(value.strip().partition(".")[0])
    return None


def recipe_of(values: Fields, tool: str | None) -> Recipe:
    """A recipe from settings under the names that tools have for them; a tool's reader corrects what differs."""
    width, height = values.size()
    skip = values.get("clip_skip")
    return Recipe(
        model=values.name("model", "model_name", "base_model", "base_model_name", "use_stable_diffusion_model")
        or values.name("stable_diffusion_model", "checkpoint", "ckpt_name", "ckpt"),
        model_hash=values.name("model_hash", "base_model_hash"),
        positive=values.text("prompt", "positive_prompt", "positive"),
        negative=values.text("negative_prompt", "negative", "uc"),
        steps=positive(values.whole("steps", "num_inference_steps", "sampling_steps")),
        cfg=values.real("cfg_scale", "guidance_scale", "cfg", "scale"),  # `guidance` alone is that of Flux
        sampler=values.name("sampler", "sampler_name", "ksampler_name", "sampling_method"),
        scheduler=values.name("scheduler", "schedule", "schedule_type", "noise_schedule", "scheduler_name"),
        denoise=values.real("denoise", "denoising_strength", "denoise_strength", "strength", "prompt_strength"),
        seed=values.seed("seed"),
        width=width,
        height=height,
        clip_skip=positive(whole(skip) if not isinstance(skip, bool) else 2 if skip else 1),
        tool=tool,
    )


def positive(value: int | None) -> int | None:
    return value if value is not None and 0 < value < 100_000 else None


def completed(first: Recipe, second: Recipe | None) -> Recipe:
    """The first, with what it does not know from the second."""
    if second is None:
        return first
    missing = {f.name: getattr(second, f.name) for f in fields(Recipe) if getattr(first, f.name) is None}
    return replace(first, **missing)
