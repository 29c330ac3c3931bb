"""Forgetting in SQL: generations, a keyword, prompts, or everything, with what they had taught.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `log_store`,
where the log is only ever added to. What is taken out of the log is taken out of the sums too, so that they
stay those of the log that is left.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, String, Table, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    LOG_LIKELIHOOD_COLUMNS,
    OVERALL_ID,
    TREND_COLUMNS,
    checkpoints,
    generation_images,
    generation_keywords,
    generation_logs,
    generation_utilities,
    keyword_sums_shadow,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_shadow,
    verdicts,
)
from . import generations as log_store
from . import rollups as log_sums
from . import statistics as statistics_store
from .records import Ids, LoggedGeneration

PAGE = 100
"""Generations in one transaction, so that nobody's verdict waits long."""
_KEYWORDS_AT_ONCE = 400  # SQLite before 3.32 takes at most 999 parameters in a statement


async def generation(connection: AsyncConnection, generation_id: str) -> int:
    """Forget one generation; how many there were with that id."""
    logged = await log_store.find(connection, generation_id)
    if logged is not None:
        await _forget(connection, [logged])
    return int(logged is not None)


async def before(connection: AsyncConnection, moment: datetime) -> int:
    """Forget a page of what was logged before a moment; how many generations, 0 when there are no more."""
    older = select(generation_logs.c.number).where(generation_logs.c.created_at < moment)
    rows = await connection.execute(older.order_by(generation_logs.c.number).limit(PAGE))
    logged = await log_store.numbered(connection, [row[0] for row in rows])
    if logged:
        await _forget(connection, logged)
    return len(logged)


async def days(connection: AsyncConnection) -> list[date]:
    """The days (UTC) on which something was logged."""
    moment: ColumnElement[datetime | None] = generation_logs.c.created_at
    if connection.dialect.name == "postgresql":
        moment = func.timezone("UTC", moment)
    rows = await connection.execute(select(cast(func.date(moment), String)).distinct())
    return [date.fromisoformat(row[0]) for row in rows]


async def count(connection: AsyncConnection, moment: datetime) -> int:
    """How many generations were logged before a moment."""
    older = select(func.count()).where(generation_logs.c.created_at < moment)
    return int((await connection.execute(older)).scalar_one())


async def keyword(connection: AsyncConnection, text: str) -> int:
    """Forget a keyword, and the phrases and negative keywords that hold it, in a page of generations.

    Their prompts' texts, which hold it too, go with it. Returns how many generations; 0 when it is gone.
    """
    known = await _with_words(connection, text)
    if not known:
        return 0
    having = generation_keywords.c.keyword_id.in_(known.values())
    rows = await connection.execute(
        select(generation_keywords.c.generation_number).where(having).distinct().limit(PAGE)
    )
    logged = await log_store.numbered(connection, sorted(row[0] for row in rows))
    change = statistics_store.Change()
    for each in logged:
        judged = each.judged_round(each.marks)
        places = [place for place, word in enumerate(judged.keywords) if word.text not in known]
        basis = judged.basis
        if basis is not None and basis.fits(len(judged.keywords), len(basis.means)):
            basis = basis.reordered(places)
            await log_store.set_basis(connection, each.number, basis)
        left = tuple(judged.keywords[place] for place in places)
        change.add(judged, -1.0, of=each)
        change.add(replace(judged, keywords=left, basis=basis), of=each)
    await statistics_store.apply(connection, change, await _ids(connection, change))
    numbers = [each.number for each in logged]
    await connection.execute(
        delete(generation_keywords).where(having, generation_keywords.c.generation_number.in_(numbers))
    )
    await connection.execute(update(generation_logs).where(generation_logs.c.number.in_(numbers)).values(prompt=""))
    if len(logged) < PAGE:
        for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
            await connection.execute(delete(table).where(table.c.keyword_id.in_(known.values())))
        await connection.execute(delete(keywords).where(keywords.c.id.in_(known.values())))
        await log_sums.sum_again(connection, (), known.values())
        await renew_identity(connection)
    return max(len(logged), 1)


