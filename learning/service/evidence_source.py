"""What the database knows of one question, and of which state of the database that is.

Separate from `recommendation.cache`, which decides when to ask, because this module knows the store.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database, Work
from ..database.versions import T, Version, of_server
from ..model.evidence import Evidence
from ..recommendation.decision import Question
from ..store import statistics as statistics_store


class Learned:
    """Of one question; a `recommendation.cache.Source`."""

    def __init__(self, database: Database, asked: Question) -> None:
        self._database = database
        self._asked = asked

    async def version(self) -> Version | None:
        return await self._database.version()

    async def read(self) -> tuple[Version | None, Evidence]:
        texts, names = [word.text for word in self._asked.keywords], list(self._asked.spelled)
        return await read_at_version(
            self._database, lambda connection: statistics_store.evidence(connection, texts, names)
        )


async def read_at_version(database: Database, work: Work[T]) -> tuple[Version | None, T]:
    """Run `work`, one statement, on the state of this version or a newer one."""

    async def both(connection: AsyncConnection) -> tuple[Version | None, T]:
        return await of_server(connection), await work(connection)

    if database.is_server:
        return await database.read(both, at_once=True)
    known = await database.version()
    return known, await database.read(work, at_once=True)
