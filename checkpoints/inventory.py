"""Which checkpoints there are, of which family, and which of them failed to load.

Reading 200 headers takes a while on a slow disk, so what was found is remembered by path, size and time of
change; a file that changes is looked at anew. Separate from `pool`, which is pure, and from `comfy_files`,
which knows ComfyUI: this module does the remembering, works without ComfyUI, and is safe in any thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from ..learning.message import Message, Part, error_text, message, parts_of
from .families import UNKNOWN
from .header import BrokenCheckpointError, Header, fingerprint, read_header
from .patterns import printable
from .pool import CheckpointFile

log = logging.getLogger(__name__)

_RULES_VERSION = 2
"""Raise it when the same header would be read or named differently: every file is then looked at again."""


class CheckpointSource(Protocol):
    """Where checkpoints come from: ComfyUI (`comfy_files.ComfyCheckpoints`), or a folder in a test."""

    detector: str
    """Who detects, with its version: a newer one may know an architecture that was unknown before."""

    def names(self) -> list[str]: ...
    def path(self, name: str) -> Path | None: ...
    def folders(self) -> list[str]: ...
    def family(self, header: Header) -> str: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a file, valid as long as it has this size and time of change."""

    size: int
    mtime_ns: int
    family: str
    broken: str = ""
    fingerprint: str = ""
    parts: Sequence[Part] = ()

    @property
    def why(self) -> str:
        """`broken` as the message that it was."""
        return Message(self.broken, self.parts) if self.parts else self.broken

    def still_is(self, stat: os.stat_result) -> bool:
        return (self.size, self.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def unreadable(error: OSError) -> Message:
    return message("unreadable", "it cannot be read ({error})", error=error.strerror or error)


class CheckpointFiles:
    """The checkpoints of one source, remembered in one JSON file.

    Parameters
    ----------
    source
        Lists, finds and tells apart the checkpoints.
    memory
        The JSON file; None remembers for this process only. One that cannot be read or written is no failure.
    """

    def __init__(self, source: CheckpointSource, memory: Path | None) -> None:
        self._source = source
        self._memory = memory
        self._lock = threading.Lock()
        self._known: dict[str, _Known] | None = None

    def list(self) -> tuple[CheckpointFile, ...]:
        """List all checkpoints in the source's order. Reads the header of those it does not know yet."""
        with self._lock:
            known = self._remembered()
            before, began = dict(known), time.monotonic()
            files = tuple(file for name in self._source.names() if (file := self._look_at(name, known)))
            if known != before:
                log.debug("Looked at %d checkpoint headers in %.2f s", len(files), time.monotonic() - began)
                self._write(known)
            return files

    def names(self) -> tuple[str, ...]:
        """List the names alone, which costs no look into the files."""
        return tuple(self._source.names())

    def folders(self) -> tuple[str, ...]:
        """Name the folders in which the checkpoints lie."""
        return tuple(self._source.folders())

    def mark_broken(self, name: str, reason: str) -> None:
        """Recommend this checkpoint no more until its size or time of change differ.

        `reason` is shown to people, without the file's name: "it holds no text encoder".
        """
        path = self._source.path(name)
        if path is None:
            return
        with self._lock:
            known = self._remembered()
            try:
                stat = path.stat()
            except OSError:
                return
            former = known.get(str(path))
            same = former if former and former.still_is(stat) else _Known(0, 0, UNKNOWN)
            said = reason if isinstance(reason, Message) else " ".join(reason.split())
            known[str(path)] = _Known(
                stat.st_size, stat.st_mtime_ns, same.family, said, same.fingerprint, parts_of(said)
            )
            log.warning("Checkpoint %s will not be recommended until it changes: %s", name, reason)
            self._write(known)

    def broken(self, name: str) -> str:
        """Say why this checkpoint cannot be loaded; empty if nothing is known against it."""
        with self._lock:
            file = self._look_at(name, self._remembered())
        return file.broken if file else message("file_gone", "it is not there any more")

    def _look_at(self, name: str, known: dict[str, _Known]) -> CheckpointFile | None:
        path = self._source.path(name)
        if path is None:
            return None
        if printable(name) != name:
            return CheckpointFile(
                name,
                UNKNOWN,
                message("no_text", "its name is not valid text, so ComfyUI cannot load it: rename it"),
            )
        try:
            stat = path.stat()
            found = known.get(str(path))
            if found is None or not found.still_is(stat):
                found = known[str(path)] = self._examine(path, stat)
        except OSError as error:
            return CheckpointFile(name, UNKNOWN, unreadable(error))
        return CheckpointFile(name, found.family, found.why, found.fingerprint)

    def _examine(self, path: Path, stat: os.stat_result) -> _Known:
        try:
            header = read_header(path)
        except BrokenCheckpointError as error:
            log.warning("Checkpoint %s is broken: %s", path, error)
            why = error_text(error)
            return _Known(stat.st_size, stat.st_mtime_ns, UNKNOWN, why, parts=parts_of(why))
        family = UNKNOWN if header is None else self._source.family(header)
        return _Known(stat.st_size, stat.st_mtime_ns, family, fingerprint=fingerprint(path))

    def _remembered(self) -> dict[str, _Known]:
        if self._known is None:
            self._known = self._read()
        return self._known

    @property
    def _detector(self) -> str:
        return f"{self._source.detector}, rules {_RULES_VERSION}"

    def _read(self) -> dict[str, _Known]:
        if self._memory is None:
            return {}
        try:
            content = json.loads(self._memory.read_text(encoding="utf-8"))
            if content["detector"] != self._detector:
                return {}
            return {path: _Known(**entry) for path, entry in content["files"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("Cannot read %s, looking at the checkpoints again: %s", self._memory, error)
            return {}

    def _write(self, known: dict[str, _Known]) -> None:
        if self._memory is None:
            return
        content = {
            "detector": self._detector,
            "files": {path: asdict(entry) for path, entry in known.items()},
        }
        new = self._memory.with_name(f"{self._memory.name}.{os.getpid()}.new")
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(content, indent=1), encoding="ascii")  # folders may be named in no UTF-8
            new.replace(self._memory)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            log.info("Cannot write %s, the checkpoints are looked at again next time: %s", self._memory, error)
