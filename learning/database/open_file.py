"""The file behind an open database: whether its name still leads to it, and how it comes back to one.

Separate from `database`, which runs transactions, because SQLite notices none of this: it goes on with a file
that was deleted, replaced or written over, and all that is learned from then on is lost. One connection is
pinned, which nothing else uses: if the file is deleted, that one has surely seen it whole, while one that was
being opened just then has not.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from . import migrations
from .files import backups, replaced
from .files.overwritten import Changed, HeaderWatch
from .files.write_ahead_log import LogWatch

if TYPE_CHECKING:
    import aiosqlite


class OpenFile:
    """Make it with `pin`, once for each time that the file is opened."""

    def __init__(self, path: Path, pinned: AsyncConnection) -> None:
        self._path = path
        self._pinned = pinned
        self._identity = replaced.identity(path)
        self._header = HeaderWatch(path)
        self._log = LogWatch(path)
        self._is_doubtful = False

    @classmethod
    async def pin(cls, path: Path, engine: AsyncEngine) -> OpenFile:
        """Take a connection to the file out of its engine. Raises `DBAPIError`."""
        pinned = await engine.connect()
        try:
            # The first query opens the log that SQLite keeps next to the file.
            await pinned.run_sync(migrations.revision)
            await pinned.rollback()
            return cls(path, pinned)
        except BaseException:
            await pinned.close()
            raise

    def look(self) -> Changed | Literal["perhaps"] | None:
        """What somebody else changed behind SQLite's back; `perhaps`: only `verify` can tell. Microseconds."""
        log = self._log.look()
        if log == "damaged":
            return "log"
        changed = self._header.look()
        if changed and changed != "written":
            return changed
        stranger = changed is not None and not self._log.may_have_been_checkpointed()
        self._is_doubtful |= stranger or log == "doubtful"
        return "perhaps" if self._is_doubtful else None

    async def log_is_unchanged(self) -> bool:
        """See `LogWatch.is_unchanged`. Raises `OSError`."""
        reading = self._log.to_read()
        if reading is None:
            return True
        try:
            sums = await asyncio.to_thread(reading.sums)
        except RuntimeError:  # Python is ending: it starts no more threads, and nobody waits for this one
            sums = reading.sums()
        return self._log.is_unchanged(reading, sums)

    def verify(self) -> Changed | None:
        """Look at all of the file and its log. It blocks; `note` where nothing was found."""
        if not self._log.is_whole():
            return "log"
        if backups.problem_of(self._path):
            return "file"
        return None

    def note(self, *, seen: bool = False) -> None:
        """Remember the state of the files after `verify`, or the one that the last `look` has `seen`."""
        self._is_doubtful = self._is_doubtful and seen
        self._log.note(seen=seen)

    async def rescue(self) -> Path | None:
        """Copy what the open file holds into a new one beside its path; see `replaced.rescue`."""
        driver = (await self._pinned.get_raw_connection()).driver_connection
        return await replaced.rescue(cast("aiosqlite.Connection", driver), self._path)

    async def rescue_what_is_left(self) -> Path | None:
        """As `rescue`, of a damaged file: the copy may be damaged as well; None where there is none."""
        with contextlib.suppress(sqlite3.Error, OSError):
            return await self.rescue()
        return None

    def put_back(self, copy: Path | None, now: datetime) -> replaced.PutBack:
        """Give the rescued copy the file's name, once no connection holds the old file; see `replaced.put_back`.
        It blocks."""
        return replaced.put_back(copy, self._path, self._identity, self._log.identities, now)

    async def unpin(self) -> None:
        """Give the connection back to its engine."""
        await self._pinned.close()

    def close(self) -> None:
        """Let go of the files; once no connection is open any more, for that takes SQLite's locks away."""
        self._header.close()
        self._log.close()
