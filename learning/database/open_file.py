"""The file behind an open database: whether its name still leads to it, and how it comes back to one.

Separate from `database`, which runs transactions, because SQLite notices none of this: it goes on with a file
that was deleted, replaced or written over, and all that is learned from then on is lost. One connection is
pinned, which nothing else uses: if the file is deleted, that one has surely seen it whole, while one that was
being opened just then has not.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from . import migrations
from .files import replaced
from .files.overwritten import HeaderWatch

if TYPE_CHECKING:
    import aiosqlite


class OpenFile:
    """Make it with `pin`, once for each time that the file is opened."""

    def __init__(self, path: Path, pinned: AsyncConnection) -> None:
        self._path = path
        self._pinned = pinned
        self._sidecar_files = replaced.sidecar_files(path)
        self._header = HeaderWatch(path)

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

    def is_written_over(self) -> bool:
        """Whether somebody copied another file's content into it; microseconds."""
        return self._header.is_written_over()

    async def rescue(self) -> Path | None:
        """Copy what the open file holds into a new one beside its path; see `replaced.rescue`."""
        driver = (await self._pinned.get_raw_connection()).driver_connection
        return await replaced.rescue(cast("aiosqlite.Connection", driver), self._path)

    def put_back(self, copy: Path | None, now: datetime) -> str:
        """Give the rescued copy the file's name, once no connection holds the old file; see `replaced.put_back`.
        It blocks."""
        return replaced.put_back(copy, self._path, self._sidecar_files, now)

    async def unpin(self) -> None:
        """Give the connection back to its engine."""
        await self._pinned.close()

    def close(self) -> None:
        """Let go of the file; once no connection is open any more, for that takes SQLite's locks away."""
        self._header.close()
