"""The use cases of forgetting: from the database, from its free pages, and from every copy that was made.

Apart from `service`, which adds to what is known. A copy of the file is opened like a database of its own and
forgets the same; one that cannot (it is damaged, or an older version's) goes as a whole, and so do files that
were put aside, and copies that a killed process left unfinished.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ..database.database import Database
from ..database.files import backups
from ..errors import InvalidRequest, LearningError, UnknownGeneration
from ..maintenance.retention import KeptBack, edge_of
from ..names import stored_text
from ..reports import Forgotten
from ..store import erasure as forgetting_store

Erasure = Callable[[Database], Awaitable[int]]

log = logging.getLogger(__name__)


class Forgetting:
    """What a person may take back. Every method says how much was forgotten, and whether traces may be left.

    Each raises `StoreUnavailable` where the database cannot be written; then some may be forgotten, and the
    call may be repeated.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.retention_days = 0
        """Generations go when they are so old; 0: never."""
        self.kept_back = KeptBack()
        """What the last look found too old by the clock alone, and kept."""
        self._retain_at = 0.0

    async def forget_generation(self, generation_id: str) -> Forgotten:
        """Forget a generation, its prompt, images and verdicts, and what they taught.

        Raises
        ------
        UnknownGeneration
        """
        stored = stored_text(generation_id)

        async def erase(database: Database) -> int:
            return await database.write_whole_log(lambda connection: forgetting_store.generation(connection, stored))

        forgotten = await forget(self._database, erase)
        if not forgotten.generations:
            raise UnknownGeneration(generation_id)
        return forgotten

    async def forget_keyword(self, keyword: str) -> Forgotten:
        """Forget all that was learned of a keyword, and the texts of the prompts that had it.

        Raises
        ------
        InvalidRequest
            If nothing is known of it.
        """
        stored = stored_text(keyword)

        async def erase(database: Database) -> int:
            found = 0
            while some := await database.write_whole_log(
                lambda connection: forgetting_store.keyword(connection, stored)
            ):
                found += some
            return found

        forgotten = await forget(self._database, erase)
        if not forgotten.generations:
            raise InvalidRequest(
                f"Nothing is known of the keyword {keyword[:80]!r}. GET statistics lists the keywords.",
                "unknown_keyword",
            )
        return forgotten

    async def forget_older(self, days: int) -> Forgotten:
        """Forget the generations that were logged more than so many days ago, and what they taught.

        The clock is believed, whatever it says: somebody asked for it.
        """
        return await self._forget_before(self._clock() - timedelta(days=days))

    async def _forget_before(self, edge: datetime) -> Forgotten:
        async def erase(database: Database) -> int:
            found = 0
            while some := await database.write_whole_log(lambda connection: forgetting_store.before(connection, edge)):
                found += some
            return found

        return await forget(self._database, erase)

    async def forget_prompts(self) -> Forgotten:
        """Forget the texts of all prompts; what was learned of their keywords stays."""

        async def erase(database: Database) -> int:
            return await database.write_whole_log(forgetting_store.prompts)

        return await forget(self._database, erase)

    async def forget_everything(self) -> Forgotten:
        """Begin anew."""

        async def erase(database: Database) -> int:
            return await database.write_whole_log(forgetting_store.everything)

        return await forget(self._database, erase)

    def _forget_what_is_too_old(self) -> None:
        """Beside everything else, at most once a day."""
        now = asyncio.get_running_loop().time()
        if self.retention_days and now >= self._retain_at:
            self._retain_at = now + timedelta(days=1).total_seconds()
            self._database.spawn(self._retain())

    async def _retain(self) -> None:
        now, days = self._clock(), self.retention_days
        too_old = now - timedelta(days=days)
        try:
            logged = await self._database.read_whole_log(forgetting_store.days)
            edge = edge_of(now, timedelta(days=days), logged)
            forgotten = await self._forget_before(edge)
            kept = await self._database.read(lambda connection: forgetting_store.count(connection, too_old))
        except LearningError as error:
            log.error("What is older than %d days could not be forgotten: %s", days, error)
            return
        self.kept_back = KeptBack(kept, days)
        if forgotten.generations:
            log.info("%d generations older than %d days went.", forgotten.generations, days)
        if kept:
            log.warning(
                "%d generations are older than %d days by this machine's clock (%s), but nothing was logged "
                "for so long before that the clock may be wrong: they are kept. Put the clock right; if it "
                "is, `context-checkpoint forget --older-than %d` lets them go.",
                kept,
                days,
                f"{now:%Y-%m-%d}",
                days,
            )


async def forget(database: Database, erase: Erasure) -> Forgotten:
    """Let a database and every copy of it forget."""
    found = await erase(database)
    traces: list[str] = []
    if found and not await database.compact():
        traces.append(database.name)
    if database.path is not None:
        async with database.copying:  # a copy that is made just now may still know
            if found:  # another process's too, which then cannot give it a name any more
                traces += await asyncio.to_thread(_drop, backups.drafts(database.path))
            for copy in await asyncio.to_thread(backups.listed, database.path):
                if not await _forget_in_copy(copy.path, erase):
                    traces.append(str(copy.path))
        if found:
            traces += await asyncio.to_thread(_drop, backups.put_aside(database.path))
    return Forgotten(found, tuple(traces))


async def _forget_in_copy(path: Path, erase: Erasure) -> bool:
    draft = path.with_name(f"{path.name}.forgetting.part")
    try:
        await asyncio.to_thread(backups.copy_file, path, draft)
        copy = await Database.open(draft)
        try:
            found = await erase(copy)
            clean = await copy.compact()
        finally:
            await copy.close()
        if found:
            if not clean:
                raise sqlite3.OperationalError("its free pages could not be cleared")
            await asyncio.to_thread(backups.take_name, draft, path)
    except (LearningError, sqlite3.Error, OSError) as error:
        log.warning("The copy %s cannot forget (%s); it is deleted.", path, error)
        try:
            await asyncio.to_thread(path.unlink)
        except OSError:
            return False
    finally:
        for left in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
            left.unlink(missing_ok=True)
    return True


def _drop(files: Sequence[Path]) -> list[str]:
    left = []
    for knows in files:
        try:
            knows.unlink(missing_ok=True)
        except OSError:
            left.append(str(knows))
    return left
