"""Which settings made the newest images, in SQL.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `generations`, which
reads whole generations: here some thousand images are read at once, and little of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    image_settings,
    keywords,
    verdicts,
)
from ..parameters import MadeImage
from ..values import ImageSettings, Keyword
from .verdict_marks import UNJUDGED

MOST_IMAGES = 5_000
BLOCK = 256
"""Where there are more images, those from a generation on are read whose number is a multiple of it: so the oldest one
stays the same for a while, and what was computed can be added to."""
_AT_ONCE = 500  # SQLite before 3.32 takes at most 999 parameters in a statement

_read_settings = lru_cache(maxsize=2 * MOST_IMAGES)(ImageSettings.read)


_NEWEST_MARKS = (
    select(verdicts.c.marks)
    .where(verdicts.c.generation_number == generation_logs.c.number)
    .order_by(verdicts.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_NEWEST = (
    select(generation_images)
    .where(generation_images.c.settings_id.is_not(None))
    .order_by(generation_images.c.generation_number.desc())
    .limit(bindparam("most"))
    .subquery()
)
_IMAGES = (
    select(
        _NEWEST.c.generation_number,
        _NEWEST.c.position,
        checkpoints.c.name,
        image_settings.c.settings,
        generation_logs.c.created_at,
        generation_logs.c.policy,
        generation_logs.c.stage,
        generation_logs.c.family,
        _NEWEST_MARKS.label("marks"),
    )
    .join(generation_logs, generation_logs.c.number == _NEWEST.c.generation_number)
    .join(checkpoints, checkpoints.c.id == _NEWEST.c.checkpoint_id)
    .join(image_settings, image_settings.c.id == _NEWEST.c.settings_id)
    .order_by(_NEWEST.c.generation_number, _NEWEST.c.position)
)
_WORDS = (
    select(generation_keywords.c.generation_number, keywords.c.text, generation_keywords.c.weight)
    .join(keywords)
    .where(generation_keywords.c.generation_number.in_(bindparam("numbers", expanding=True)))
    .order_by(generation_keywords.c.generation_number, generation_keywords.c.position)
)
_SHARED = (
    select(generation_keywords.c.generation_number, func.count())
    .where(
        generation_keywords.c.keyword_id.in_(
            select(keywords.c.id).where(keywords.c.text.in_(bindparam("texts", expanding=True)))
        ),
        generation_keywords.c.generation_number >= bindparam("first"),
    )
    .group_by(generation_keywords.c.generation_number)
)


async def newest(connection: AsyncConnection, most: int = MOST_IMAGES) -> list[MadeImage]:
    """The newest images whose settings are known, oldest first."""
    rows = (await connection.execute(_IMAGES, {"most": most})).all()
    first = -(-rows[0].generation_number // BLOCK) * BLOCK if len(rows) == most else 0
    return [
        MadeImage(
            row.generation_number,
            row.name,
            _read_settings(row.settings),
            row.marks[row.position] if row.marks else UNJUDGED,
            row.created_at,
            row.policy,
            row.stage,
            row.family,
        )
        for row in rows
        if row.generation_number >= first
    ]


async def words_of(connection: AsyncConnection, numbers: Collection[int]) -> Mapping[int, tuple[Keyword, ...]]:
    """The keywords of generations, by their numbers."""
    words: defaultdict[int, list[Keyword]] = defaultdict(list)
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        for row in await connection.execute(_WORDS, {"numbers": ordered[start : start + _AT_ONCE]}):
            words[row.generation_number].append(Keyword(row.text, row.weight))
    return {number: tuple(words[number]) for number in ordered}


async def shared_words(connection: AsyncConnection, texts: Sequence[str], first: int) -> dict[int, int]:
    """How many of these keywords each generation has that is numbered `first` or higher; those with none are left
    out."""
    if not texts:
        return {}
    rows = await connection.execute(_SHARED, {"texts": list(texts), "first": first})
    return {row[0]: row[1] for row in rows}
