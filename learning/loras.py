"""LoRAs as they are asked about and recommended.

Separate from `parameters`, because an image has one value of each setting and any number of LoRAs. It refuses to know
how anything is learned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .message import Message
from .names import comparable, stored_name

MOST_RECOMMENDED = 10
_EXTENSION = re.compile(r"\.(safetensors|sft|ckpt|pt2?|bin|pth)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LoraCandidate:
    """A LoRA that can be used, and what its file says of it.

    Attributes
    ----------
    trigger_words
        Words that it was trained to react to.
    tags
        How often each tag stood in the captions that it was trained on (`ss_tag_frequency`).
    strength
        The one that its author recommends.
    """

    name: str
    trigger_words: tuple[str, ...] = ()
    tags: Mapping[str, float] = field(default_factory=dict)
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class KnownLora:
    """One LoRA, and what is known of it for this prompt.

    Attributes
    ----------
    score
        The policy's utility of an image with it, against the same image without: above 0 it makes it better.
    share
        The part of the person's next images of such prompts that is expected to have it, in 0..1, by what kept images
        used and by the words of its file.
    confidence
        How sure it is that it makes such an image better, in 0..1.
    used
        Images that say that the person used it.
    selected, total
        Images with it selected and judged in comparisons with images that differ in LoRAs.
    reason
        One sentence for people.
    """

    name: str
    strength: float
    score: float
    share: float
    confidence: float
    used: int
    selected: int
    total: int
    reason: Message


@dataclass(frozen=True, slots=True)
class LoraRecommendation:
    """Which LoRAs to use for a prompt, and why. It can be unpacked: `loras, confidence = ...`.

    Attributes
    ----------
    loras
        Names, spelled as they were given, and strengths, best first. Empty: none is known to be better than none.
    confidence
        In 0..1, of the first; 0 where none is recommended.
    reasons
        One sentence for each of `loras`; where there is none, one that says so.
    ranking
        All of which something is known, best first.
    worth_trying
        A LoRA to ask about: of two otherwise equal images one would have it and one not. It may be one of `loras`. None
        where everything is settled, or nothing speaks for one.
    """

    loras: tuple[tuple[str, float], ...]
    confidence: float
    reasons: tuple[Message, ...]
    ranking: tuple[KnownLora, ...] = ()
    worth_trying: str | None = None

    def __iter__(self) -> Iterator[object]:
        yield self.loras
        yield self.confidence


def without_extension(name: str) -> str:
    """A LoRA's stored name as texts such as `<lora:name:1>` have it."""
    return _EXTENSION.sub("", stored_name(name)) or stored_name(name)


@lru_cache(maxsize=8192)
def lora_key(name: str) -> str:
    """What a LoRA is known by, however its name is written: any separator, any case, with an extension or not.

    >>> lora_key("SDXL\\\\Ink.safetensors") == lora_key("sdxl/ink")
    True
    """
    return comparable(without_extension(name))
