"""Adopted priors in SQL: the files, and a person's own sums of what they speak of.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `statistics`, whose sums
never contain anything of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import GRAIN, adopted_priors, checkpoints, keywords, pair_statistics

_AT_ONCE = 500  # SQLite before 3.32 takes at most 999 parameters in a statement


@dataclass(frozen=True, slots=True)
class Stored:
    """An adopted file."""

    name: str
    created_at: datetime
    weight: float
    content: str


@dataclass(frozen=True, slots=True)
class PairSums:
    """A person's own `score` and `information` of one pair, as they count now (`model.forward_decay`)."""

    keyword: str
    checkpoint: str
    score: float
    information: float


State = tuple[tuple[int, datetime, float], ...]


async def state(connection: AsyncConnection) -> State:
    """Which files there are, since when, and how much each counts; equal as long as nothing changes."""
    columns = adopted_priors.c.id, adopted_priors.c.created_at, adopted_priors.c.weight
    rows = await connection.execute(select(*columns).order_by(adopted_priors.c.id))
    return tuple((row.id, row.created_at, row.weight) for row in rows)


async def stored(connection: AsyncConnection) -> list[Stored]:
    """All files, oldest first."""
    rows = await connection.execute(select(adopted_priors).order_by(adopted_priors.c.id))
    return [Stored(row.name, row.created_at, row.weight, row.content) for row in rows]


async def put(connection: AsyncConnection, file: Stored) -> None:
    """Add a file; one with the same name is replaced."""
    await remove(connection, file.name)
    values = {"name": file.name, "created_at": file.created_at, "weight": file.weight, "content": file.content}
    await connection.execute(insert(adopted_priors), [values])


async def remove(connection: AsyncConnection, name: str) -> bool:
    """Whether there was one with that name."""
    deleted = await connection.execute(delete(adopted_priors).where(adopted_priors.c.name == name))
    return deleted.rowcount > 0


async def weigh(connection: AsyncConnection, name: str, weight: float) -> bool:
    """Whether there is one with that name."""
    changed = update(adopted_priors).where(adopted_priors.c.name == name).values(weight=weight)
    return (await connection.execute(changed)).rowcount > 0


async def fingerprints(connection: AsyncConnection) -> dict[str, str]:
    """The fingerprint of each checkpoint that images were made with, by its name; "" where it is not known."""
    rows = await connection.execute(select(checkpoints.c.name, checkpoints.c.fingerprint).order_by(checkpoints.c.name))
    return {row.name: row.fingerprint or "" for row in rows}


async def sums(connection: AsyncConnection, words: Iterable[str] | None = None) -> list[PairSums]:
    """The sums of all pairs that something is known of, or of those with some keywords."""
    joined = pair_statistics.join(keywords).join(checkpoints)
    query = (
        select(
            keywords.c.text,
            checkpoints.c.name,
            pair_statistics.c.score,
            pair_statistics.c.information,
            keywords.c.growth,
        )
        .select_from(joined)
        .where(pair_statistics.c.information > 0.0)
    )
    found: list[PairSums] = []
    for some in _chunks(sorted(words)) if words is not None else [None]:
        rows = await connection.execute(query if some is None else query.where(keywords.c.text.in_(some)))
        for text, name, score, information, log_decay_weight in rows:
            now = GRAIN * float(numpy.exp(-max(0.0, log_decay_weight)))
            found.append(PairSums(text, name, score * now, information * now))
    return found


def _chunks(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE))
