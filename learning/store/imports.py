"""Import batches in SQL: which there are, and which images are known already.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `generations`, which logs
what an import adds like any other generation: a batch is no more than its name, its moment and their session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    import_batches,
    keywords,
    learned_state,
    verdicts,
)
from ..model.habit import Use, use_of
from ..prompts.written_negative import NOTE
from ..reports import ImportBatch
from ..values import import_session
from .generations import with_newest_verdict
from .verdict_marks import UNJUDGED

MOST_USES = 3_000
"""Read in less than a second; what was used before them says little of what is used now."""
_AT_ONCE = 500  # SQLite before 3.32 takes at most 999 parameters in a statement


@dataclass(frozen=True, slots=True)
class State:
    """Which log this is, and whether anything was imported into it; the first changes whenever imports do."""

    identity: str
    has_imports: bool


async def state(connection: AsyncConnection) -> State:
    has_imports = select(import_batches.c.id).exists()
    return State(*(await connection.execute(select(learned_state.c.identity, has_imports))).one())


async def uses(connection: AsyncConnection) -> list[Use]:
    """The newest `MOST_USES` images of one prompt and time, oldest first."""
    sessions = [import_session(name) for name in (await connection.execute(select(import_batches.c.name))).scalars()]
    rows: list[Row[Any]] = []
    newest = select(generation_logs.c.number, generation_logs.c.created_at, verdicts.c.marks).select_from(
        with_newest_verdict()
    )
    for start in range(0, len(sessions), _AT_ONCE):
        some = generation_logs.c.session_id.in_(sessions[start : start + _AT_ONCE])
        newest_first = newest.where(some).order_by(generation_logs.c.created_at.desc(), generation_logs.c.number.desc())
        rows += await connection.execute(newest_first.limit(MOST_USES))
    rows = sorted(rows, key=lambda row: (row.created_at, row.number))[-MOST_USES:]
    numbers = [row.number for row in rows]
    words: defaultdict[int, list[str]] = defaultdict(list)
    images: defaultdict[int, list[str]] = defaultdict(list)
    of_words = (
        select(generation_keywords.c.generation_number, keywords.c.text)
        .join(keywords)
        .where(keywords.c.text.not_like(f"{NOTE}%"))
    )
    of_images = select(generation_images.c.generation_number, checkpoints.c.name).join(checkpoints)
    for start in range(0, len(numbers), _AT_ONCE):
        some_numbers = numbers[start : start + _AT_ONCE]
        for query, table, found in (
            (of_words, generation_keywords, words),
            (of_images, generation_images, images),
        ):
            ordered = query.where(table.c.generation_number.in_(some_numbers)).order_by(*table.primary_key)
            for number, text in await connection.execute(ordered):
                found[number].append(text)
    return [
        use_of(row.created_at.toordinal(), words[row.number], images[row.number], row.marks or "")
        for row in rows
        if images[row.number]
    ]


async def add_batch(connection: AsyncConnection, name: str, at: datetime) -> None:
    """Note a batch; one with that name keeps its moment."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(import_batches).on_conflict_do_nothing(index_elements=[import_batches.c.name])
    await connection.execute(added, [{"name": name, "created_at": at}])


async def moments(connection: AsyncConnection, names: Collection[str]) -> Mapping[str, datetime]:
    """When these batches were imported; those that do not exist are left out."""
    if not names:
        return {}
    rows = await connection.execute(
        select(import_batches.c.name, import_batches.c.created_at).where(import_batches.c.name.in_(sorted(names)))
    )
    return {row[0]: row[1] for row in rows}


async def batches(connection: AsyncConnection) -> tuple[ImportBatch, ...]:
    """All batches with what they hold, newest first."""
    found = []
    rows = await connection.execute(select(import_batches).order_by(import_batches.c.id.desc()))
    for batch in rows.mappings().all():
        of_it = generation_logs.c.session_id == import_session(batch["name"])
        images = select(checkpoints.c.name, func.count()).select_from(
            generation_logs.join(generation_images).join(checkpoints)
        )
        made = {row[0]: row[1] for row in await connection.execute(images.where(of_it).group_by(checkpoints.c.name))}
        unmarked = func.length(func.replace(verdicts.c.marks, UNJUDGED, ""))
        edges = (func.min(generation_logs.c.created_at), func.max(generation_logs.c.created_at))
        judged = select(func.coalesce(func.sum(unmarked), 0), *edges).select_from(with_newest_verdict())
        rated, first_at, last_at = (await connection.execute(judged.where(of_it))).one()
        if made:
            found.append(
                ImportBatch(batch["name"], batch["created_at"], sum(made.values()), rated, made, first_at, last_at)
            )
    return tuple(found)


async def drop_empty(connection: AsyncConnection, names: Collection[str]) -> None:
    """Forget those of these batches that have no generation left."""
    for name in sorted(names):
        left = select(generation_logs.c.number).where(generation_logs.c.session_id == import_session(name)).limit(1)
        if (await connection.execute(left)).first() is None:
            await connection.execute(delete(import_batches).where(import_batches.c.name == name))


async def known(connection: AsyncConnection, source_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Which of these images were imported before: the id of the generation of each, and its position there."""
    found: dict[str, tuple[str, int]] = {}
    query = select(generation_images.c.source_id, generation_logs.c.id, generation_images.c.position).join(
        generation_logs
    )
    for start in range(0, len(source_ids), _AT_ONCE):
        some = generation_images.c.source_id.in_(source_ids[start : start + _AT_ONCE])
        found.update((row[0], (row[1], row[2])) for row in await connection.execute(query.where(some)))
    return found
