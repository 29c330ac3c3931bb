"""LoRAs as texts name them: the tags `<lora:name:0.8>` of prompts, and entries of lists that tools write.

Pure, and separate from the readers of files because the sampler applies the tags of a prompt too. What a strength
means has two spellings: A1111 writes the text encoder's first, packs for ComfyUI the model's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .recipe import Lora
from .settings import joined_texts

Json = object

MOST_LORAS = 100
LONGEST_LORA_NAME = 500
"""Characters."""

_NO_NAME = ("", "none", "null")
_REAL = re.compile(r"-?\d{0,20}\.?\d{0,20}(e-?\d{1,2})?", re.I)
_WORD = re.compile(r"[^\W_]+")
_TAG = re.compile(r"<(?:lora|lyco):([^:<>]{1,500})((?::[^:<>]{0,100}){0,6})>", re.I)

First = Literal["text encoder", "model"]
"""Which of two strengths in a tag is the first one."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a prompt: its text, its LoRA, and whether its strengths can be read; if not they are 1."""

    text: str
    lora: Lora
    readable: bool = True


def tags(text: str, first: First = "model") -> tuple[Tag, ...]:
    """The tags of a prompt in their order, at most `MOST_LORAS`.

    >>> [tag.lora for tag in tags("a castle <lora:ink:0.8:0.5>, <lora:detail>")]
    [('ink', 0.8, 0.5), ('detail', 1.0, 1.0)]
    """
    return tuple(tag for tag, _ in zip(_tags(text, first), range(MOST_LORAS), strict=False))


def without_tags(text: str) -> str:
    """A prompt without its tags; nothing else of it changes.

    >>> without_tags("a castle, <lora:ink:0.8> by the sea")
    'a castle,  by the sea'
    """
    return _TAG.sub("", text)


def with_trigger_words(prompt: str, words: Iterable[str]) -> str:
    """A prompt, followed by the trigger words that it lacks, each once; however a word is written or weighted.

    >>> with_trigger_words("a castle, (Wet_Paper:1.2)", ["wet paper", "inkstyle", "InkStyle"])
    'a castle, (Wet_Paper:1.2), inkstyle'
    """
    there = _plain(without_tags(prompt))
    missing = {_plain(word): word.strip() for word in reversed(list(words))}
    added = [word for plain, word in reversed(missing.items()) if plain.strip() and plain not in there]
    return joined_texts(prompt, *added)


def _plain(text: str) -> str:
    """The words of a text alone, each between two spaces."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def tag_text(loras: Iterable[Lora]) -> str:
    """LoRAs as tags, as packs for ComfyUI read them: the model's strength first.

    >>> tag_text([("sdxl/ink.safetensors", 0.8, 0.8), ("detail.safetensors", 1.0, 0.5)])
    '<lora:ink:0.8> <lora:detail:1:0.5>'
    """
    return " ".join(
        f"<lora:{short_name(name)}:{model:g}>" if model == clip else f"<lora:{short_name(name)}:{model:g}:{clip:g}>"
        for name, model, clip in loras
    )


def short_name(name: str) -> str:
    """A file's name without folder and extension, as tags have it."""
    return re.sub(r"(?i)\.(safetensors|ckpt|gguf|sft|pth?|bin)$", "", re.split(r"[/\\]", name)[-1])


def lora(name: Json, strength: Json = None, clip: Json = None) -> Lora | None:
    """One LoRA; None where it has no name. Where no strength is written it has the usual one, 1."""
    if not isinstance(name, str) or name.strip().lower() in _NO_NAME:
        return None
    model = real(strength)
    model = 1.0 if model is None else model
    text_encoder = real(clip)
    return name.strip()[:LONGEST_LORA_NAME], model, model if text_encoder is None else text_encoder


def known(loras: Iterable[Lora | None]) -> tuple[Lora, ...]:
    """Those that are there, each once."""
    return tuple({entry[0]: entry for entry in loras if entry is not None}.values())[:MOST_LORAS]


def tagged_loras(text: str | None) -> tuple[Lora, ...]:
    """LoRAs named in a prompt of A1111 and its relatives; one strength is for both."""
    return known(tag.lora for tag in tags(text or "", "text encoder"))


def real(value: Json) -> float | None:
    """A finite number of ordinary size, also as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()[:60]
        value = float(text) if _REAL.fullmatch(text) and any(c.isdigit() for c in text) else None
    if not isinstance(value, (int, float)) or abs(value) > 1e9:
        return None
    return float(value) if math.isfinite(value) else None


def _tags(text: str, first: First) -> Iterator[Tag]:
    for tag in _TAG.finditer(text):
        given = tag[2].split(":")[1:]
        named = dict(part.lower().split("=", 1) for part in given if "=" in part)
        one, other = [*(part for part in given if "=" not in part), None, None][:2]
        if first == "text encoder":
            clip = named.get("te", one)
            model = named.get("unet", clip if other is None else other)
        else:
            model = named.get("unet", one)
            clip = named.get("te", model if other is None else other)
        found = lora(tag[1], model, clip)
        if found is not None:
            readable = all(real(each) is not None for each in (model, clip) if each is not None and each.strip())
            yield Tag(tag[0], found, readable)
