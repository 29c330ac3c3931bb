"""Reads A1111's `parameters`: prompt, negative prompt and a line of settings. Forge, reForge, SD.Next, Civitai, and
savers for ComfyUI write it too, each with settings of its own.

    a castle, <lora:detail:0.8>
    Negative prompt: blurry
    Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x768, Model: dream

A prompt may have lines of any kind, so the settings are looked for from the end. Sampler and scheduler stay as they are
written: a sampler of old versions is `DPM++ 2M Karras`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from ...loras import MOST_LORAS
from ...recipe import Lora, Recipe
from ..limits import LONGEST_NAME
from ..texts import SETTINGS, Texts, parse_json
from .fields import Fields, Json, known, lora, recipe_of, tagged_loras

_NEGATIVE = re.compile(r"^[ \t]*Negative prompt:[ \t]?", re.M)
_NEGATIVE_INLINE = re.compile(r"\sNegative prompt:[ \t]?")
_KEY = re.compile(r"\s{0,50}([A-Za-z_][\w \-/.()+#]{0,80}?)\s{0,5}:(?=[\s\"{\[]|[^\s/\\])[ \t]*")
_NEXT = re.compile(r",\s{0,50}(?=[A-Za-z_][\w \-/.()+#]{0,80}?:[\s\"])|,?[ \t]{0,50}\n|,?[ \t]{0,50}$")
_AFTER = re.compile(r"^[ \t]*(Negative )?Template:", re.M)
_KNOWN = frozenset(
    (
        "App",
        "CFG Scale",
        "CFG scale",
        "Civitai resources",
        "Clip skip",
        "Denoising strength",
        "Hashes",
        "Model",
        "Model hash",
        "Sampler",
        "Schedule type",
        "Seed",
        "Size",
        "Steps",
        "Version",
    )
)
"""Settings by which a line of them is known."""
_LORA_OF_SAVER = re.compile(r"lora(\d{1,3})modelname")
_MOST_SETTINGS = 300
_LONGEST_SETTINGS = 200_000
_LORA_TYPES = ("lora", "lycoris", "locon", "dora")


def read(texts: Texts) -> Recipe | None:
    text = texts.text("parameters")
    return None if text is None else read_parameters(text)


def read_parameters(text: str) -> Recipe | None:
    """What made the image; None where the text has no line of settings."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    begin = _settings_begin(text)
    if begin is None:
        return None
    prompts = text[:begin].strip()
    settings = text[begin : begin + _LONGEST_SETTINGS]
    after = _AFTER.search(settings)
    values = dict(_settings(settings if after is None else settings[: after.start()]))
    split = _NEGATIVE.search(prompts) or _NEGATIVE_INLINE.search(prompts)
    positive = prompts if split is None else prompts[: split.start()].strip()
    negative = "" if split is None else prompts[split.end() :].strip()
    return _recipe(positive, negative, Fields(values))


def _settings_begin(text: str) -> int | None:
    """Where the settings begin: at the last line that is made of settings, else at `Steps:` within a line."""
    end = len(text)
    last = None
    for _ in range(2_000):
        begin = text.rfind("\n", 0, end) + 1
        line = text[begin : min(end, begin + 5_000)]
        names = {name for name, _ in _settings(line)} if ":" in line else set()
        if len(names & _KNOWN) >= 2 and line.lstrip().partition(":")[0] in _KNOWN:
            if line.lstrip().startswith("Steps:"):
                return begin
            last = begin if last is None else last
        if begin == 0:
            break
        end = begin - 1
    if last is not None:
        return last
    for found in reversed(list(SETTINGS.finditer(text))[-50:]):
        begin = found.end() - len(found[0].lstrip())
        if len({name for name, _ in _settings(text[begin : begin + 5_000])} & _KNOWN) >= 3:
            return begin
    return None


def _settings(text: str) -> Iterator[tuple[str, Json]]:
    """`Name: value, Name: "value, with a comma", Name: {"json": 1}`."""
    at = 0
    for _ in range(_MOST_SETTINGS):
        key = _KEY.match(text, at)
        if key is None:
            after = _NEXT.search(text, at)
            if after is None or after.end() <= at:
                return
            at = after.end()
            continue
        value, at = _value(text, key.end())
        yield key[1].strip(), value
        if at >= len(text):
            return


