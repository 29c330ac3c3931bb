"""Finds the checkpoint that a recipe names among those that are there: by the hash of its content, else by its name.

A name that two files share says nothing, unless the folders tell them apart; and a file whose hash is known to be
another is another model, whatever its name. Hashing gigabytes is left to `hashes`, which does it where a person asks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..checkpoints.header import BrokenCheckpointError, read_header
from ..checkpoints.known_hash import known_sha256
from ..learning.names import comparable, last_part
from ..recipes import Recipe

MatchedBy = Literal["content", "hash", "name"]

_SHA256 = re.compile(r"[0-9a-f]{10}|[0-9a-f]{64}")
"""Whole, or its beginning as A1111 and Civitai write it (AutoV2). Eight digits are an older hash, which files share."""
_TENSORS = re.compile(r"0x[0-9a-f]{64}")
_ENDING = re.compile(r"\.(safetensors|sft|gguf|ckpt|pt2?|bin|pth|pkl)$")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A checkpoint that is there.

    Parameters
    ----------
    name
        As ComfyUI names it: with its folders, below ComfyUI's own.
    path
        None where only its name is known.
    fingerprint
        Of its content, as the inventory knows it; empty where it does not.
    """

    name: str
    path: Path | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The checkpoint that made an image, and how that is known."""

    name: str
    by: MatchedBy


class Models:
    """The checkpoints that are there, to be asked for many recipes.

    Parameters
    ----------
    computed
        The SHA-256 of a file where it was computed before; `hashes.ComputedHashes.known`.
    """

    def __init__(self, files: Iterable[ModelFile], computed: Callable[[Path], str | None] = lambda path: None) -> None:
        unique = {file.name: file for file in files}
        self.files = tuple(unique.values())
        self._computed = computed
        self._by_fingerprint = {file.fingerprint: file.name for file in self.files if file.fingerprint}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            for key in _keys(file.name):
                self._by_name[key].append(file.name)
        self._hashes: dict[str, str] | None = None
        self._by_hash: dict[str, str] = {}
        self._by_tensors: dict[str, str] | None = None

    def match(self, recipe: Recipe, fingerprint: str = "") -> Match | None:
        """The checkpoint that made an image; None where none of these did, or it is not certain which.

        Parameters
        ----------
        fingerprint
            Of the checkpoint's content, where our own chunk has it.
        """
        if fingerprint and (name := self._by_fingerprint.get(fingerprint)):
            return Match(name, "content")
        stated = (recipe.model_hash or "").strip().lower()
        if _SHA256.fullmatch(stated) and (name := self._known_hashes()[1].get(stated)):
            return Match(name, "hash")
        if _TENSORS.fullmatch(stated) and (name := self._tensor_hashes().get(stated)):
            return Match(name, "hash")
        named = self._named(recipe.model or "")
        if named is None:
            return None
        known = self._known_hashes()[0].get(named, "") if _SHA256.fullmatch(stated) else ""
        return None if known and not known.startswith(stated) else Match(named, "name")

    def without_hash(self) -> list[Path]:
        """Files whose hash no sidecar and no former computation knows."""
        known = self._known_hashes()[0]
        return [file.path for file in self.files if file.path is not None and file.name not in known]

    def forget_hashes(self) -> None:
        """Look for them again: some were computed."""
        self._hashes = None

    def _named(self, written: str) -> str | None:
        """The one file that this name can mean."""
        name = comparable(written).strip()
        if not name:
            return None
        bare = _bare(name)
        folders = bare.split("/")
        # From the whole name to the last part alone: as much of the folders as tells the files apart.
        for start in range(len(folders)):
            found = self._by_name.get("/".join(folders[start:]), [])
            whole = [file for file in found if comparable(file) == name] or [
                file for file in found if _bare(comparable(file)) == bare
            ]
            if len(whole) == 1:
                return whole[0]
            if len(found) == 1:
                return found[0]
            if found:
                return None
        return None

    def _known_hashes(self) -> tuple[dict[str, str], dict[str, str]]:
        """By name, and by hash, whole and short."""
        if self._hashes is None:
            self._hashes = {}
            for file in self.files:
                if file.path is not None and (found := known_sha256(file.path) or self._computed(file.path)):
                    self._hashes[file.name] = found
            self._by_hash = {}
            for name, found in self._hashes.items():
                self._by_hash.setdefault(found, name)
                self._by_hash.setdefault(found[:10], name)
        return self._hashes, self._by_hash

    def _tensor_hashes(self) -> dict[str, str]:
        """By the hash of its tensors that a file's own header states: SwarmUI names models by it."""
        if self._by_tensors is None:
            self._by_tensors = {}
            for file in self.files:
                if file.path is not None and (stated := _stated(file.path)):
                    self._by_tensors.setdefault(stated, file.name)
        return self._by_tensors


def _stated(path: Path) -> str:
    try:
        header = read_header(path)
    except (OSError, BrokenCheckpointError):
        return ""
    return header.metadata.get("modelspec.hash_sha256", "").lower() if header is not None else ""


def may_mean(written: str, name: str) -> bool:
    """Whether what a tool wrote can be this checkpoint's name, whatever folders it wrote."""
    return last_part(_bare(comparable(written).strip())) in _keys(name)


def _keys(name: str) -> set[str]:
    """What tools write for a file: its path from any of its folders on, or with `_` for `/` as A1111 does."""
    folders = _bare(comparable(name)).split("/")
    return {"/".join(folders[start:]) for start in range(len(folders))} | {"_".join(folders)}


def _bare(name: str) -> str:
    last = last_part(name)
    return name[: len(name) - len(last)] + (_ENDING.sub("", last) or last)