async def _with_words(connection: AsyncConnection, text: str) -> dict[str, int]:
    """The ids of some keywords that are this one or hold its words in a row."""
    words = text.lstrip("-").split()
    if not words:
        return {}
    pattern = "%" + re.sub(r"([%_\\])", r"\\\1", words[0]) + "%"
    rows = await connection.execute(
        select(keywords.c.text, keywords.c.id).where(keywords.c.text.like(pattern, escape="\\"))
    )
    wanted = f" {' '.join(words)} "
    found = {row.text: row.id for row in rows if wanted in f" {row.text.lstrip('-')} "}
    return dict(list(found.items())[:_KEYWORDS_AT_ONCE])


async def prompts(connection: AsyncConnection) -> int:
    """Forget the texts of all prompts; what was learned of their keywords stays. How many had one."""
    emptied = await connection.execute(update(generation_logs).where(generation_logs.c.prompt != "").values(prompt=""))
    await renew_identity(connection)
    return emptied.rowcount


async def everything(connection: AsyncConnection) -> int:
    """Begin anew; how many generations were forgotten."""
    for table in (verdicts, generation_utilities, generation_images, generation_keywords):
        await connection.execute(delete(table))
    gone = await connection.execute(delete(generation_logs))
    for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
        await connection.execute(delete(table))
    await connection.execute(delete(keywords).where(keywords.c.id != OVERALL_ID))
    await connection.execute(
        update(keywords).values(rounds=0.0, **dict.fromkeys((*LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS), 0.0))
    )
    await connection.execute(delete(checkpoints))
    await log_sums.clear(connection)
    await renew_identity(connection)
    return gone.rowcount


async def renew_identity(connection: AsyncConnection) -> None:
    """Tell those who follow this log that it is no longer the one they know."""
    await connection.execute(update(learned_state).values(identity=uuid4().hex))


async def _forget(connection: AsyncConnection, logged: Sequence[LoggedGeneration]) -> None:
    change = statistics_store.Change()
    for each in logged:
        change.add(each.judged_round(each.marks), -1.0, of=each)
    await statistics_store.apply(connection, change, await _ids(connection, change))
    numbers = [each.number for each in logged]
    words = await _held(connection, generation_keywords, "keyword_id", numbers)
    names = await _held(connection, generation_images, "checkpoint_id", numbers)
    await log_sums.take_out(connection, numbers)
    for table in (verdicts, generation_utilities, generation_images, generation_keywords):
        await connection.execute(delete(table).where(table.c.generation_number.in_(numbers)))
    await connection.execute(delete(generation_logs).where(generation_logs.c.number.in_(numbers)))
    await log_sums.sum_again(connection, numbers, words)
    await _drop_unused(connection, keywords, "keyword_id", words - {OVERALL_ID}, generation_keywords)
    await _drop_unused(connection, checkpoints, "checkpoint_id", names, generation_images)
    await renew_identity(connection)


async def _held(connection: AsyncConnection, table: Table, column: str, numbers: Collection[int]) -> set[int]:
    held = select(table.c[column]).where(table.c.generation_number.in_(numbers)).distinct()
    return {row[0] for row in await connection.execute(held)}


async def _drop_unused(
    connection: AsyncConnection, texts: Table, column: str, ids: Collection[int], used_in: Table
) -> None:
    """Forget texts that nothing is about any more."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), 500):  # as above
        some = ordered[start : start + 500]
        used = select(used_in.c[column]).where(used_in.c[column] == texts.c.id).exists()
        unused = select(texts.c.id).where(texts.c.id.in_(some), ~used)
        gone = [row[0] for row in await connection.execute(unused)]
        # While the sums in use are another formula's, nothing was taken from them.
        for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow):
            if column in table.c:
                await connection.execute(delete(table).where(table.c[column].in_(gone)))
        await connection.execute(delete(texts).where(texts.c.id.in_(gone)))


async def _ids(connection: AsyncConnection, change: statistics_store.Change) -> Ids:
    return Ids(
        await log_store.interned(connection, keywords, {text for text, _ in change.pairs} | {*change.rounds}),
        await log_store.interned(connection, checkpoints, {name for _, name in change.pairs}),
    )
