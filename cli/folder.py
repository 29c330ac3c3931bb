"""The checkpoint files or the LoRAs of a folder: the candidates of `--folder`.

Separate from the commands because ComfyUI's own lists are not there: a folder knows no families and no extra paths.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.fallback import empty_pool_message
from ..checkpoints.families import UNKNOWN
from ..checkpoints.header import Header
from ..checkpoints.inventory import CheckpointFiles, Detected
from ..checkpoints.lora_files import LORAS, LoraFiles, detect_lora
from ..checkpoints.pool import ALL, CHECKPOINTS, CheckpointFile, PoolRules, select
from ..learning.loras import LoraCandidate
from .outcome import CommandFailed, WrongUse

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".bin", ".ckpt", ".gguf", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".sft"})
"""The file names that ComfyUI lists as checkpoints."""


@dataclass(slots=True)
class FolderCheckpoints:
    """The checkpoint files of a folder, for `CheckpointFiles`. Their families are unknown: that takes ComfyUI."""

    folder: Path
    detector: str = "none"
    kind: str = CHECKPOINTS

    def names(self, folder: str) -> list[str]:
        if folder != self.kind:
            return []
        files = (path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in files)

    def path(self, folder: str, name: str) -> Path | None:
        path = self.folder / name
        return path if folder == self.kind and path.is_file() else None

    def folders(self) -> list[str]:
        return [str(self.folder)]

    def detect(self, header: Header) -> Detected:
        return Detected()


@dataclass(slots=True)
class FolderLoras(FolderCheckpoints):
    """The LoRAs of a folder, likewise; their headers need no ComfyUI."""

    kind: str = LORAS

    def detect(self, header: Header) -> Detected:
        return detect_lora(header)


def files_in(folder: Path) -> list[CheckpointFile]:
    return list(CheckpointFiles(FolderCheckpoints(folder), store=None).list())


def candidates_in(folder: Path, include: str, exclude: str) -> tuple[str, ...]:
    """The checkpoints in `folder` that the globs leave.

    Raises
    ------
    WrongUse
        If it is not a folder.
    CommandFailed
        If no checkpoint is left.
    """
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder.")
    rules = PoolRules(family=ALL, include=include, exclude=exclude)
    files = files_in(folder)
    pool = select(rules, files)
    for reason in {file.unfinished for file in files} & pool.excluded.keys():
        log.warning("Left out: %s: %s", ", ".join(pool.excluded[reason]), reason)
    if not pool.candidates:
        raise CommandFailed(empty_pool_message(rules, pool, [str(folder)]))
    return pool.candidates


def loras_in(folder: Path, include: str, exclude: str) -> list[str | LoraCandidate]:
    """The LoRAs in `folder` that the globs leave, whatever their architecture.

    Raises
    ------
    WrongUse
        If it is not a folder.
    CommandFailed
        If no LoRA is left.
    """
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder.")
    files = LoraFiles(CheckpointFiles(FolderLoras(folder), store=None, folders=[LORAS]))
    found = [each.candidate for each in files.candidates(UNKNOWN, include, exclude)]
    if not found:
        raise CommandFailed(f"There is no LoRA in {folder} that --include and --exclude leave.")
    return list(found)
