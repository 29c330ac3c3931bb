"""What the files of LoRAs say: architecture, trigger words, tags of their training images, strengths.

The headers are read and kept by `inventory`, as those of checkpoints are; this module says what of a LoRA's header
counts (`detect_lora`), reads the sidecars beside it, and puts both together. Separate from `profiles`, because a LoRA
has no settings. Like sidecars, headers hold what other programs wrote: each text is bounded, and what makes no sense is
left out.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..learning.loras import LoraCandidate
from ..learning.message import error_text, message
from ..learning.names import shown_name
from ..recipes.loras import real, without_tags
from .families import FAMILIES, UNKNOWN
from .header import Header
from .inventory import CheckpointFiles, Detected, unreadable
from .pool import ALL, CheckpointFile, PoolRules, select
from .sidecars import (
    SidecarState,
    UnreadableSidecarError,
    names_of_sidecars,
    parsed,
    read_text,
    sidecars_in,
    sidecars_of,
)

log = logging.getLogger(__name__)

LORAS = "loras"
"""ComfyUI's name of the folder."""

_Value = TypeVar("_Value")

MOST_TAGS, MOST_TRIGGER_WORDS = 50, 30
_LONGEST_TAG, _LONGEST_WORD, _LONGEST_TEXT = 100, 200, 2_000
_LARGEST_TAGS = 8 * 2**20
"""Characters of `ss_tag_frequency`. That of ten thousand images with twenty tags each has some hundred kilobytes."""
_STRONGEST = 5.0
"""A preferred strength beyond this is not believed."""


@dataclass(frozen=True, slots=True)
class LoraFile:
    """One LoRA as ComfyUI lists it, with what is known of it.

    Attributes
    ----------
    family
        The architecture that it is for, as in `families`; `unknown` fits any checkpoint.
    base_model
        What its sidecar or its header calls its base model, for people to read.
    trigger_words
        Words that its author says it reacts to.
    tags
        Words of its training images, the most frequent first, each with the share of the images that have it.
    strength, clip_strength
        What a person or the author prefers; None where nobody says it.
    unusable
        Why it cannot be applied: it is broken, or still being written. Empty if it can.
    """

    name: str
    family: str = UNKNOWN
    base_model: str = ""
    trigger_words: tuple[str, ...] = ()
    tags: Mapping[str, float] = field(default_factory=dict)
    strength: float | None = None
    clip_strength: float | None = None
    unusable: str = ""
    fingerprint: str = field(default="", compare=False)
    problems: tuple[str, ...] = ()

    @property
    def candidate(self) -> LoraCandidate:
        """What a question about LoRAs says of it."""
        return LoraCandidate(self.name, self.trigger_words, self.tags, self.strength)


# What is in the header

_NAMES: tuple[tuple[str, str], ...] = (
    (r"pony ?v?7|aura ?flow", "auraflow"),
    (r"stable diffusion (v ?)?xl|sd ?xl|\bpony|illustrious|\bnoob", "sdxl"),
    (r"stable diffusion (v ?)?3|\bsd ?v?3", "sd3"),
    (r"stable diffusion (v ?)?2|\bsd ?v?2", "sd2"),
    (r"stable diffusion (v ?)?1|\bsd ?v?1", "sd15"),
    (r"flux ?v?2", "flux2"),
    (r"chroma", "chroma"),
    (r"flux", "flux"),
    (r"pixart", "pixart"),
    (r"hunyuan ?video", "hunyuan_video"),
    (r"hunyuan ?(dit|1)", "hunyuan_dit"),
    (r"hidream", "hidream"),
    (r"lumina ?(image ?)?2", "lumina2"),
    (r"z ?image", "zimage"),
    (r"qwen ?image|^qwen$", "qwen_image"),
    (r"omnigen ?2", "omnigen2"),
    (r"cosmos", "cosmos"),
    (r"\bltx", "ltxv"),
    (r"\bwan ?(video|2|v2|\d)", "wan"),
)
"""Words of `modelspec.architecture`, `ss_base_model_version`, Civitai's `baseModel` and A1111's `sd version`."""

_DOWN = re.compile(r"(lora[._]?(down|A)|hada_w1_b|lokr_w2_b)[._]|(lora[._]?(down|A)|hada_w1_b|lokr_w2_b)$", re.I)
"""The matrix of a LoRA that takes a layer's input; its second dimension is the layer's."""
_CROSS_ATTENTION = re.compile(r"attn2[._]to_[kv]\b")
_TEXT_CHANNELS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}
"""Of the text encoder's output, which the cross-attention of the U-Nets takes."""
_BLOCKS = re.compile(r"(double|single|joint|single_transformer)_blocks[._]\d+[._]")
_WIDTHS = {
    ("double", 3072): "flux",
    ("single", 3072): "flux",
    ("single_transformer", 3072): "flux",
    ("joint", 1536): "sd3",
}
_NOT_FLUX = re.compile(
    r"double_blocks[._]19[._]|single(_transformer)?_blocks[._]38[._]|double_blocks\.\d+\.img_attn_qkv"
)
"""Hunyuan Video has the same blocks, but more of them and others' names."""


