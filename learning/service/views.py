"""What was logged and learned, to look at: one generation or pages of them, counts, rows, the way over time.

Apart from `service`, which joins this to the use cases that recommend and record: everything here only reads,
and a page of it is all that is ever held in memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..database.files import backups
from ..errors import UnknownGeneration
from ..names import stored_name, stored_text
from ..reports import (
    CheckpointRow,
    DatabaseReport,
    Overview,
    PairOrder,
    PairRow,
    SeriesPoint,
    SessionRow,
    Statistics,
)
from ..store import generations as log_store
from ..store import overview as progress_store
from ..store import pair_pages
from ..store import statistics as statistics_store
from ..store.records import LoggedGeneration
from ..store.rollup_task import RollupTask
from ..values import Generation


class Inspection:
    """Views of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counting = RollupTask(database)

    async def generation(self, generation_id: str) -> Generation:
        """One logged generation, with its newest verdict.

        Raises
        ------
        UnknownGeneration, StoreUnavailable
        """

        async def read(connection: AsyncConnection) -> Generation:
            return (await found(connection, generation_id)).generation

        return await self._database.read(read)

    async def generations(
        self,
        limit: int = 50,
        before: str | None = None,
        session_id: str | None = None,
        prompt_id: str | None = None,
        judged: bool | None = None,
        keyword: str | None = None,
        checkpoint: str | None = None,
    ) -> list[Generation]:
        """Logged generations, newest first; `before` is the id of the last one of the page before.

        `keyword` and `checkpoint` ask for those whose prompt had the one and that have images of the other.

        Raises
        ------
        UnknownGeneration
            If there is no generation with the id `before`.
        StoreUnavailable
        """

        name = None if checkpoint is None else stored_name(checkpoint)

        async def read(connection: AsyncConnection) -> list[Generation]:
            if before is not None:
                await found(connection, before)
            page = await log_store.newest(
                connection,
                limit=limit,
                before=before,
                session_id=session_id,
                prompt_id=prompt_id,
                judged=judged,
                keyword=keyword,
                checkpoint=name,
            )
            return [logged.generation for logged in page]

        return await self._database.read(read)

    async def statistics(
        self, keyword: str | None = None, checkpoint: str | None = None, limit: int = 100, offset: int = 0
    ) -> Statistics:
        """What was learned, to look at: counts, checkpoints, and one page of keyword x checkpoint rows."""
        pairs, found = await self.pairs(keyword, checkpoint, limit=limit, offset=offset)
        return Statistics(await self.overview(), await self.checkpoints(), pairs, found)

    async def overview(self) -> Overview:
        """Counts over the whole log."""
        how = await self._look()
        return await self._database.read(lambda connection: progress_store.overview(connection, **how))

    async def checkpoints(self) -> tuple[CheckpointRow, ...]:
        """Every judged checkpoint over all prompts, most evidence first."""
        return await self._database.read(statistics_store.checkpoint_rows)

    async def images_shown(self) -> dict[str, int]:
        """How many images each checkpoint has made, judged or not."""
        how = await self._look()
        return await self._database.read(lambda connection: progress_store.images_shown(connection, **how))

    async def pairs(
        self,
        keyword: str | None = None,
        checkpoint: str | None = None,
        *,
        search: str | None = None,
        sort: PairOrder = "total",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[PairRow, ...], int]:
        """One page of keyword x checkpoint rows, and how many there are to turn over.

        `search` is a part of the keyword or of the checkpoint's name, in any case. Of more than
        `pair_pages.FEW` rows, those with most evidence are sorted by what is not in an index.
        """
        page = pair_pages.Page(
            None if keyword is None else stored_text(keyword),
            None if checkpoint is None else stored_name(checkpoint),
            None if search is None else stored_text(search),
            sort,
            descending,
            limit,
            offset,
        )
        how = await self._look()
        return await self._database.read(lambda connection: pair_pages.pair_rows(connection, page, **how))

    async def series(self, points: int) -> tuple[SeriesPoint, ...]:
        """How it went over time, oldest first, in at most `points` groups of generations."""
        how = await self._look()
        return await self._database.read(lambda connection: progress_store.series(connection, points, **how))

    async def sessions(self, limit: int = 100, offset: int = 0) -> tuple[SessionRow, ...]:
        """How sure it was in each session, the surest first."""
        return await self._database.read(
            lambda connection: progress_store.sessions(connection, limit=limit, offset=offset)
        )

    async def learned_version(self) -> str:
        """A text that changes whenever something was learned, by any process that shares the database."""
        return await self._database.read(statistics_store.learned_version)

    async def database_report(self) -> DatabaseReport:
        """The state of the database, checked as far as SQLite can check a file."""
        state = await self._database.report()
        overview = await self.overview()
        return replace(
            state,
            generations=overview.generations,
            judged=overview.judged,
            pairs=overview.pairs,
            recomputing=overview.recomputing,
        )

    async def put_aside(self) -> list[str]:
        """Names of files that were found damaged, and that a copy took the place of; newest first."""
        path = self._database.path
        return [file.name for file in await asyncio.to_thread(backups.damaged, path)] if path else []

    async def _look(self) -> dict[str, bool]:
        read = await self._counting.look()
        return {"exact": read == "exact", "partial": read == "partial"}


async def found(connection: AsyncConnection, generation_id: str) -> LoggedGeneration:
    """The generation with that id; raises `UnknownGeneration`."""
    logged = await log_store.find(connection, stored_text(generation_id))
    if logged is None:
        raise UnknownGeneration(generation_id)
    return logged
