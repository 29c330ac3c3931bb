"""Reads InvokeAI's JSON: `invokeai_metadata` of versions 3 and later, `sd-metadata` and `Dream` of earlier ones.

What InvokeAI calls the scheduler is the sampler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Lora, Recipe
from ..texts import Texts
from .fields import Fields, Json, known, lora, positive, real, recipe_of, whole

TOOL = "InvokeAI"
_NEGATIVE = re.compile(r"\[([^\[\]]*)\]")
_OPTION = re.compile(r"-(s|S|W|H|C|A|f)\s*(\S+)")


def read(texts: Texts) -> Recipe | None:
    metadata = texts.mapping("invokeai_metadata")
    if metadata:
        return read_metadata(metadata)
    former = texts.mapping("sd-metadata")
    if isinstance(former.get("image"), Mapping):
        return read_former(former)
    command = texts.text("dream")
    return None if command is None else read_command(command)


def read_metadata(metadata: Mapping[str, Json]) -> Recipe:
    values = Fields(metadata)
    model = values.get("model")
    named = Fields(model) if isinstance(model, Mapping) else Fields({"name": model})
    skipped = values.whole("clip_skip")
    recipe = recipe_of(values, TOOL)
    return replace(
        recipe,
        model=named.name("name", "model_name"),
        model_hash=named.name("hash"),
        sampler=values.name("scheduler", "sampler"),
        scheduler=None,
        negative=recipe.negative or "",
        loras=known(_lora(entry) for entry in values.listed("loras", "lora")),
        clip_skip=None if skipped is None else positive(skipped + 1),  # it counts the layers left out
    )


def _lora(entry: Json) -> Lora | None:
    if not isinstance(entry, Mapping):
        return None
    model = entry.get("model", entry.get("lora"))
    named = Fields(model) if isinstance(model, Mapping) else Fields(entry)
    return lora(named.name("name", "model_name"), entry.get("weight"))


def read_former(data: Mapping[str, Json]) -> Recipe:
    """Version 2: the image's settings, and the model beside them."""
    image, outer = data["image"], Fields(data)
    values = Fields(image if isinstance(image, Mapping) else {})
    prompt = values.get("prompt")
    if isinstance(prompt, list):
        parts = [str(part.get("prompt", "")) for part in prompt if isinstance(part, Mapping)]
        prompt = " ".join(parts)
    text, negative = _split(prompt if isinstance(prompt, str) else "")
    return replace(
        recipe_of(values, TOOL),
        model=outer.name("model_weights", "model"),
        model_hash=outer.name("model_hash"),
        positive=text,
        negative=negative,
    )


def read_command(command: str) -> Recipe | None:
    """Version 1: the command that drew it, `"a castle [blurry]" -s 50 -S 1 -W 512 -H 512 -C 7.5 -A k_lms`."""
    quoted = re.match(r'\s*"((?:[^"\\]|\\.)*)"', command[:100_000])
    if quoted is None:
        return None
    options = dict(_OPTION.findall(command[quoted.end() : quoted.end() + 2_000]))
    text, negative = _split(quoted[1])
    return Recipe(
        positive=text,
        negative=negative,
        steps=positive(whole(options.get("s"))),
        seed=whole(options.get("S")),
        width=positive(whole(options.get("W"))),
        height=positive(whole(options.get("H"))),
        cfg=real(options.get("C")),
        sampler=options.get("A"),
        denoise=real(options.get("f")),
        tool=TOOL,
    )


def _split(prompt: str) -> tuple[str, str]:
    """Versions 1 and 2 have the negative prompt in square brackets within the prompt."""
    negative = " ".join(_NEGATIVE.findall(prompt)[:100])
    return (_NEGATIVE.sub("", prompt).strip(), negative.strip()) if negative else (prompt, "")