def family_of_base(name: str) -> str:
    """Return the family of a base model's name; `unknown` where none is named.

    >>> family_of_base("sdxl_base_v1-0"), family_of_base("Flux.1 D"), family_of_base("Pony"), family_of_base("Other")
    ('sdxl', 'flux', 'sdxl', 'unknown')
    """
    words = re.sub(r"[^0-9a-z]+", " ", name[:_LONGEST_WORD].lower()).strip()
    return next((family for pattern, family in _NAMES if re.search(pattern, words)), UNKNOWN)


def detect_lora(header: Header) -> Detected:
    """Say what of a LoRA's header counts; its trainer's word first, then its tensors."""
    said = {name: header.metadata.get(key, "")[:_LONGEST_TEXT] for name, key in _KEPT.items()}
    named = (family_of_base(said[name]) for name in ("architecture", "base"))
    family = next((family for family in named if family != UNKNOWN), UNKNOWN)
    tags = _tags(header.metadata)
    if tags:
        said["tags"] = json.dumps(tags, ensure_ascii=False)
    return Detected(
        family if family != UNKNOWN else _family_of_tensors(header.shapes),
        said={f"lora.{name}": text for name, text in said.items() if text},
    )


_KEPT = {
    "architecture": "modelspec.architecture",
    "base": "ss_base_model_version",
    "trigger": "modelspec.trigger_phrase",
}


