"""Which checkpoints there are, which family each belongs to, and which of them cannot be loaded; LoRAs alike.

Reading 200 headers takes a while on a slow disk, so the results are stored by path, size and modification time; a file
that changes is read again. Separate from `pool`, which is pure, and from `nodes.comfy.files`, which knows ComfyUI: this
module stores the results, works without ComfyUI, and is safe in any thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ..learning.message import Message, Part, error_text, message, parts_of
from ..learning.names import shown_name
from .families import UNKNOWN
from .header import (
    BrokenCheckpointError,
    CutShortError,
    Header,
    fingerprint,
    read_header,
)
from .patterns import printable
from .pool import FOLDERS, CheckpointFile
from .pool import Part as PartName

log = logging.getLogger(__name__)

_RULES_VERSION = 4
"""Raise it when the same header would be read or named differently: every file is then read again."""


_SAID = ("title", "architecture", "resolution", "prediction_type", "encoder_layer")
"""What is kept of `modelspec.*` in a header; https://github.com/Stability-AI/ModelSpec."""
_LONGEST_SAID = 200

_QUIET_S = 120.0
"""A file that lacks a part is still being written if it has changed since."""
_DOWNLOAD_ENDINGS = (".aria2", ".part", ".partial", ".crdownload")


@dataclass(frozen=True, slots=True)
class Detected:
    """What a header says: the architecture family, the parts besides the diffusion model that are not there, and what
    else of it is kept."""

    family: str = UNKNOWN
    lacks: tuple[PartName, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)


class CheckpointSource(Protocol):
    """Where files come from: ComfyUI (`ComfyCheckpoints` and `ComfyLoras` in `nodes.comfy.files`), or a folder."""

    detector: str
    """Name and version of the detection: a newer one may know an architecture that was unknown before."""

    def names(self, folder: str) -> list[str]: ...
    def path(self, folder: str, name: str) -> Path | None: ...
    def folders(self) -> list[str]: ...
    def detect(self, header: Header) -> Detected: ...


