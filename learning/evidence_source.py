"""What the database knows of one question, and of which state of it that is.

Separate from `evidence_cache`, which decides when to ask, because this one knows the store.
"""

from __future__ import annotations

from . import statistics_store, versions
from .database import Database
from .decision import Question
from .values import Evidence


class Learned:
    """Of one question; an `evidence_cache.Source`."""

    def __init__(self, database: Database, asked: Question) -> None:
        self._database = database
        self._asked = asked

    async def version(self) -> versions.Version | None:
        return await self._database.version()

    async def read(self) -> tuple[versions.Version | None, Evidence]:
        texts, names = [word.text for word in self._asked.keywords], list(self._asked.spelled)
        return await versions.read_at_version(
            self._database, lambda connection: statistics_store.evidence(connection, texts, names)
        )