def _family_of_tensors(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Tell U-Nets by the channels of their texts, and transformers by their blocks and their width."""
    widths = {name: shape[1] for name, shape in shapes.items() if len(shape) >= 2 and _DOWN.search(name)}
    for name, width in widths.items():
        if _CROSS_ATTENTION.search(name):
            return _TEXT_CHANNELS.get(width, UNKNOWN)
    if any(name.startswith("lora_te2_") for name in shapes):
        return "sdxl"
    found = {_WIDTHS.get((block[1], width)) for name, width in widths.items() if (block := _BLOCKS.search(name))}
    family = next(iter(sorted(filter(None, found))), UNKNOWN)
    return UNKNOWN if family == "flux" and any(map(_NOT_FLUX.search, shapes)) else family


def _tags(metadata: Mapping[str, str]) -> dict[str, float]:
    """The most frequent tags of kohya's `ss_tag_frequency`: folder, tag, count of images."""
    folders = _table(metadata.get("ss_tag_frequency", ""))
    counts: Counter[str] = Counter()
    for tags in folders.values():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            word = " ".join(tag.split())
            if type(count) is int and 0 < count < 10**9 and 0 < len(word) <= _LONGEST_TAG:
                counts[word] += count
    if not counts:
        return {}
    frequent = counts.most_common(MOST_TAGS)
    images = max(_images(metadata), frequent[0][1])
    return {tag: round(count / images, 4) for tag, count in frequent}


def _images(metadata: Mapping[str, str]) -> int:
    """How many images it was trained with, each once; 0 where that is not known."""
    folders = _table(metadata.get("ss_dataset_dirs", "")).values()
    counts = [folder.get("img_count") for folder in folders if isinstance(folder, dict)]
    return sum(count for count in counts if type(count) is int and 0 < count < 10**9)


def _table(text: str) -> dict[str, object]:
    if len(text) > _LARGEST_TAGS:
        return {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


# What is beside it


@dataclass(frozen=True, slots=True)
class _Notes:
    """What one source says."""

    base_model: str = ""
    trigger_words: tuple[str, ...] = ()
    strength: float | None = None
    clip_strength: float | None = None


def _of_sidecar(content: Mapping[str, object]) -> _Notes:
    """Read Lora-Manager's, Civitai Helper's or A1111's file; they share no name with another meaning."""
    civitai = content.get("civitai")
    version = civitai if isinstance(civitai, dict) else content
    tips = content.get("usage_tips")
    if isinstance(tips, str):
        tips = _table(tips)
    tips = tips if isinstance(tips, dict) else {}
    words = version.get("trainedWords")
    texts = words if isinstance(words, list) else [content.get("activation text")]
    strength = _strength(tips.get("strength"))
    bases = (content.get("base_model"), version.get("baseModel"), content.get("sd version"))
    return _Notes(
        _first(map(_text, bases)) or "",
        _words(texts),
        _strength(content.get("preferred weight")) if strength is None else strength,
        _strength(tips.get("clip_strength")),
    )


def _of_header(said: Mapping[str, str]) -> _Notes:
    base = said.get("lora.base") or said.get("lora.architecture", "")
    return _Notes(base[:_LONGEST_WORD], _words([said.get("lora.trigger", "")]))


def _text(value: object) -> str:
    """A name that says something, bounded."""
    text = value.strip()[:_LONGEST_WORD] if isinstance(value, str) else ""
    return "" if text.lower() in ("unknown", "other", "none") else text


def _words(texts: Sequence[object]) -> tuple[str, ...]:
    """The words of each text, which are separated by commas; each once."""
    parts = (
        " ".join(part.split())[:_LONGEST_WORD]
        for text in texts[:MOST_TRIGGER_WORDS]
        if isinstance(text, str)
        for part in without_tags(text[:_LONGEST_TEXT]).split(",")
    )
    return tuple(dict.fromkeys(filter(None, parts)))[:MOST_TRIGGER_WORDS]


def _strength(value: object) -> float | None:
    """A1111 writes 0 where nobody has set it."""
    number = real(value)
    return None if number is None or not 0 < abs(number) <= _STRONGEST else number


# Both together


class LoraFiles:
    """The LoRAs of one inventory, with what is known of them. Safe in any thread."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._read: dict[str, tuple[object, LoraFile]] = {}

    def list(self) -> tuple[LoraFile, ...]:
        """All of them, in ComfyUI's order. Reads new and changed files."""
        folders: dict[Path, dict[str, tuple[str, int, int]]] = {}
        loras = []
        for file in self._files.list():
            path = self._files.path(file.name)
            if path is not None and path.parent not in folders:
                folders[path.parent] = {sidecar[0]: sidecar for sidecar in sidecars_in(path.parent)}
            beside = {} if path is None else folders[path.parent]
            sidecars = [] if path is None else [beside[name] for name in names_of_sidecars(path) if name in beside]
            loras.append(self._of(file, path, tuple(sidecars)))
        return tuple(loras)

    def names(self) -> tuple[str, ...]:
        """The names alone, without reading any file."""
        return self._files.names()

    def find(self, name: str) -> LoraFile | None:
        """One of them, by its name in ComfyUI's list."""
        file = self._files.find(name) if name in self._files.names() else None
        if file is None:
            return None
        path = self._files.path(name)
        return self._of(file, path, () if path is None else sidecars_of(path))

    def mark_broken(self, name: str, reason: str) -> None:
        """Leave this LoRA out of what can be applied until its size or modification time changes."""
        self._files.mark_broken(name, reason)

    def candidates(self, family: str, include: str = "", exclude: str = "") -> tuple[LoraFile, ...]:
        """Those that can be applied to checkpoints of a family, by globs as in pools; the same file once."""
        loras = {lora.name: lora for lora in self.list()}
        files = [CheckpointFile(lora.name, fingerprint=lora.fingerprint, folder=LORAS) for lora in loras.values()]
        pool = select(PoolRules(ALL, include, exclude, folder=LORAS, needs=()), files)
        found = (loras[name] for name in pool.candidates)
        return tuple(lora for lora in found if not lora.unusable and fits(lora.family, family))

    def _of(self, file: CheckpointFile, path: Path | None, sidecars: SidecarState) -> LoraFile:
        unusable = file.broken or file.unfinished
        if path is None or unusable:
            return LoraFile(file.name, file.family, unusable=unusable)
        state = (str(path), file.fingerprint, file.family, sidecars)
        with self._lock:
            former = self._read.get(file.name)
        if former is not None and former[0] == state:
            return former[1]
        lora = _of_file(file, path, sidecars)
        with self._lock:
            self._read[file.name] = (state, lora)
        return lora


def _of_file(file: CheckpointFile, path: Path, sidecars: SidecarState) -> LoraFile:
    notes: list[_Notes] = []
    problems: list[str] = []
    for sidecar, _, _ in sidecars:
        if not sidecar.endswith((".json", ".civitai.info")):
            continue
        try:
            notes.append(_of_sidecar(parsed(read_text(path.with_name(sidecar)))))
        except (UnreadableSidecarError, OSError) as error:
            reason = unreadable(error) if isinstance(error, OSError) else error_text(error)
            problems.append(message("sidecar_problem", "{file}: {problem}", file=sidecar, problem=reason))
            log.info("What is known of %s: %s", shown_name(file.name), problems[-1])
    notes.append(_of_header(file.said))
    base = _first(note.base_model for note in notes) or ""
    return LoraFile(
        file.name,
        family_of_base(base) if file.family == UNKNOWN else file.family,
        base,
        _first(note.trigger_words for note in notes) or (),
        {tag: share for tag, share in _table(file.said.get("lora.tags", "")).items() if isinstance(share, float)},
        _first(note.strength for note in notes),
        _first(note.clip_strength for note in notes),
        fingerprint=file.fingerprint,
        problems=tuple(problems),
    )


def _first(values: Iterable[_Value]) -> _Value | None:
    """What the first source says that says anything."""
    return next((value for value in values if value), None)


# Which checkpoints it is for

_SAME_LAYERS = frozenset({"flux", "chroma"})
"""Their LoRAs cannot be told apart by their tensors."""


def fits(lora: str, checkpoint: str) -> bool:
    """Tell whether a LoRA of one family may be applied to a checkpoint of another; where either is not known, it may.

    >>> fits("sdxl", "sdxl_inpaint"), fits("sd15", "sdxl"), fits("unknown", "sd3")
    (True, False, True)
    """
    families = {lora.removesuffix("_inpaint"), checkpoint.removesuffix("_inpaint")}
    return len(families) == 1 or not families <= _KNOWN or families <= _SAME_LAYERS


_KNOWN = frozenset(FAMILIES) - {UNKNOWN}
