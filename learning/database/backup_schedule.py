"""When a database file is copied: once a day, after a write, and when it is closed.

Separate from `files.backups`, which makes, lists and restores copies and knows no time of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from .files import backups

_LOOK_EVERY_S, _LOOK_SOON_S = 3600.0, 60.0

log = logging.getLogger(__name__)


class BackupSchedule:
    """Of one database; a server's, or one in memory, has no `path`, and no copies.

    Attributes
    ----------
    lock
        Held while copies are made or changed.
    """

    def __init__(self, path: Path | None, read_kept: Callable[[], int], clock: Callable[[], datetime]) -> None:
        self._read_kept = read_kept
        self.lock = asyncio.Lock()
        self._path = path
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._look_at = 0.0
        self._was_written = False

    @property
    def kept(self) -> int:
        """How many daily copies are kept, and as many from before migrations, by the settings of now; 0: none."""
        return self._read_kept() if self._path else 0

    def is_due(self) -> bool:
        """Whether to `run` after this write; at most once an hour."""
        if self._path is None or not self.kept or self._loop.time() < self._look_at:
            return False
        self._look_at = self._loop.time() + _LOOK_EVERY_S
        self._was_written = True
        return True

    def look_soon(self) -> None:
        """Look after the next write."""
        self._look_at = 0.0

    async def run(self) -> bool:
        """Make a copy if it is time, in a thread: no verdict waits for it, and none fails because of it.

        Returns whether the file may be damaged.
        """
        assert self._path  # noqa: S101 - for mypy: it was due
        async with self.lock:
            return await asyncio.to_thread(self._run, self._path)

    def run_at_closing(self) -> None:
        """The first verdicts may have come after the first look. It blocks: as Python ends, no thread can begin."""
        if self._path and self.kept and self._was_written:
            self._run(self._path)

    def _run(self, path: Path) -> bool:
        now = self._clock()
        try:
            if backups.is_due(path, now):
                if backups.holds_verdicts(path):
                    backups.make(path, now, kept=self.kept)
                else:  # the first is about to come
                    self._look_at = self._loop.time() + _LOOK_SOON_S
        except (sqlite3.Error, OSError) as error:
            log.warning("No backup of %s could be made (%s); it is tried again in an hour.", path, error)
            return isinstance(error, sqlite3.DatabaseError)
        return False
