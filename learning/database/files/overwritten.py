"""A database file that is written over while it is open, as `cp backup.db preferences.db` does.

Its name still leads to the same file, so that `replaced` sees nothing, and SQLite goes on writing the pages
that it remembers among those that are there now: all that is learned from then on would be lost with them.
Separate from `replaced`, because the file's content is what shows it. In WAL mode only checkpoints of the log
write a database file, and what they write is never older than what was there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ...errors import StoreUnavailable
from ...message import message


class _Header(NamedTuple):
    """Of a file: the size of its pages, and what only grows with each change of its first page."""

    page_size: int
    cookie: int
    pages: int
    changes: int

    def may_follow(self, before: _Header) -> bool:
        """Only `VACUUM` makes a file smaller, and it changes the cookie."""
        return (
            self.page_size == before.page_size
            and self.changes >= before.changes
            and (self.cookie > before.cookie or (self.cookie == before.cookie and self.pages >= before.pages))
        )


class WrittenOver(StoreUnavailable):
    """It was; it must be opened again."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "store_damaged",
            message(
                "store_damaged",
                "{name} is no database, or damaged. Move it away, or put a backup in its place, and restart.",
                name=name,
            ),
        )


class HeaderWatch:
    """What the file's first page said at the last look; for one thread.

    More of the file says nothing without the log: while somebody reads, SQLite brings only a part of that into
    the file. `close` it when no connection is open any more.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state = _state(file)
        self._opened = _open(file)
        self._header = self._read()

    def is_written_over(self) -> bool:
        """Whether it has what no checkpoint wrote; costs a look at its time unless that has changed."""
        state = _state(self._file)
        if state == self._state:
            return False
        before, self._header = self._header, self._read()
        self._state = state
        if self._header is None:
            return before is not None or (state is not None and state[1] > 0)
        return before is not None and not self._header.may_follow(before)

    def close(self) -> None:
        if self._opened is not None:
            _close(self._opened)
            self._opened = None

    def _read(self) -> _Header | None:
        """None where it is no database (yet)."""
        if self._opened is None:
            return None
        file = _open_files[self._opened][0][0]
        os.lseek(file, 0, os.SEEK_SET)
        head = os.read(file, 100)
        if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
            return None
        changes, pages, cookie = (int.from_bytes(head[at : at + 4], "big") for at in (24, 28, 40))
        return _Header(int.from_bytes(head[16:18], "big"), cookie, pages, changes)


_Identity: TypeAlias = tuple[int, int]

_open_files: dict[_Identity, tuple[list[int], int]] = {}
"""Open files, and how many watch each: closing one takes away the locks that SQLite has on it in this process,
so the last closes them (https://www.sqlite.org/howtocorrupt.html, section 2.2)."""


def _open(file: Path) -> _Identity | None:
    try:
        status = file.stat()
        files, watches = _open_files.get((status.st_dev, status.st_ino), ([], 0))
        if not files:
            files = [os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))]
            status = os.fstat(files[0])  # it may be another by now
    except OSError:
        return None
    others, watches = _open_files.get((status.st_dev, status.st_ino), ([], 0))
    _open_files[status.st_dev, status.st_ino] = [*{*others, *files}], watches + 1
    return status.st_dev, status.st_ino


def _close(identity: _Identity) -> None:
    files, watches = _open_files.pop(identity)
    if watches > 1:
        _open_files[identity] = files, watches - 1
        return
    for each in files:
        os.close(each)


def _state(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
