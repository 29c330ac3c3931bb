"""A database file that is written over while it is open, as `cp backup.db preferences.db` does, or cut off.

Its name still leads to the same file, so that `replaced` sees nothing, and SQLite goes on writing the pages
that it remembers among those that are there now: all that is learned from then on would be lost with them.
Separate from `replaced`, because the file's content is what shows it. In WAL mode only checkpoints of the log
write a database file, and what they write is never older than what was there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from ...errors import StoreUnavailable
from ...message import message
from . import open_handles

Changed: TypeAlias = Literal["file", "other file", "log"]
"""The database, damaged; the database, by another one's content; its write-ahead log, or the index of that."""


class _Header(NamedTuple):
    """Of a file: the size of its pages, and what only grows with each change of its first page."""

    page_size: int
    cookie: int
    pages: int
    changes: int

    @property
    def bytes_of_a_page(self) -> int:
        return 65_536 if self.page_size == 1 else self.page_size

    def may_follow(self, before: _Header) -> bool:
        """Only `VACUUM` makes a file smaller, and it changes the cookie."""
        return (
            self.page_size == before.page_size
            and self.changes >= before.changes
            and (self.cookie > before.cookie or (self.cookie == before.cookie and self.pages >= before.pages))
        )


class WrittenOver(StoreUnavailable):
    """Somebody changed an open file behind SQLite's back.

    Attributes
    ----------
    what
        What was changed.
    committed
        Whether it was noticed only after the commit.
    """

    def __init__(self, name: str, what: Changed, *, committed: bool = False) -> None:
        unsure = message(
            "perhaps_not_stored",
            "{name} was damaged by another program while this was stored. Send it again to be sure.",
            name=name,
        )
        damaged = message(
            "store_damaged",
            "{name} is no database, or damaged. Move it away, or put a backup in its place, and restart.",
            name=name,
        )
        super().__init__("store_damaged", unsure if committed else damaged)
        self.what: Changed = what
        self.committed = committed


class HeaderWatch:
    """What the file's first page said at the last look; for one thread.

    More of the file says nothing without the log: while somebody reads, SQLite brings only a part of that into
    the file. `close` it when no connection is open any more.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state = _state(file)
        self._handle = open_handles.opened(file)
        self._header = self._read()

    def look(self) -> Changed | Literal["written"] | None:
        """What no checkpoint did to it, or that it was `written` since the last look; costs a look at its time
        unless that has changed."""
        state = _state(self._file)
        if state == self._state or state is None:
            return None
        header, before = self._read(), self._header
        if header is None:
            return "file" if before is not None or state.size else None
        if before is not None:
            if not header.may_follow(before):
                return "other file"
            # A checkpoint writes the first page first, and makes the file smaller last.
            if self._state and state.size < min(self._state.size, header.pages * header.bytes_of_a_page):
                return "file"
        self._state, self._header = state, header
        return "written"

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _read(self) -> _Header | None:
        """None where it is no database (yet)."""
        if self._handle is None:
            return None
        head = self._handle.read(0, 100)
        if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
            return None
        changes, pages, cookie = (int.from_bytes(head[at : at + 4], "big") for at in (24, 28, 40))
        return _Header(int.from_bytes(head[16:18], "big"), cookie, pages, changes)


class _State(NamedTuple):
    written: int
    size: int


def _state(file: Path) -> _State | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - half the time of Path.stat, before every write
    except OSError:
        return None
    return _State(status.st_mtime_ns, status.st_size)
