"""The use cases of images that are there before the first question: learned in one batch, listed, and taken back.

Separate from `service`, because an import of many images takes minutes, for which nobody's verdict may wait. It refuses
to know where the images lie: the caller has read their recipes and matched their models.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ...recipes.recipe import Recipe
from ..database.database import Database
from ..errors import InvalidRequest
from ..exchange import from_recipes, transfer
from ..exchange.line_format import PortableGeneration
from ..message import message
from ..names import stored_text
from ..reports import ImagesImported, ImportBatch, ImportReport
from ..store import erasure, generations, imports
from ..store.rollup_task import keep_up
from ..store.verdict_marks import UNJUDGED
from ..values import ImageFile, import_session
from .settings import SettingsReader

LONGEST_NAME = 200
_PAGE = 25
"""Generations in one transaction: about a tenth of a second, for which a verdict may have to wait."""
_LOOKED_UP = 1_000
_ROLLED_UP_AFTER = 40 * _PAGE

OnProgress = Callable[[int, int], None]
"""Called with how many images are in, and of how many."""


class Importing:
    """The imports of one database."""

    def __init__(self, database: Database, clock: Callable[[], datetime], settings: SettingsReader) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def add(
        self,
        recipes: Sequence[tuple[Recipe, float | None]],
        batch: str,
        ids: Sequence[str] | None,
        files: Sequence[ImageFile] | None,
        on_progress: OnProgress | None,
    ) -> ImagesImported:
        """Import a batch; one that was interrupted goes on. Raises `InvalidRequest`, `StoreUnavailable`."""
        name, now, days = _checked(batch), self._clock(), self._settings().retention_days
        oldest = now - timedelta(days=days) if days else None
        read = await asyncio.to_thread(from_recipes.read, recipes, ids, files, now=now, oldest=oldest)
        known = await self._known([image.source_id for image in read.images])
        new = [image for image in read.images if image.source_id not in known]
        groups = await asyncio.to_thread(from_recipes.together, new)
        added = rated = 0
        for number, page in enumerate(from_recipes.pages(groups, _PAGE), start=1):
            batch_page = [from_recipes.as_generation(group, name, now) for group in page]
            await self._write(batch_page)
            added += sum(map(len, page))
            rated += sum(image.mark != UNJUDGED for group in page for image in group)
            if on_progress is not None:
                on_progress(added, len(new))
            if number * _PAGE % _ROLLED_UP_AFTER == 0:
                await keep_up(self._database)
        newly_rated = await self._rate(
            {known[image.source_id]: image.mark for image in read.images if image.source_id in known}
        )
        await keep_up(self._database)
        return ImagesImported(
            images=len(recipes),
            added=added,
            rated=rated,
            newly_rated=newly_rated,
            known=len(known) + read.repeated,
            without_model=read.without_model,
            too_old=read.too_old,
            without_moment=read.without_moment,
            in_future=read.in_future,
        )

    async def undo(self, batch: str) -> int:
        """Take a batch back; how many generations it had. Raises `InvalidRequest`, `StoreUnavailable`."""
        name, generations_erased = _checked(batch), 0
        while erased := await self._database.write(
            lambda connection: erasure.session(connection, import_session(name))
        ):
            generations_erased += erased.generations
        if not generations_erased:
            raise InvalidRequest(
                message("unknown_import", "There is no import {name}. List those that there are.", name=name),
                "unknown_import",
            )
        return generations_erased

    async def batches(self) -> tuple[ImportBatch, ...]:
        """All imports, newest first. Raises `StoreUnavailable`."""
        return await self._database.read(imports.batches)

    async def _known(self, source_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
        known: dict[str, tuple[str, int]] = {}
        for start in range(0, len(source_ids), _LOOKED_UP):
            some = source_ids[start : start + _LOOKED_UP]
            known |= await self._database.read(lambda connection, some=some: imports.known(connection, some))  # type: ignore[misc]
        return known

    async def _rate(self, marks: Mapping[tuple[str, int], str]) -> int:
        """Add verdicts on images that were imported without one, by generation and position; how many there were."""
        places: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for (generation_id, position), mark in marks.items():
            if mark != UNJUDGED:
                places[generation_id][position] = mark
        ids, rated = list(places), 0
        for start in range(0, len(ids), _PAGE):
            page = {generation_id: places[generation_id] for generation_id in ids[start : start + _PAGE]}
            rated += await self._database.write(lambda connection, page=page: self._rate_page(connection, page))  # type: ignore[misc]
        return rated

    async def _rate_page(self, connection: AsyncConnection, page: Mapping[str, Mapping[int, str]]) -> int:
        rated = 0
        for generation_id, places in page.items():
            logged = await generations.find(connection, generation_id)
            if logged is None:
                continue
            # A verdict that is there may have been changed here since.
            new = {position: mark for position, mark in places.items() if logged.marks[position] == UNJUDGED}
            if new:
                marks = "".join(new.get(position, mark) for position, mark in enumerate(logged.marks))
                await transfer.judge(connection, logged, marks, self._clock())
                rated += len(new)
        return rated

    async def _write(self, page: Sequence[PortableGeneration]) -> None:
        keep_prompts = self._settings().keep_prompts

        async def write(connection: AsyncConnection) -> None:
            there = await generations.image_counts(connection, [generation.id for generation in page])
            new = [generation for generation in page if generation.id not in there]  # no other import came before
            unrated = [generation for generation in new if generation.verdict is None]
            rated = [generation for generation in new if generation.verdict is not None]
            await transfer.log_all(connection, unrated, keep_prompts=keep_prompts)
            await transfer.merge(connection, rated, ImportReport(), keep_prompts=keep_prompts)

        await self._database.write(write)


def _checked(batch: str) -> str:
    name = stored_text(batch).strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidRequest(
            message(
                "import_name", "An import needs a name of 1 to {longest} characters. Give it one.", longest=LONGEST_NAME
            )
        )
    return name
