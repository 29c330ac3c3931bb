"""Forgetting in SQL: generations, a keyword, prompts, or everything, with what they had taught.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `generations`, where the
log is only ever added to. What is deleted from the log is subtracted from the sums too, so that they stay those of the
log that is left.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    LOG_LIKELIHOOD_COLUMNS,
    OVERALL_ID,
    TREND_COLUMNS,
    adopted_priors,
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    generation_utilities,
    image_settings,
    import_batches,
    keyword_sums_shadow,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_shadow,
    verdicts,
)
from ..prompts.written_negative import NOTE, is_note, spellings
from ..values import batch_of
from . import generations, imports, rollups, statistics
from .records import Ids, LoggedGeneration

PAGE = 100
"""Generations in one transaction, so that no verdict waits long."""
# SQLite before 3.32 takes at most 999 parameters in a statement.
_KEYWORDS_AT_ONCE = 400
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What one transaction has forgotten.

    Attributes
    ----------
    generations
        How many were deleted or had what was deleted; over all pages each counts once.
    more
        Whether there may be another page.
    """

    generations: int
    more: bool = False


async def generation(connection: AsyncConnection, generation_id: str) -> Erased | None:
    """Forget one generation; None where there is none with that id."""
    logged = await generations.find(connection, generation_id)
    if logged is None:
        return None
    await _forget(connection, [logged])
    return Erased(1)


async def before(connection: AsyncConnection, moment: datetime) -> Erased | None:
    """Forget a page of what was logged before a moment; None where nothing was."""
    older = select(generation_logs.c.number).where(generation_logs.c.created_at < moment)
    rows = await connection.execute(older.order_by(generation_logs.c.number).limit(PAGE))
    logged = await generations.numbered(connection, [row[0] for row in rows])
    if not logged:
        return None
    await _forget(connection, logged)
    return Erased(len(logged), more=len(logged) == PAGE)


async def session(connection: AsyncConnection, session_id: str) -> Erased | None:
    """Forget a page of what one session logged; None where there is nothing."""
    theirs = select(generation_logs.c.number).where(generation_logs.c.session_id == session_id)
    rows = await connection.execute(theirs.order_by(generation_logs.c.number).limit(PAGE))
    logged = await generations.numbered(connection, [row[0] for row in rows])
    if not logged:
        return None
    await _forget(connection, logged)
    return Erased(len(logged), more=len(logged) == PAGE)


async def keyword(connection: AsyncConnection, text: str) -> Erased | None:
    """Forget a keyword, and the phrases and negative keywords that contain it, in a page of generations.

    Their prompts' texts, which contain it too, are deleted, and their notes that do. None where nothing is known
    of the keyword.
    """
    ids = await _ids_of_keywords_with(connection, text)
    if not ids:
        return None
    some = [*ids.values()][:_KEYWORDS_AT_ONCE]
    having = generation_keywords.c.keyword_id.in_(some)
    rows = await connection.execute(
        select(generation_keywords.c.generation_number).where(having).distinct().limit(PAGE)
    )
    logged = await generations.numbered(connection, sorted(row[0] for row in rows))
    change = statistics.Change()
    for each in logged:
        judged = each.comparison(each.marks)
        places = [place for place, word in enumerate(judged.keywords) if word.text not in ids]
        snapshot = judged.snapshot
        if snapshot is not None and snapshot.fits(len(judged.keywords), len(snapshot.means)):
            snapshot = snapshot.reordered(places)
            await generations.set_basis(connection, each.number, snapshot)
        left = tuple(judged.keywords[place] for place in places)
        change.add(judged, -1.0, of=each)
        change.add(replace(judged, keywords=left, snapshot=snapshot), of=each)
    await statistics.apply(connection, change, await _interned(connection, change))
    numbers = [each.number for each in logged]
    # All of these keywords at once, so that no later page meets the same generation again.
    theirs = {ids[word.text] for each in logged for word in each.generation.keywords if word.text in ids}
    for chunk in _chunks(sorted(theirs), _KEYWORDS_AT_ONCE):
        found = generation_keywords.c.keyword_id.in_(chunk)
        await connection.execute(
            delete(generation_keywords).where(found, generation_keywords.c.generation_number.in_(numbers))
        )
    theirs_are = generation_logs.c.number.in_(numbers)
    await connection.execute(update(generation_logs).where(theirs_are).values(prompt=""))
    has_it = generations.contains(generation_logs.c.note, text.lstrip("-"))
    await connection.execute(update(generation_logs).where(theirs_are, has_it).values(note=""))
    if len(logged) == PAGE:
        return Erased(PAGE, more=True)
    for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
        await connection.execute(delete(table).where(table.c.keyword_id.in_(some)))
    await connection.execute(delete(keywords).where(keywords.c.id.in_(some)))
    await rollups.sum_again(connection, (), some)
    await renew_identity(connection)
    return Erased(len(logged), more=len(some) < len(ids))


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


