"""Rollups of the log that people look at, stored so that a long log need not be read again.

They are brought up to date when somebody looks or imports, not when somebody judges: a verdict pays nothing
for them. A long log that has none is rolled up in the background (`rollup_task`). Generations and verdicts
are numbered as they come, so that what is new since the last time is what has a greater number. Neighbouring
generations are summed in blocks; a block is summed again when one of its generations got another verdict.
What is deleted from the log is taken out here at once (`take_out`, `sum_again`). No decision depends on these
numbers, and all of them follow from the log alone (`overview`, `exact`); a short log has none.

Functions of a connection, to be called inside one of `Database`'s transactions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Subquery, Table, and_, case, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    OVERALL_ID,
    checkpoint_images,
    generation_images,
    generation_keywords,
    generation_logs,
    keyword_pairs,
    log_blocks,
    pair_statistics,
    rollup_state,
    verdicts,
)
from ..reports import Progress
from ..values import IMPORTED, MOST_BRANCHES
from .generations import with_newest_verdict
from .verdict_marks import REJECTED, SELECTED

BLOCK = 64
"""Generations in a block: a million of them are some 16,000 blocks, which are summed up in milliseconds."""
FEWEST = 2_000
"""A log with fewer generations is read within milliseconds, and has no sums."""
_BLOCKS_AT_ONCE = 150
"""In one transaction: about a fifth of a second, for which a verdict may have to wait."""
_VERDICTS_AT_ONCE = 500
_ALL_AT_ONCE = 20_000
_IDS_AT_ONCE = 400  # SQLite before 3.32 takes at most 999 parameters in a statement


@dataclass(frozen=True, slots=True)
class State:
    """The newest generation in the blocks, and the newest verdicts that blocks and pairs include."""

    generation: int
    verdict: int
    pairs_verdict: int


async def state(connection: AsyncConnection) -> State:
    columns = (rollup_state.c.generation, rollup_state.c.verdict, rollup_state.c.pairs_verdict)
    row = (await connection.execute(select(*columns))).one_or_none()
    return State(*row) if row else State(0, 0, 0)


async def _set(connection: AsyncConnection, generation: int, verdict: int, pairs_verdict: int) -> None:
    await connection.execute(delete(rollup_state))
    values = {"id": 1, "generation": generation, "verdict": verdict, "pairs_verdict": pairs_verdict}
    await connection.execute(insert(rollup_state), values)


async def behind(connection: AsyncConnection) -> bool | None:
    """Whether there is something to bring up to date; None where the log is too short for sums."""
    known, (generation, verdict) = await state(connection), await _newest(connection)
    if generation < FEWEST:
        return None
    return _full(generation) > known.generation or verdict > min(known.verdict, known.pairs_verdict)


async def remaining(connection: AsyncConnection) -> int:
    """How many generations have not been summed up; of a log too short for sums, none."""
    newest = (await _newest(connection))[0]
    return 0 if newest < FEWEST else _full(newest) - (await state(connection)).generation


async def progress(connection: AsyncConnection) -> Progress:
    return Progress((await state(connection)).generation, (await _newest(connection))[0])


async def bring_up_to_date(connection: AsyncConnection) -> bool:
    """Sum up a page of what is new; returns whether more is left."""
    known, (generation, verdict) = await state(connection), await _newest(connection)
    until = min(_full(generation), known.generation + _BLOCKS_AT_ONCE * BLOCK)
    if until > known.generation:
        await _sum(connection, known.generation, until)
        await _count_images(connection, known.generation, until, 1)
    # Blocks that are summed now know of all verdicts; older ones do not know of the newest.
    verdict_until = verdict if known.generation == 0 else min(verdict, known.verdict + _VERDICTS_AT_ONCE)
    if known.generation:
        await _sum_again(connection, known, verdict_until)
    pairs_until = await _count_new_pairs(connection, known.pairs_verdict, verdict)
    await _set(connection, until, verdict_until, pairs_until)
    return until < _full(generation) or min(verdict_until, pairs_until) < verdict


async def take_out(connection: AsyncConnection, numbers: Collection[int]) -> None:
    """To be called before generations are deleted."""
    known = await state(connection)
    summed = sorted(number for number in numbers if number <= known.generation)
    for start in range(0, len(summed), _IDS_AT_ONCE):
        some = generation_images.c.generation_number.in_(summed[start : start + _IDS_AT_ONCE])
        await _add_images(connection, some, -1)


async def sum_again(connection: AsyncConnection, numbers: Collection[int], keyword_ids: Collection[int]) -> None:
    """To be called after they, or pairs of some keywords, were deleted."""
    known, (generation, verdict) = await state(connection), await _newest(connection)
    # The numbers of the newest may be given again, to generations that are in no block.
    until = min(known.generation, _full(generation))
    if until < known.generation:
        await _count_images(connection, until, known.generation, -1)
        await connection.execute(delete(log_blocks).where(log_blocks.c.block >= until // BLOCK))
    for block in sorted({(number - 1) // BLOCK for number in numbers if number <= until}):
        await _sum(connection, block * BLOCK, (block + 1) * BLOCK)
    ids = sorted({*keyword_ids, OVERALL_ID})
    for start in range(0, len(ids), _IDS_AT_ONCE):
        await _count_pairs(connection, ids[start : start + _IDS_AT_ONCE])
    await _set(connection, until, min(known.verdict, verdict), min(known.pairs_verdict, verdict))


async def count_again(connection: AsyncConnection, keyword_ids: Collection[int]) -> None:
    """To be called after pairs of these keywords came or went without a verdict."""
    if (await state(connection)).pairs_verdict:
        ids = sorted(keyword_ids)
        for start in range(0, len(ids), _IDS_AT_ONCE):
            await _count_pairs(connection, ids[start : start + _IDS_AT_ONCE])


async def clear(connection: AsyncConnection) -> None:
    """Delete all rollups: too much of the log has changed."""
    for table in (log_blocks, keyword_pairs, checkpoint_images):
        await connection.execute(delete(table))
    await _set(connection, 0, 0, 0)


def per_generation(place: ColumnElement[int], after: int, until: int | None = None) -> Subquery:
    """One row per generation numbered beyond `after`, up to `until`, with its `place` and what is summed.

    Imported images are none: nothing was recommended for them.
    """
    number, images_of = generation_logs.c.number, generation_images.c.generation_number
    logged, pictured = [number > after, generation_logs.c.policy != IMPORTED], [images_of > after]
    if until is not None:
        logged.append(number <= until)
        pictured.append(images_of <= until)
    shown_first = func.max(case((generation_images.c.position == 0, generation_images.c.checkpoint_id)))
    images = (
        select(images_of, func.count().label("images"), shown_first.label("shown_first"))
        .where(*pictured)
        .group_by(images_of)
        .subquery()
    )
    marks = verdicts.c.marks
    of_first = (
        select(generation_images.c.position)
        .where(
            images_of == number,
            generation_images.c.checkpoint_id == images.c.shown_first,
            func.substr(marks, generation_images.c.position + 1, 1) == SELECTED,
        )
        .correlate(generation_logs, images, verdicts)
        .exists()
    )
    # Most often the first letter tells; only where it does not are the images looked up.
    at_once = func.substr(marks, 1, 1) == SELECTED
    somewhere = marks.contains(SELECTED, autoescape=True)
    is_learned = ~generation_logs.c.fallback
    selected, rejected = (
        func.coalesce(func.length(marks) - func.length(func.replace(marks, mark, "")), 0)
        for mark in (SELECTED, REJECTED)
    )
    return (
        select(
            place.label("place"),
            generation_logs.c.confidence,
            generation_logs.c.created_at,
            images.c.images,
            case((generation_logs.c.judged_at.is_not(None), 1), else_=0).label("judged"),
            case((at_once, 1), (and_(somewhere, of_first), 1), else_=0).label("agreed"),
            case((and_(generation_logs.c.strategy == "exploit", is_learned), 1), else_=0).label("exploited"),
            case((and_(images.c.images < MOST_BRANCHES, is_learned), MOST_BRANCHES - images.c.images), else_=0).label(
                "images_saved"
            ),
            selected.label("selected"),
            rejected.label("rejected"),
            case((and_(rejected > 0, selected == 0), 1), else_=0).label("rejected_all"),
        )
        .select_from(with_newest_verdict().join(images, images.c.generation_number == number))
        .where(*logged)
        .subquery()
    )


def summed(of: Subquery | Table, names: Sequence[str] = ()) -> list[ColumnElement[Any]]:
    """Sums, and first and last moments, of what `per_generation` gives, or of blocks of that."""
    if isinstance(of, Table):
        edges = (func.min(of.c.first_at), func.max(of.c.last_at))
    else:
        edges = (func.min(of.c.created_at), func.max(of.c.created_at))
    sums = [func.sum(of.c[name]).label(name) for name in names or SUMMED if name in of.c]
    return [*sums, edges[0].label("first_at"), edges[1].label("last_at")]


SUMMED = tuple(column.name for column in log_blocks.c if column.name not in ("block", "first_at", "last_at"))


def _full(generation: int) -> int:
    """The last number of the newest block that is full."""
    return generation // BLOCK * BLOCK


async def _newest(connection: AsyncConnection) -> tuple[int, int]:
    newest = [
        select(func.coalesce(func.max(table.c.number), 0)).scalar_subquery() for table in (generation_logs, verdicts)
    ]
    generation, verdict = (await connection.execute(select(*newest))).one()
    return generation, verdict


async def _sum(connection: AsyncConnection, after: int, until: int) -> None:
    """Sum the blocks of the generations beyond `after`, up to `until`."""
    logged = per_generation((generation_logs.c.number - 1) // BLOCK, after, until)
    rows = await connection.execute(
        select(logged.c.place.label("block"), func.count().label("generations"), *summed(logged)).group_by(
            logged.c.place
        )
    )
    blocks = [dict(row) for row in rows.mappings()]
    old = log_blocks.c.block.between(after // BLOCK, until // BLOCK - 1)
    await connection.execute(delete(log_blocks).where(old))
    if blocks:
        await connection.execute(insert(log_blocks), blocks)


async def _sum_again(connection: AsyncConnection, known: State, verdict_until: int) -> None:
    """Sum the blocks again in which something was judged since the last time."""
    judged = select((verdicts.c.generation_number - 1) // BLOCK).where(
        verdicts.c.number.between(known.verdict + 1, verdict_until),
        verdicts.c.generation_number <= known.generation,
    )
    for block in sorted({row[0] for row in await connection.execute(judged.distinct())}):
        await _sum(connection, block * BLOCK, (block + 1) * BLOCK)


async def _count_images(connection: AsyncConnection, after: int, until: int, sign: int) -> None:
    await _add_images(connection, generation_images.c.generation_number.between(after + 1, until), sign)


async def _add_images(connection: AsyncConnection, which: ColumnElement[bool], sign: int) -> None:
    counts = select(generation_images.c.checkpoint_id, func.count()).where(which)
    counted = {
        row[0]: sign * row[1] for row in await connection.execute(counts.group_by(generation_images.c.checkpoint_id))
    }
    if not counted:
        return
    stored = select(checkpoint_images).where(checkpoint_images.c.checkpoint_id.in_(counted))
    for row in await connection.execute(stored):
        counted[row.checkpoint_id] += row.images
    await connection.execute(delete(checkpoint_images).where(checkpoint_images.c.checkpoint_id.in_(counted)))
    rows = [{"checkpoint_id": id_, "images": images} for id_, images in counted.items() if images]
    if rows:
        await connection.execute(insert(checkpoint_images), rows)


async def _count_new_pairs(connection: AsyncConnection, after: int, newest: int) -> int:
    """Count the pairs of keywords that verdicts were about; up to which verdict that was done."""
    if not after or newest - after > _ALL_AT_ONCE:
        await connection.execute(delete(keyword_pairs))
        every = select(pair_statistics.c.keyword_id, func.count()).group_by(pair_statistics.c.keyword_id)
        await connection.execute(insert(keyword_pairs).from_select(["keyword_id", "pairs"], every))
        return newest
    until = min(newest, after + _VERDICTS_AT_ONCE)
    judged = select(verdicts.c.generation_number).where(verdicts.c.number.between(after + 1, until))
    judged_keywords = select(generation_keywords.c.keyword_id).where(
        generation_keywords.c.generation_number.in_(judged)
    )
    ids = sorted({row[0] for row in await connection.execute(judged_keywords.distinct())} | {OVERALL_ID})
    for start in range(0, len(ids), _IDS_AT_ONCE):
        await _count_pairs(connection, ids[start : start + _IDS_AT_ONCE])
    return until


async def _count_pairs(connection: AsyncConnection, keyword_ids: Sequence[int]) -> None:
    await connection.execute(delete(keyword_pairs).where(keyword_pairs.c.keyword_id.in_(keyword_ids)))
    counted = (
        select(pair_statistics.c.keyword_id, func.count())
        .where(pair_statistics.c.keyword_id.in_(keyword_ids))
        .group_by(pair_statistics.c.keyword_id)
    )
    await connection.execute(insert(keyword_pairs).from_select(["keyword_id", "pairs"], counted))
