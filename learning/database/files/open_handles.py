"""Files that SQLite has open, open once more to look at their bytes.

Closing any handle to a file takes away the locks that SQLite has on it in this process
(https://www.sqlite.org/howtocorrupt.html, section 2.2). So there is one handle to each file for all who watch
it, and the last of them closes it, once no connection is open any more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

Identity: TypeAlias = tuple[int, int]


def identity(path: Path) -> Identity | None:
    """What distinguishes a file from another of the same name; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, before every write
    except OSError:
        return None
    return status.st_dev, status.st_ino


_open: dict[Identity, tuple[list[int], int]] = {}
"""Descriptors, and how many watch each file."""


class Handle:
    """Make it with `opened`; for one thread."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._file = _open[identity][0][0]

    def read(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file, size, offset)
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.read(self._file, size)

    def status(self) -> os.stat_result:
        return os.fstat(self._file)

    def close(self) -> None:
        files, watches = _open.pop(self._identity)
        if watches > 1:
            _open[self._identity] = files, watches - 1
            return
        for each in files:
            os.close(each)


def opened(path: Path) -> Handle | None:
    """None where the file cannot be read."""
    try:
        status = path.stat()
        files, watches = _open.get((status.st_dev, status.st_ino), ([], 0))
        if not files:
            files = [os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))]
            status = os.fstat(files[0])  # it may be another by now
    except OSError:
        return None
    identity = status.st_dev, status.st_ino
    others, watches = _open.get(identity, ([], 0))
    _open[identity] = [*{*others, *files}], watches + 1
    return Handle(identity)
