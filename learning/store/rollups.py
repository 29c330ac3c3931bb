"""Sums of the log for people to look at, kept beside it so that a long one need not be read again.

They are brought up to date when somebody looks or imports, not when somebody teaches: a verdict pays nothing
for them. A long log that has none is summed up beside the work (`counting`).
Generations and verdicts are numbered as they come, so what is new since the last look is what has a greater
number. Neighbouring generations are summed in blocks, and a block is summed anew when one of its generations
was judged anew. What is taken out of the log is taken out here at once (`take_out`, `sum_again`).
No decision is made of these numbers, and all can be had from the log alone (`progress_store`, `exact`); a
short log is read itself.

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
    log_sums,
    pair_statistics,
)
from ..database.schema import verdicts as verdict_rows
from ..reports import Progress
from ..values import MOST_BRANCHES
from . import verdict_marks as verdicts
from .generations import with_newest_verdict

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
    """Up to where the sums go."""

    generation: int
    verdict: int
    pairs_verdict: int


async def state(connection: AsyncConnection) -> State:
    columns = (log_sums.c.generation, log_sums.c.verdict, log_sums.c.pairs_verdict)
    row = (await connection.execute(select(*columns))).one_or_none()
    return State(*row) if row else State(0, 0, 0)


async def _set(connection: AsyncConnection, generation: int, verdict: int, pairs_verdict: int) -> None:
    await connection.execute(delete(log_sums))
    values = {"id": 1, "generation": generation, "verdict": verdict, "pairs_verdict": pairs_verdict}
    await connection.execute(insert(log_sums), values)


async def behind(connection: AsyncConnection) -> bool | None:
    """Whether there is something to bring up to date; None where the log is too short for sums."""
    known, (generation, verdict) = await state(connection), await _newest(connection)
    if generation < FEWEST:
        return None
    return _full(generation) > known.generation or verdict > min(known.verdict, known.pairs_verdict)


async def left(connection: AsyncConnection) -> int:
    """How many generations have not been summed up; of a log too short for sums, none."""
    newest = (await _newest(connection))[0]
    return 0 if newest < FEWEST else _full(newest) - (await state(connection)).generation


async def progress(connection: AsyncConnection) -> Progress:
    return Progress((await state(connection)).generation, (await _newest(connection))[0])


async def bring_up_to_date(connection: AsyncConnection) -> bool:
    """Sum up a page of what is new; whether more is left."""
    known, (generation, verdict) = await state(connection), await _newest(connection)
    until = min(_full(generation), known.generation + _BLOCKS_AT_ONCE * BLOCK)
    if until > known.generation:
        await _sum(connection, known.generation, until)
        await _count_images(connection, known.generation, until, 1)
    # Blocks that are summed now know of all verdicts; older ones do not know of the newest.
    said = verdict if known.generation == 0 else min(verdict, known.verdict + _VERDICTS_AT_ONCE)
    if known.generation:
        await _sum_anew(connection, known, said)
    heard = await _count_new_pairs(connection, known.pairs_verdict, verdict)
    await _set(connection, until, said, heard)
    return until < _full(generation) or min(said, heard) < verdict


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
    # The numbers of the newest may be given anew, to generations that no block knows.
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


async def start_anew(connection: AsyncConnection) -> None:
    """Forget all sums: more has changed than can be told."""
    for table in (log_blocks, keyword_pairs, checkpoint_images):
        await connection.execute(delete(table))
    await _set(connection, 0, 0, 0)


def rounds(place: ColumnElement[int], after: int, until: int | None = None) -> Subquery:
    """One row per generation numbered beyond `after`, up to `until`, with its `place` and what is summed."""
    number, images_of = generation_logs.c.number, generation_images.c.generation_number
    wanted, pictured = [number > after], [images_of > after]
    if until is not None:
        wanted.append(number <= until)
        pictured.append(images_of <= until)
    shown_first = func.max(case((generation_images.c.position == 0, generation_images.c.checkpoint_id)))
    made = (
        select(images_of, func.count().label("images"), shown_first.label("shown_first"))
        .where(*pictured)
        .group_by(images_of)
        .subquery()
    )
    marks = verdict_rows.c.marks
    of_first = (
        select(generation_images.c.position)
        .where(
            images_of == number,
            generation_images.c.checkpoint_id == made.c.shown_first,
            func.substr(marks, generation_images.c.position + 1, 1) == verdicts.SELECTED,
        )
        .correlate(generation_logs, made, verdict_rows)
        .exists()
    )
    # Most rounds are told by their letters alone; only the others are worth looking up their images.
    at_once = func.substr(marks, 1, 1) == verdicts.SELECTED
    somewhere = marks.contains(verdicts.SELECTED, autoescape=True)
    learned = ~generation_logs.c.fallback
    kept, thrown = (
        func.coalesce(func.length(marks) - func.length(func.replace(marks, mark, "")), 0)
        for mark in (verdicts.SELECTED, verdicts.REJECTED)
    )
    return (
        select(
            place.label("place"),
            generation_logs.c.confidence,
            generation_logs.c.created_at,
            made.c.images,
            case((generation_logs.c.judged_at.is_not(None), 1), else_=0).label("judged"),
            case((at_once, 1), (and_(somewhere, of_first), 1), else_=0).label("agreed"),
            case((and_(generation_logs.c.strategy == "exploit", learned), 1), else_=0).label("exploited"),
            case((and_(made.c.images < MOST_BRANCHES, learned), MOST_BRANCHES - made.c.images), else_=0).label(
                "images_saved"
            ),
            kept.label("selected"),
            thrown.label("rejected"),
            case((and_(thrown > 0, kept == 0), 1), else_=0).label("rejected_all"),
        )
        .select_from(with_newest_verdict().join(made, made.c.generation_number == number))
        .where(*wanted)
        .subquery()
    )


def summed(of: Subquery | Table, names: Sequence[str] = ()) -> list[ColumnElement[Any]]:
    """Sums and first and last moments of rounds, or of blocks of them."""
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
        select(func.coalesce(func.max(table.c.number), 0)).scalar_subquery()
        for table in (generation_logs, verdict_rows)
    ]
    generation, verdict = (await connection.execute(select(*newest))).one()
    return generation, verdict


async def _sum(connection: AsyncConnection, after: int, until: int) -> None:
    """Sum the blocks of the generations beyond `after`, up to `until`."""
    logged = rounds((generation_logs.c.number - 1) // BLOCK, after, until)
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


async def _sum_anew(connection: AsyncConnection, known: State, said: int) -> None:
    """Sum the blocks in which something was judged since the last time."""
    judged = select((verdict_rows.c.generation_number - 1) // BLOCK).where(
        verdict_rows.c.number.between(known.verdict + 1, said),
        verdict_rows.c.generation_number <= known.generation,
    )
    for block in sorted({row[0] for row in await connection.execute(judged.distinct())}):
        await _sum(connection, block * BLOCK, (block + 1) * BLOCK)


async def _count_images(connection: AsyncConnection, after: int, until: int, sign: int) -> None:
    await _add_images(connection, generation_images.c.generation_number.between(after + 1, until), sign)


async def _add_images(connection: AsyncConnection, which: ColumnElement[bool], sign: int) -> None:
    made = select(generation_images.c.checkpoint_id, func.count()).where(which)
    counted = {
        row[0]: sign * row[1] for row in await connection.execute(made.group_by(generation_images.c.checkpoint_id))
    }
    if not counted:
        return
    held = select(checkpoint_images).where(checkpoint_images.c.checkpoint_id.in_(counted))
    for row in await connection.execute(held):
        counted[row.checkpoint_id] += row.images
    gone = checkpoint_images.c.checkpoint_id.in_(counted)
    await connection.execute(delete(checkpoint_images).where(gone))
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
    judged = select(verdict_rows.c.generation_number).where(verdict_rows.c.number.between(after + 1, until))
    heard = select(generation_keywords.c.keyword_id).where(generation_keywords.c.generation_number.in_(judged))
    ids = sorted({row[0] for row in await connection.execute(heard.distinct())} | {OVERALL_ID})
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
