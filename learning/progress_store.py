"""How it went, in SQL: counts, the log in groups of neighbouring generations, what each checkpoint showed.

Functions of a connection, read by people alone; no decision is made of them. Separate from `log_store`, which
reads and writes single generations: here the whole log is read in one pass, so a question costs the same
however many groups are asked for (about 0.3 s for 100,000 generations).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Subquery, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from . import statistics_store, verdicts
from .log_store import with_newest_verdict
from .overview import Overview, SeriesPoint
from .schema import checkpoints, generation_images, generation_logs
from .schema import verdicts as verdict_rows
from .values import MOST_BRANCHES


async def overview(connection: AsyncConnection) -> Overview:
    """Counts over the whole log and all that was learned."""
    logged, learned = await _logged(connection), await statistics_store.count(connection)
    return Overview(
        **{
            name: int(logged[name])
            for name in ("generations", "judged", "rejected_all", "selected", "rejected")
        },
        **learned,
        average_confidence=logged["average_confidence"],
        first_at=logged["first_at"],
        last_at=logged["last_at"],
    )


async def _logged(connection: AsyncConnection) -> dict[str, Any]:
    """Counts over all generations and what the newest verdict says of each.

    Verdicts are counted by their letters, of which there are few combinations: to count letters in SQL, row
    by row and once per mention, took twice as long.
    """
    logged = await connection.execute(
        select(
            func.count().label("generations"),
            func.avg(generation_logs.c.confidence).label("average_confidence"),
            func.min(generation_logs.c.created_at).label("first_at"),
            func.max(generation_logs.c.created_at).label("last_at"),
        )
    )
    later = verdict_rows.alias()
    newest_of_it = select(func.max(later.c.number)).where(
        later.c.generation_number == verdict_rows.c.generation_number
    )
    said = await connection.execute(
        select(verdict_rows.c.marks, func.count())
        .where(verdict_rows.c.number == newest_of_it.scalar_subquery())
        .group_by(verdict_rows.c.marks)
    )
    tallied = [
        (marks.count(verdicts.SELECTED), marks.count(verdicts.REJECTED), rounds) for marks, rounds in said
    ]
    return {
        **logged.mappings().one(),
        "judged": sum(rounds for kept, thrown, rounds in tallied if kept + thrown),
        "rejected_all": sum(rounds for kept, thrown, rounds in tallied if thrown and not kept),
        "selected": sum(kept * rounds for kept, _, rounds in tallied),
        "rejected": sum(thrown * rounds for _, thrown, rounds in tallied),
    }


async def series(connection: AsyncConnection, points: int) -> tuple[SeriesPoint, ...]:
    """The log, oldest first, in at most `points` groups of equally many generations (gaps in it aside)."""
    numbers = select(func.min(generation_logs.c.number), func.max(generation_logs.c.number))
    first, last = (await connection.execute(numbers)).one()
    if first is None:
        return ()
    logged = _rounds(first, last - first + 1, points)
    rows = await connection.execute(
        select(
            func.count().label("generations"),
            func.sum(logged.c.judged).label("judged"),
            func.sum(logged.c.agreed).label("agreed"),
            func.sum(logged.c.exploited).label("exploited"),
            func.sum(logged.c.images).label("images"),
            func.sum(logged.c.images_saved).label("images_saved"),
            func.sum(logged.c.confidence).label("confidence"),
            func.min(logged.c.created_at).label("first_at"),
            func.max(logged.c.created_at).label("last_at"),
        )
        .group_by(logged.c.place)
        .order_by(logged.c.place)
    )
    return tuple(SeriesPoint(**row) for row in rows.mappings())


def _rounds(first: int, span: int, points: int) -> Subquery:
    """One row per generation, with its group and what is summed."""
    made = (
        select(
            generation_images.c.generation_number,
            func.count().label("images"),
            func.max(case((generation_images.c.position == 0, generation_images.c.checkpoint_id))).label(
                "shown_first"
            ),
        )
        .group_by(generation_images.c.generation_number)
        .subquery()
    )
    of_first = (
        select(generation_images.c.position)
        .where(
            generation_images.c.generation_number == generation_logs.c.number,
            generation_images.c.checkpoint_id == made.c.shown_first,
            func.substr(verdict_rows.c.marks, generation_images.c.position + 1, 1) == verdicts.SELECTED,
        )
        .correlate(generation_logs, made, verdict_rows)
        .exists()
    )
    # Most rounds are told by their letters alone; only the others are worth looking up their images.
    at_once = func.substr(verdict_rows.c.marks, 1, 1) == verdicts.SELECTED
    somewhere = verdict_rows.c.marks.contains(verdicts.SELECTED, autoescape=True)
    learned = ~generation_logs.c.fallback
    place = (generation_logs.c.number - first) * min(points, span) // span
    return (
        select(
            place.label("place"),
            generation_logs.c.confidence,
            generation_logs.c.created_at,
            made.c.images,
            case((generation_logs.c.judged_at.is_not(None), 1), else_=0).label("judged"),
            case((at_once, 1), (and_(somewhere, of_first), 1), else_=0).label("agreed"),
            case((and_(generation_logs.c.strategy == "exploit", learned), 1), else_=0).label("exploited"),
            case(
                (and_(made.c.images < MOST_BRANCHES, learned), MOST_BRANCHES - made.c.images), else_=0
            ).label("images_saved"),
        )
        .select_from(with_newest_verdict().join(made, made.c.generation_number == generation_logs.c.number))
        .subquery()
    )


async def images_shown(connection: AsyncConnection) -> dict[str, int]:
    """How many images each checkpoint has made, judged or not."""
    made = (
        select(generation_images.c.checkpoint_id, func.count().label("images"))
        .group_by(generation_images.c.checkpoint_id)
        .subquery()
    )
    rows = await connection.execute(
        select(checkpoints.c.name, made.c.images).join(made, made.c.checkpoint_id == checkpoints.c.id)
    )
    return {row.name: row.images for row in rows}