@dataclass(frozen=True, slots=True)
class _StoredFile:
    """What was read from a file, valid as long as it has this size and modification time."""

    size: int
    mtime_ns: int
    family: str
    broken: str = ""
    fingerprint: str = ""
    parts: Sequence[Part] = ()
    lacks: Sequence[PartName] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """`broken` as a message with its parts."""
        return Message(self.broken, self.parts) if self.parts else self.broken

    def is_current(self, stat: os.stat_result) -> bool:
        return (self.size, self.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def _download_beside(path: Path) -> str:
    """The name of a file that a downloader keeps beside one that it has not finished; empty if there is none."""
    names = (path.name + ending for ending in _DOWNLOAD_ENDINGS)
    return next((name for name in names if path.with_name(name).exists()), "")


def _said(header: Header) -> dict[str, str]:
    """What a header says of how the model is used."""
    names = (f"modelspec.{name}" for name in _SAID)
    said = {name: header.metadata[name][:_LONGEST_SAID] for name in names if header.metadata.get(name)}
    # NoobAI's models and those made from them have an empty tensor of this name.
    return {**said, "modelspec.prediction_type": "v"} if "v_pred" in header.shapes else said


def unreadable(error: OSError) -> Message:
    return message("unreadable", "it cannot be read ({error})", error=error.strerror or error)


class CheckpointFiles:
    """The checkpoints of one source, with what was read from them stored in one JSON file.

    Parameters
    ----------
    source
        Lists the checkpoints, finds their files and detects their families.
    store
        The JSON file; None stores for this process only. One that cannot be read or written is no failure.
    folders
        Which of ComfyUI's model folders are meant; a LoRA's files are read in the same way.
    """

    def __init__(self, source: CheckpointSource, store: Path | None, folders: Sequence[str] = FOLDERS) -> None:
        self._source = source
        self._folders = tuple(folders)
        self._store = store
        self._lock = threading.Lock()
        self._stored_files: dict[str, _StoredFile] | None = None

    def list(self) -> tuple[CheckpointFile, ...]:
        """List all checkpoints in the source's order. Reads the headers of new and changed files."""
        with self._lock:
            stored = self._stored()
            before, started_s = dict(stored), time.monotonic()
            files = tuple(
                file
                for folder in self._folders
                for name in self._source.names(folder)
                if (file := self._inspect(folder, name, stored))
            )
            if stored != before:
                log.debug("Read %d headers in %.2f s", len(files), time.monotonic() - started_s)
                self._write(stored)
            return files

    def names(self) -> tuple[str, ...]:
        """List the names alone, without reading any file."""
        return tuple(dict.fromkeys(name for folder in self._folders for name in self._source.names(folder)))

    def folders(self) -> tuple[str, ...]:
        """List the folders of the checkpoints."""
        return tuple(self._source.folders())

    def mark_broken(self, name: str, reason: str) -> None:
        """Stop recommending this checkpoint until its size or modification time changes.

        `reason` is shown to people, without the file's name: "it holds no text encoder".
        """
        path = self.path(name)
        if path is None:
            return
        with self._lock:
            stored = self._stored()
            try:
                stat = path.stat()
            except OSError:
                return
            former = stored.get(str(path))
            current = former if former and former.is_current(stat) else _StoredFile(0, 0, UNKNOWN)
            problem = reason if isinstance(reason, Message) else " ".join(reason.split())
            stored[str(path)] = replace(
                current,
                size=stat.st_size,
                mtime_ns=stat.st_mtime_ns,
                broken=problem,
                parts=parts_of(problem),
            )
            log.warning("%s will not be recommended until it changes: %s", shown_name(name), reason)
            self._write(stored)

    def note_lacking(self, name: str, lacks: Sequence[PartName]) -> None:
        """Remember which parts this checkpoint turned out not to hold: of a pickle no header says that."""
        path = self.path(name)
        with self._lock:
            stored = self._stored()
            if path is not None and (former := stored.get(str(path))) is not None:
                stored[str(path)] = replace(former, lacks=tuple(lacks))
                self._write(stored)

    def broken(self, name: str) -> str:
        """Return why this checkpoint cannot be loaded; empty if no reason is known."""
        file = self.find(name)
        return file.broken if file else message("file_gone", "it is not there any more")

    def find(self, name: str) -> CheckpointFile | None:
        """Return one file; None if there is none of this name."""
        with self._lock:
            stored = self._stored()
            return next(filter(None, (self._inspect(folder, name, stored) for folder in self._folders)), None)

    def path(self, name: str) -> Path | None:
        """Return where a file lies; None if there is none of this name."""
        return next(filter(None, (self._source.path(folder, name) for folder in self._folders)), None)

    def _inspect(self, folder: str, name: str, stored: dict[str, _StoredFile]) -> CheckpointFile | None:
        path = self._source.path(folder, name)
        if path is None:
            return None
        if printable(name) != name:
            return CheckpointFile(
                name,
                UNKNOWN,
                message("no_text", "its name is not valid text, so ComfyUI cannot load it: rename it"),
                folder=folder,
            )
        try:
            if beside := _download_beside(path):
                still = message("still_downloaded", "it is still being downloaded ({file} is there)", file=beside)
                return CheckpointFile(name, folder=folder, unfinished=still)
            stat = path.stat()
            file = stored.get(str(path))
            if file is None or not file.is_current(stat):
                file = stored[str(path)] = self._read_file(path, stat)
        except CutShortError:
            return CheckpointFile(name, folder=folder, unfinished=message("still_written", "it is still being written"))
        except OSError as error:
            return CheckpointFile(name, UNKNOWN, unreadable(error), folder=folder)
        return CheckpointFile(
            name, file.family, file.problem, file.fingerprint, folder, tuple(file.lacks), said=file.said
        )

    def _read_file(self, path: Path, stat: os.stat_result) -> _StoredFile:
        """Raises `CutShortError` where the rest of the file may still come, and `OSError`."""
        try:
            header = read_header(path)
        except BrokenCheckpointError as error:
            if isinstance(error, CutShortError) and abs(time.time() - stat.st_mtime) < _QUIET_S:
                raise
            log.warning("%s is broken: %s", shown_name(str(path)), error)
            problem = error_text(error)
            return _StoredFile(stat.st_size, stat.st_mtime_ns, UNKNOWN, problem, parts=parts_of(problem))
        detected = Detected() if header is None else self._source.detect(header)
        content = fingerprint(path) if stat.st_size else ""  # two empty files are not one checkpoint
        return _StoredFile(
            stat.st_size,
            stat.st_mtime_ns,
            detected.family,
            fingerprint=content,
            lacks=detected.lacks,
            said={} if header is None else {**_said(header), **detected.said},
        )

    def _stored(self) -> dict[str, _StoredFile]:
        if self._stored_files is None:
            self._stored_files = self._read()
        return self._stored_files

    @property
    def _detector(self) -> str:
        return f"{self._source.detector}, rules {_RULES_VERSION}"

    def _read(self) -> dict[str, _StoredFile]:
        if self._store is None:
            return {}
        try:
            content = json.loads(self._store.read_text(encoding="utf-8"))
            if content["detector"] != self._detector:
                return {}
            return {path: _StoredFile(**entry) for path, entry in content["files"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("Cannot read %s, so the files are read again: %s", self._store, error)
            return {}

    def _write(self, stored: dict[str, _StoredFile]) -> None:
        if self._store is None:
            return
        content = {
            "detector": self._detector,
            "files": {path: asdict(file) for path, file in stored.items()},
        }
        unfinished = self._store.with_name(f"{self._store.name}.{os.getpid()}.new")
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(
                json.dumps(content, indent=1), encoding="ascii"
            )  # a folder's name may not be valid UTF-8
            unfinished.replace(self._store)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            log.info("Cannot write %s, so the files are read again next time: %s", self._store, error)
