"""What the files say of each checkpoint's settings: its sidecars, its header and its name.

Separate from `inventory`, which finds the checkpoints, and from `sidecars` and `name_rules`, which read. This module
decides which of them counts first, and keeps what was read as long as no file changes. A file that cannot be read is
no failure: it is said among the problems.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..learning.message import error_text, message
from ..learning.names import shown_name
from ..learning.profiles import Known, from_header, from_name
from .inventory import CheckpointFiles, unreadable
from .name_rules import settings_of_header, settings_of_name
from .sidecars import ENDINGS, UnreadableSidecarError, names_of_sidecars, read_sidecar

log = logging.getLogger(__name__)

_State: TypeAlias = "tuple[tuple[str, int, int], ...]"
"""Name, size and modification time of each sidecar that is there."""


@dataclass(frozen=True, slots=True)
class FromFiles:
    """What the files say, the first source first, and what of it could not be used."""

    known: tuple[Known, ...] = ()
    problems: tuple[str, ...] = ()


class FileProfiles:
    """What the files of one inventory say of their checkpoints' settings. Safe in any thread."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._read: dict[str, tuple[object, FromFiles]] = {}

    def of(self, name: str) -> FromFiles:
        """Read a checkpoint's sidecars, header and name; of one that is not there, the name alone."""
        path, file = self._files.path(name), self._files.find(name)
        if path is None or file is None:
            return of_name(name)
        state = (str(path), file.fingerprint, file.family, _sidecars(path))
        with self._lock:
            former = self._read.get(name)
        if former is not None and former[0] == state:
            return former[1]
        result = _of_file(name, path, file.family, file.said)
        with self._lock:
            self._read[name] = (state, result)
        return result

    def state(self) -> object:
        """A value that changes with any sidecar of any checkpoint, for caches."""
        paths = (self._files.path(name) for name in self._files.names())
        folders = sorted({path.parent for path in paths if path is not None})
        return tuple((str(folder), _sidecars_in(folder)) for folder in folders)


def of_name(name: str) -> FromFiles:
    """What a checkpoint's name says, where there is no file."""
    return FromFiles((Known(from_name(), settings_of_name(name)),))


def _sidecars(path: Path) -> _State:
    found = []
    for name in names_of_sidecars(path):
        try:
            status = path.with_name(name).stat()
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):  # a pipe would never end
            found.append((name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _sidecars_in(folder: Path) -> _State:
    """The same for a whole folder: one listing is much quicker than four questions per checkpoint."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(ENDINGS):
                    status = entry.stat()
                    found.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError:
        pass  # it is listed again next time
    return tuple(sorted(found))


def _of_file(name: str, path: Path, family: str, said: Mapping[str, str]) -> FromFiles:
    known: list[Known] = []
    problems: list[str] = []
    for sidecar, _, _ in _sidecars(path):
        try:
            found, wrong = read_sidecar(path.with_name(sidecar), family)
        except (UnreadableSidecarError, OSError) as error:
            reason = unreadable(error) if isinstance(error, OSError) else error_text(error)
            problem = message("sidecar_problem", "{file}: {problem}", file=sidecar, problem=reason)
            log.info("The settings of %s: %s", shown_name(name), problem)
            problems.append(problem)
            continue
        known.append(found)
        problems += wrong
    known.append(Known(from_name(), settings_of_name(name, family)))
    known.append(Known(from_header(), settings_of_header(said, family, name)))
    return FromFiles(tuple(known), tuple(problems))
