"""The history in SQL: counts, the log in groups of neighbouring generations, what each checkpoint showed.

Functions of a connection, for people to read; no decision depends on them. Separate from `generations`, which
reads and writes single ones. Full blocks of the log come from `rollups`, which must have been brought up to
date; what is newer, and with `exact` everything, is read from the log itself.
"""

from __future__ import annotations

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import checkpoint_images, checkpoints, generation_images, generation_logs, log_blocks
from ..reports import Overview, SeriesPoint, SessionRow
from . import rebuild, rollups, statistics
from .rollups import per_generation, summed

_FEWEST_BLOCKS = 8
"""A point of the series needs so many blocks at least; shorter ones are read from the log."""


async def overview(connection: AsyncConnection, *, exact: bool = False, partial: bool = False) -> Overview:
    """Counts over the whole log and all that was learned; `partial`: over what has been summed up so far."""
    after = 0 if exact else (await rollups.state(connection)).generation
    logged = per_generation(generation_logs.c.number, after)
    newer = select(func.count().label("generations"), *summed(logged))
    blocks = select(func.sum(log_blocks.c.generations).label("generations"), *summed(log_blocks, _COUNTED))
    queries = [newer] if exact else [blocks] if partial else [newer, blocks]
    parts = [(await connection.execute(query)).mappings().one() for query in queries]
    counts = {name: sum(int(part[name] or 0) for part in parts) for name in _COUNTS}
    confidence = sum(float(part["confidence"] or 0.0) for part in parts)
    generations = counts["generations"]
    first, last = ([part[edge] for part in parts if part[edge]] for edge in ("first_at", "last_at"))
    learned = await statistics.count(connection, exact=exact)
    return Overview(
        **counts,
        **learned,
        average_confidence=confidence / generations if generations else None,
        first_at=min(first, default=None),
        last_at=max(last, default=None),
        recomputing=await rebuild.progress(connection),
        counting=await rollups.progress(connection) if partial else None,
    )


_COUNTS = ("generations", "judged", "rejected_all", "images", "selected", "rejected")
_COUNTED = (*_COUNTS[1:], "confidence")


async def series(
    connection: AsyncConnection, points: int, *, exact: bool = False, partial: bool = False
) -> tuple[SeriesPoint, ...]:
    """The log, oldest first, in at most `points` groups of about equally many generations (gaps aside)."""
    numbers = select(func.min(generation_logs.c.number), func.max(generation_logs.c.number))
    first, last = (await connection.execute(numbers)).one()
    if partial:
        last = (await rollups.state(connection)).generation
    if first is None or last < first:
        return ()
    span = last - first + 1
    groups = min(points, span)
    after = 0
    if partial or (not exact and span >= groups * _FEWEST_BLOCKS * rollups.BLOCK):
        after = (await rollups.state(connection)).generation
    logged = per_generation((generation_logs.c.number - first) * groups // span, after)
    parts: list[Select[tuple[int]]] = [
        select(logged.c.place, func.count().label("generations"), *summed(logged, _SERIES)).group_by(logged.c.place)
    ]
    if after:
        # A block belongs where its middle lies.
        place = (log_blocks.c.block * rollups.BLOCK + rollups.BLOCK // 2 - first) * groups // span
        sums = (func.sum(log_blocks.c.generations).label("generations"), *summed(log_blocks, _SERIES))
        parts.append(select(place.label("place"), *sums).group_by(place))
    points_by_group: dict[int, SeriesPoint] = {}
    for part in parts[1:] if partial else parts:
        for row in (await connection.execute(part)).mappings():
            values = dict(row)
            group = max(0, int(values.pop("place")))
            point = SeriesPoint(
                **{name: int(values[name]) for name in ("generations", *_SERIES[:-1])},
                confidence=float(values["confidence"]),
                first_at=values["first_at"],
                last_at=values["last_at"],
            )
            points_by_group[group] = _sum(points_by_group[group], point) if group in points_by_group else point
    return tuple(points_by_group[group] for group in sorted(points_by_group))


_SERIES = ("judged", "agreed", "exploited", "images", "images_saved", "confidence")


def _sum(one: SeriesPoint, other: SeriesPoint) -> SeriesPoint:
    numbers = ("generations", *_SERIES)
    return SeriesPoint(
        **{name: getattr(one, name) + getattr(other, name) for name in numbers},
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )


async def images_shown(connection: AsyncConnection, *, exact: bool = False, partial: bool = False) -> dict[str, int]:
    """How many images each checkpoint has made, judged or not."""
    after = 0 if exact else (await rollups.state(connection)).generation
    newer = (
        select(generation_images.c.checkpoint_id, func.count().label("images"))
        .where(generation_images.c.generation_number > after)
        .group_by(generation_images.c.checkpoint_id)
    )
    older = select(checkpoint_images.c.checkpoint_id, checkpoint_images.c.images)
    images = (newer if exact else older if partial else union_all(newer, older)).subquery()
    rows = await connection.execute(
        select(checkpoints.c.name, func.sum(images.c.images).label("images"))
        .select_from(checkpoints.join(images, images.c.checkpoint_id == checkpoints.c.id))
        .group_by(checkpoints.c.name)
    )
    return {row.name: int(row.images) for row in rows}


async def sessions(connection: AsyncConnection, *, limit: int, offset: int) -> tuple[SessionRow, ...]:
    """The average confidence per session, highest first: the document's monitoring query.

    It reads every generation: half a second for a million.
    """
    average = func.avg(generation_logs.c.confidence).label("average_confidence")
    rows = await connection.execute(
        select(generation_logs.c.session_id, average, func.count().label("generations"))
        .group_by(generation_logs.c.session_id)
        .order_by(average.desc(), generation_logs.c.session_id)
        .limit(limit)
        .offset(offset)
    )
    return tuple(SessionRow(**row) for row in rows.mappings())