def _value(text: str, at: int) -> tuple[Json, int]:
    """A value, and where the next setting begins."""
    if text[at : at + 1] in ('"', "{", "["):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            pass
        else:
            following = _NEXT.match(text, end)
            if following is not None:
                return value, following.end()
    following = _NEXT.search(text, at)
    end, begin = (len(text), len(text)) if following is None else following.span()
    return text[at:end].strip(), max(begin, at + 1)


_DECODER = json.JSONDecoder(strict=False, parse_int=lambda digits: int(digits) if len(digits) <= 40 else None)


def _recipe(positive: str, negative: str, values: Fields) -> Recipe:
    tool = _tool(values)
    if tool == "Fooocus":  # it writes the prompts with its styles, and then as the person wrote them
        positive = values.text("Raw prompt") or positive
        negative = values.text("Raw negative prompt") or negative
    later_pass = any(name in values for name in ("Hires upscale", "Hires upscaler", "Hires steps", "Hires resize"))
    recipe = replace(
        recipe_of(values, tool),
        positive=positive,
        negative=negative,
        loras=_loras(positive, values, tool),
        made_at=_time(values.text("Created Date")),
    )
    if later_pass:
        recipe = replace(recipe, denoise=None)  # it is the later pass's
    resources = _resources(values)
    if recipe.model is None:
        named = next((entry for entry in resources if str(entry.get("type")).lower() == "checkpoint"), {})
        recipe = replace(recipe, model=Fields(named).name("modelName", "air"))
    if recipe.model_hash is None:
        hashes = values.get("Hashes")
        recipe = replace(recipe, model_hash=Fields(hashes).name("model") if isinstance(hashes, Mapping) else None)
    return recipe


def _tool(values: Fields) -> str:
    version = (values.text("Version") or "").strip()
    app = values.name("App")
    if app is not None:
        return app
    if version.startswith("Fooocus"):
        return "Fooocus"
    if "comfy" in version.lower():
        return "ComfyUI"
    if version == "neo" or version.startswith("neo"):
        return "Forge Neo"
    if version.startswith("classic"):
        return "Forge Classic"
    if "RC-latest" in version:
        return "reForge"
    if re.match(r"f\d", version):
        return "Forge"
    if "Civitai resources" in values or "Civitai metadata" in values:
        return "Civitai"
    return "A1111"


def _resources(values: Fields) -> list[Mapping[str, Json]]:
    """Civitai's list of what was used."""
    listed = values.get("Civitai resources")
    if isinstance(listed, str):
        listed = parse_json(listed)
    return [entry for entry in listed if isinstance(entry, Mapping)][:MOST_LORAS] if isinstance(listed, list) else []


def _loras(positive: str, values: Fields, tool: str) -> tuple[Lora, ...] | None:
    """From the prompt's tags, else Civitai's resources, what savers list, or the names that have a hash."""
    found = tagged_loras(positive)
    if found:
        return found
    found = known(
        lora(entry.get("modelName") or entry.get("air"), entry.get("weight"))
        for entry in _resources(values)
        if str(entry.get("type")).lower() in _LORA_TYPES
    )
    if found:
        return found
    numbers = [_LORA_OF_SAVER.fullmatch(name) for name, _ in values.matching(_LORA_OF_SAVER)]
    found = known(
        lora(
            values.text(f"lora{number[1]}modelname"),
            values.get(f"lora{number[1]}strengthmodel"),
            values.get(f"lora{number[1]}strengthclip"),
        )
        for number in numbers
        if number is not None
    )
    if found:
        return found
    hashed = values.get("Lora hashes")
    weights = dict(_pairs(values.get("Lora weights")))
    found = known(lora(name, weights.get(name)) for name, _ in _pairs(hashed))
    return found if found or tool != "ComfyUI" else None


def _pairs(text: Json) -> Iterator[tuple[str, str]]:
    """`name: value, name: value`."""
    for part in text.split(",")[:MOST_LORAS] if isinstance(text, str) else ():
        name, _, value = part.strip().partition(":")
        if name.strip() and value.strip():
            yield name.strip()[:LONGEST_NAME], value.strip()


def _time(text: str | None) -> datetime | None:
    """`2024-11-21T05:33:56.5186186Z`: with more digits than Python reads."""
    found = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z?$", (text or "")[:40].strip())
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc) if found else None
    except ValueError:
        return None