async def _ids_of_keywords_with(connection: AsyncConnection, text: str) -> dict[str, int]:
    """The ids of the keywords that are this one or contain its words in a row, by their texts."""
    words = text.lstrip("-").split()
    if not words:
        return {}
    pattern = "%" + re.sub(r"([%_\\])", r"\\\1", words[0]) + "%"
    rows = await connection.execute(
        select(keywords.c.text, keywords.c.id).where(
            keywords.c.text.like(pattern, escape="\\") | keywords.c.text.like(f"{NOTE}%")
        )
    )
    wanted = f" {' '.join(words)} "
    return {row.text: row.id for row in rows if any(wanted in f" {form} " for form in _forms(row.text))}


def _forms(text: str) -> list[str]:
    """The keyword itself; of a note its tags, as they were written and in the form of keywords."""
    if not is_note(text):
        return [text.lstrip("-")]
    return [part for pair in spellings(text).items() for part in pair]


async def prompts(connection: AsyncConnection) -> Erased | None:
    """Forget the texts of all prompts; what was learned of their keywords stays. None where there were none."""
    emptied = await connection.execute(update(generation_logs).where(generation_logs.c.prompt != "").values(prompt=""))
    await renew_identity(connection)
    return Erased(emptied.rowcount) if emptied.rowcount else None


async def everything(connection: AsyncConnection) -> Erased:
    """Forget everything."""
    for table in (verdicts, generation_utilities, generation_images, generation_keywords):
        await connection.execute(delete(table))
    deleted = await connection.execute(delete(generation_logs))
    for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
        await connection.execute(delete(table))
    await connection.execute(delete(keywords).where(keywords.c.id != OVERALL_ID))
    await connection.execute(
        update(keywords).values(rounds=0.0, **dict.fromkeys((*LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS), 0.0))
    )
    for table in (checkpoints, image_settings, import_batches, adopted_priors):
        await connection.execute(delete(table))
    await rollups.clear(connection)
    await renew_identity(connection)
    return Erased(deleted.rowcount)


async def renew_identity(connection: AsyncConnection) -> None:
    """Give this log another identity: whoever follows it then knows that all of it has to be read again."""
    await connection.execute(update(learned_state).values(identity=uuid4().hex))


async def _forget(connection: AsyncConnection, logged: Sequence[LoggedGeneration]) -> None:
    change = statistics.Change()
    for each in logged:
        change.add(each.comparison(each.marks), -1.0, of=each)
    await statistics.apply(connection, change, await _interned(connection, change))
    numbers = [each.number for each in logged]
    words = await _ids_in(connection, generation_keywords, "keyword_id", numbers)
    names = await _ids_in(connection, generation_images, "checkpoint_id", numbers)
    settings = await _ids_in(connection, generation_images, "settings_id", numbers)
    await rollups.take_out(connection, numbers)
    for table in (verdicts, generation_utilities, generation_images, generation_keywords):
        await connection.execute(delete(table).where(table.c.generation_number.in_(numbers)))
    await connection.execute(delete(generation_logs).where(generation_logs.c.number.in_(numbers)))
    await rollups.sum_again(connection, numbers, words)
    await _drop_unused(connection, keywords, "keyword_id", words - {OVERALL_ID}, generation_keywords)
    await _drop_unused(connection, checkpoints, "checkpoint_id", names, generation_images)
    await _drop_unused(connection, image_settings, "settings_id", settings - {None}, generation_images)
    batches = {batch_of(each.generation.session_id, each.generation.policy) for each in logged}
    await imports.drop_empty(connection, {batch for batch in batches if batch is not None})
    await renew_identity(connection)


async def _ids_in(connection: AsyncConnection, table: Table, column: str, numbers: Collection[int]) -> set[int]:
    ids = select(table.c[column]).where(table.c.generation_number.in_(numbers)).distinct()
    return {row[0] for row in await connection.execute(ids)}


async def _drop_unused(
    connection: AsyncConnection, texts: Table, column: str, ids: Collection[int], used_in: Table
) -> None:
    """Forget texts that no generation uses any more."""
    for some in _chunks(sorted(ids), _IDS_AT_ONCE):
        used = select(used_in.c[column]).where(used_in.c[column] == texts.c.id).exists()
        unused = select(texts.c.id).where(texts.c.id.in_(some), ~used)
        unused_ids = [row[0] for row in await connection.execute(unused)]
        # While the sums in use are another formula's, nothing was subtracted from them.
        for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
            if column in table.c:
                await connection.execute(delete(table).where(table.c[column].in_(unused_ids)))
        await connection.execute(delete(texts).where(texts.c.id.in_(unused_ids)))


async def _interned(connection: AsyncConnection, change: statistics.Change) -> Ids:
    return Ids(
        await generations.interned(connection, keywords, {text for text, _ in change.pairs} | {*change.rounds}),
        await generations.interned(connection, checkpoints, {name for _, name in change.pairs}),
    )
