"""Which settings made the newest images, and for which keywords, in SQL.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `generations`, which
reads whole generations: here some thousand images are read at once, and little of each. Who has read them reads only
what was logged or judged since (`changed_since`), unless the log got another identity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    generation_utilities,
    image_settings,
    keywords,
    learned_state,
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
_IMAGES = (
    select(
        generation_images.c.generation_number,
        generation_images.c.position,
        checkpoints.c.name,
        image_settings.c.settings,
        generation_logs.c.created_at,
        generation_logs.c.policy,
        generation_logs.c.stage,
        generation_logs.c.family,
        _NEWEST_MARKS.label("marks"),
    )
    .select_from(generation_images)
    .join(generation_logs, generation_logs.c.number == generation_images.c.generation_number)
    .join(checkpoints, checkpoints.c.id == generation_images.c.checkpoint_id)
    .join(image_settings, image_settings.c.id == generation_images.c.settings_id)
    .order_by(generation_images.c.generation_number, generation_images.c.position)
)
_FIRST_OF_NEWEST = (
    select(generation_images.c.generation_number)
    .where(generation_images.c.settings_id.is_not(None))
    .order_by(generation_images.c.generation_number.desc())
    .limit(1)
    .offset(bindparam("others"))
)
_FROM_ON = _IMAGES.where(generation_images.c.generation_number >= bindparam("first"))
_OF_NUMBERS = _IMAGES.where(generation_images.c.generation_number.in_(bindparam("numbers", expanding=True)))
_CHANGED = union(
    select(generation_logs.c.number).where(generation_logs.c.number > bindparam("generation")),
    select(verdicts.c.generation_number).where(verdicts.c.number > bindparam("verdict")),
)
_STATE = select(
    learned_state.c.identity,
    func.coalesce(select(func.max(generation_logs.c.number)).scalar_subquery(), 0),
    func.coalesce(select(func.max(verdicts.c.number)).scalar_subquery(), 0),
)
_WORDS = (
    select(generation_keywords.c.generation_number, keywords.c.text, generation_keywords.c.weight)
    .join(keywords)
    .where(generation_keywords.c.generation_number.in_(bindparam("numbers", expanding=True)))
    .order_by(generation_keywords.c.generation_number, generation_keywords.c.position)
)
_UTILITIES = (
    select(generation_utilities.c.generation_number, checkpoints.c.name, generation_utilities.c.utility)
    .join(checkpoints)
    .where(generation_utilities.c.generation_number.in_(bindparam("numbers", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class State:
    """How far a log has come: its identity, and the newest generation and verdict. With another identity nothing that
    was read of it holds any more."""

    identity: str
    generation: int
    verdict: int


async def state(connection: AsyncConnection) -> State:
    return State(*(await connection.execute(_STATE)).one())


async def first_of_newest(connection: AsyncConnection) -> int:
    """The generation from which on images count: 0 where all do."""
    first = (await connection.execute(_FIRST_OF_NEWEST, {"others": MOST_IMAGES - 1})).scalar()
    return 0 if first is None else next_block(first)


def next_block(generation: int) -> int:
    """The first generation from this one on whose number is a multiple of `BLOCK`."""
    return -(-generation // BLOCK) * BLOCK


async def newest(connection: AsyncConnection, first: int) -> list[MadeImage]:
    """The images of generations from `first` on whose settings are known, oldest first."""
    return _read(await connection.execute(_FROM_ON, {"first": first}))


async def changed_since(connection: AsyncConnection, state: State) -> list[int]:
    """The numbers of the generations that were logged or judged since, in order."""
    rows = await connection.execute(_CHANGED, {"generation": state.generation, "verdict": state.verdict})
    return sorted(row[0] for row in rows)


async def images_of(connection: AsyncConnection, numbers: Sequence[int]) -> list[MadeImage]:
    """Those of these generations whose settings are known, in their order."""
    images = []
    for start in range(0, len(numbers), _AT_ONCE):
        images += _read(await connection.execute(_OF_NUMBERS, {"numbers": numbers[start : start + _AT_ONCE]}))
    return images


def _read(rows: Iterable[Row[Any]]) -> list[MadeImage]:
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
    ]


async def words_of(connection: AsyncConnection, numbers: Collection[int]) -> Mapping[int, tuple[Keyword, ...]]:
    """The keywords of generations, by their numbers."""
    words: defaultdict[int, list[Keyword]] = defaultdict(list)
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        for row in await connection.execute(_WORDS, {"numbers": ordered[start : start + _AT_ONCE]}):
            words[row.generation_number].append(Keyword(row.text, row.weight))
    return {number: tuple(words[number]) for number in ordered}


async def utilities_of(connection: AsyncConnection, numbers: Collection[int]) -> Mapping[int, Mapping[str, float]]:
    """The policy's utilities of the checkpoints of generations, by their numbers; those without are left out."""
    utilities: defaultdict[int, dict[str, float]] = defaultdict(dict)
    ordered = sorted(numbers)
    for start in range(0, len(ordered), _AT_ONCE):
        for row in await connection.execute(_UTILITIES, {"numbers": ordered[start : start + _AT_ONCE]}):
            utilities[row.generation_number][row.name] = row.utility
    return utilities
