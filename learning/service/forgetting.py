"""The use cases of forgetting: from the database, from its free pages, and from every copy of the file.

Separate from `service`, which adds to what is known, because it must also reach what no query does. Copies of the file,
damaged files that were quarantined, and copies that a killed process left unfinished are deleted, and one new copy is
made of what is left: so there is one rule for all of them, and none of them is ever opened for writing.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..database.files import backups
from ..errors import InvalidRequest, LearningError, UnknownGeneration
from ..names import stored_text
from ..outbox.delivery import Delivery
from ..reports import Forgotten
from ..store import erasure
from .settings import SettingsReader

Erase = Callable[[AsyncConnection], Awaitable[erasure.Erased | None]]
"""Erases in one transaction, a page of generations where they may be many; None where there was nothing to erase."""

log = logging.getLogger(__name__)


class Forgetting:
    """What a person may take back. Every method reports how much was forgotten, and where traces may be left.

    Each raises `StoreUnavailable` where the database cannot be written; then some may be forgotten, and the call may be
    repeated.
    """

    def __init__(
        self, database: Database, delivery: Delivery, clock: Callable[[], datetime], settings: SettingsReader
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._clock = clock
        self._settings = settings
        self._next_retention = 0.0

    async def generation(self, generation_id: str) -> Forgotten:
        """Forget one generation. Raises `UnknownGeneration`."""
        stored = stored_text(generation_id)
        forgotten = await self._forget(lambda connection: erasure.generation(connection, stored))
        if forgotten is None:
            raise UnknownGeneration(generation_id)
        return forgotten

    async def keyword(self, keyword: str) -> Forgotten:
        """Forget a keyword. Raises `InvalidRequest` if nothing is known of it."""
        stored = stored_text(keyword)
        forgotten = await self._forget(lambda connection: erasure.keyword(connection, stored))
        if forgotten is None:
            raise InvalidRequest(
                f"Nothing is known of the keyword {keyword[:80]!r}. GET statistics lists the keywords.",
                "unknown_keyword",
            )
        return forgotten

    async def older_than(self, days: int) -> Forgotten:
        """Forget what was logged more than so many days ago, by this machine's clock."""
        cutoff = self._clock() - timedelta(days=days)
        return await self._forget(lambda connection: erasure.before(connection, cutoff)) or Forgotten(0, ())

    async def prompts(self) -> Forgotten:
        """Forget the texts of all prompts."""
        return await self._forget(erasure.prompts) or Forgotten(0, ())

    async def everything(self) -> Forgotten:
        """Forget all there is, in copies too where the database is empty already."""
        return await self._forget(erasure.everything) or Forgotten(0, ())

    def begin_retention(self) -> None:
        """Forget in the background what is older than the setting allows; at most once a day."""
        now = asyncio.get_running_loop().time()
        days = self._settings().retention_days
        if days and now >= self._next_retention:
            self._next_retention = now + timedelta(days=1).total_seconds()
            self._database.spawn(self._retain(days))

    async def _retain(self, days: int) -> None:
        try:
            forgotten = await self.older_than(days)
        except LearningError as error:
            log.error("What is older than %d days could not be forgotten: %s", days, error)
            return
        if forgotten.generations:
            log.info("%d generations older than %d days were forgotten.", forgotten.generations, days)

    async def _forget(self, erase: Erase) -> Forgotten | None:
        """Erase page by page, then clear free pages and replace the copies; None where there was nothing to erase."""
        await self._delivery.deliver()  # what waits is forgotten with the rest
        erased = await self._database.write(erase)
        if erased is None:
            return None
        total = erased.generations
        while erased and erased.more:
            erased = await self._database.write(erase)
            total += erased.generations if erased else 0
        traces = [] if await self._database.compact() else [self._database.name]
        traces += await self._delivery.forget()
        if self._database.path is not None:
            async with self._database.copying:  # no copy is under way that could still know
                traces += await asyncio.to_thread(self._replace_copies, self._database.path)
        return Forgotten(total, tuple(traces))

    def _replace_copies(self, path: Path) -> list[str]:
        """Make one new copy where copies are kept, and delete all others; the names of those that stay."""
        # Drafts first: another process that is making a copy can then no longer give it its name.
        left = _delete(backups.drafts(path))
        new_copy: Path | None = None
        kept = self._database.backups_kept
        try:
            if kept and backups.holds_verdicts(path):
                new_copy = backups.make(path, self._clock(), kept=kept).path
        except (sqlite3.Error, OSError) as error:
            log.warning("The copies of %s are deleted, but no new one could be made (%s).", path, error)
        copies = [copy.path for copy in backups.listed(path) if copy.path != new_copy]
        return left + _delete([*copies, *backups.put_aside(path)])


def _delete(files: Iterable[Path]) -> list[str]:
    """Delete files; the names of those that could not be."""
    left = []
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError:
            left.append(str(file))
    return left
