"""A database file that is written over while it is open, as `cp backup.db preferences.db` does.

Its name still leads to the same file, so that `moved_file` sees nothing, and SQLite goes on writing the pages
it remembers between those that are there now: all that is taught from then on would be lost with them.
Separate from `moved_file`, because here it is told by what the file holds. Only checkpoints of the log beside
it write a database file in this pack's mode, and what they write is never older than what was there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from .engines import address_of
from .errors import StoreUnavailable
from .message import message

_LOOKS, _BETWEEN_S = 3, 0.05
"""Another process may be in the middle of writing the log into the file: that is looked at again."""


class _Content(NamedTuple):
    """Which database it is, and its newest generation and verdict."""

    identity: str
    generation: int
    verdict: int


class WrittenOver(StoreUnavailable):
    """It was; what is open must be let go of."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "store_damaged",
            message(
                "store_damaged",
                "{name} is no database, or damaged. Move it away, or put a backup in its place, and restart.",
                name=name,
            ),
        )


class Glance:
    """What the file itself held when it was looked at last, without the log beside it. Not of two threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._state = _state(file)
        self._content = _content(file)

    async def is_written_over(self, identity: Callable[[], Awaitable[str]]) -> bool:
        """Whether it holds what no checkpoint wrote; costs a look at its time unless that has changed.

        Parameters
        ----------
        identity
            Tells that of the database as those who have it open see it.
        """
        for look in range(_LOOKS):
            state = _state(self._file)
            if state == self._state:
                return False
            if look:
                await asyncio.sleep(_BETWEEN_S)
            content = _content(self._file)
            if await self._follows(content, identity):
                self._state, self._content = state, content or self._content
                return False
        return True

    async def _follows(self, content: _Content | None, identity: Callable[[], Awaitable[str]]) -> bool:
        if content is None or self._content is None:
            return content is not None
        if content.identity != self._content.identity:  # it forgot something, or is another
            return content.identity == await identity()
        return content.generation >= self._content.generation and content.verdict >= self._content.verdict


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _content(file: Path) -> _Content | None:
    """None where it is no database. Read by SQLite: closing a plain file would take away its locks."""
    newest = "SELECT identity, (SELECT MAX(number) FROM generation_logs), (SELECT MAX(number) FROM verdicts)"
    try:
        with closing(sqlite3.connect(f"{address_of(file)}?mode=ro&immutable=1", uri=True)) as held:
            row = held.execute(f"{newest} FROM learned_state").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else _Content(str(row[0]), int(row[1] or 0), int(row[2] or 0))
