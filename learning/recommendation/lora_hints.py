"""What a prompt and the files of LoRAs say of each other, before any image was made with one.

A trigger word in the prompt is a strong hint; words of a file's name, or of the captions that it was trained on, are
half of one at most: names are often those of a style or a thing that any prompt may have. Pure. Separate from
`lora_habit`, which reads what the person did.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy

from ..loras import LoraCandidate, lora_key, without_extension
from ..model.confidence import Numbers
from ..names import last_part
from ..values import Keyword

_NAME_OR_TAGS = 0.5
_TAG_OF_PROMPT = re.compile(r"<[^<>]*>")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_NO_WORD_OF_A_NAME = frozenset(
    (
        "and",
        "character",
        "concept",
        "epoch",
        "for",
        "locon",
        "loha",
        "lora",
        "lyco",
        "model",
        "style",
        "the",
        "ver",
        "with",
    )
)
_SHORTEST_WORD = 3  # letters, in a script that has words; of others any length tells


@dataclass(frozen=True, slots=True)
class Hints:
    """How strongly the prompt speaks for each LoRA, `[L]` in 0..1, and the trigger words found, by its place."""

    strength: Numbers
    triggers: dict[int, str]


class Catalogue:
    """The LoRAs that can be used, indexed by the words of their files.

    Attributes
    ----------
    files
        Each once, by its key.
    keys
        Their keys (`loras.lora_key`).
    """

    def __init__(self, available: Sequence[str | LoraCandidate]) -> None:
        self.available = tuple(available)
        files = [LoraCandidate(each) if isinstance(each, str) else each for each in available]
        by_key = {lora_key(file.name): file for file in reversed(files)}
        self.keys = tuple(dict.fromkeys(lora_key(file.name) for file in files))
        self.files = tuple(by_key[key] for key in self.keys)
        self._triggers: defaultdict[str, list[int]] = defaultdict(list)
        self._names: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._tags: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, file in enumerate(self.files):
            for phrase in file.trigger_words:
                if spelled := _spelled(phrase):
                    self._triggers[f" {spelled} " if spelled.isascii() else spelled].append(place)
            words = name_words(file.name)
            for word in words:
                self._names[word].append((place, 1.0 / len(words)))
        self._add_tags()

    def _add_tags(self) -> None:
        """Each tag counts by how often it stood there, and by how few of the LoRAs have it."""
        tags = [{_plain(tag): float(share) for tag, share in file.tags.items() if share > 0.0} for file in self.files]
        having = Counter(tag for each in tags for tag in each)
        tagged = sum(1 for each in tags if each)
        for place, each in enumerate(tags):
            weights = {tag: share * math.log((tagged + 1.0) / (having[tag] + 0.5)) for tag, share in each.items()}
            total = sum(weights.values())
            for tag, weight in weights.items():
                self._tags[tag].append((place, weight / total))

    def hints(self, prompt: str, words: Iterable[Keyword]) -> Hints:
        """What a prompt says of each of them; `words` are its keywords."""
        strength = numpy.zeros(len(self.files))
        text = _TAG_OF_PROMPT.sub(" ", prompt).lower()
        for word, of_name in self._names.items():
            if word in text:
                for place, part in of_name:
                    strength[place] += part
        tagged = numpy.zeros(len(self.files))
        for keyword in {word.text for word in words}:
            for place, part in self._tags.get(keyword, ()):
                tagged[place] += part
        strength = _NAME_OR_TAGS * numpy.minimum(1.0, numpy.maximum(strength, tagged))
        triggers: dict[int, str] = {}
        spelled = f" {_spelled(text)} "
        for phrase, places in self._triggers.items():
            if phrase in spelled:
                for place in places:
                    triggers.setdefault(place, phrase.strip())
        strength[list(triggers)] = 1.0
        return Hints(strength, triggers)


@lru_cache(maxsize=8192)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a file's name.

    >>> name_words("people/InkSketch_v2-000010.safetensors")
    ('ink', 'sketch')
    """
    words = _NOT_LETTERS.sub(" ", _HUMP.sub(" ", last_part(without_extension(name)))).lower().split()
    return tuple(
        dict.fromkeys(
            word
            for word in words
            if word not in _NO_WORD_OF_A_NAME and (len(word) >= _SHORTEST_WORD or not word.isascii())
        )
    )


@lru_cache(maxsize=8192)
def _spelled(text: str) -> str:
    """A text as words between single spaces."""
    return " ".join(re.split(r"[\W_]+", text.lower())).strip()


def _plain(tag: str) -> str:
    return tag.lower().replace("_", " ").strip()
