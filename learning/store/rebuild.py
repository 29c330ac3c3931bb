"""All statistics recomputed from the log, page by page, while the former ones stay in use.

A raised `sufficient_statistics.FORMULA` makes every sum stale, and somebody who edits the tables makes some
wrong. Recomputing a long log takes minutes, for which nobody's verdict may wait. So the new sums are added up
in shadow tables, some generations in each transaction, oldest first; then they take the place of the former,
some keywords in each transaction. A verdict on a generation whose number the new sums have passed goes into
them too (`statistics.apply`), any other is met on the way: each verdict counts once.

It is not done in memory: a million generations have some 5.4 million pairs, 435 MB of bare numbers and keys,
1.2 GB with a dictionary that finds them, and a process that ends would start again. Here all that is needed
between two pages is in the database, so that any process can go on where another was killed.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from
`maintenance.rebuild_task`, which decides who calls them, and when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import (
    LOG_LIKELIHOOD_COLUMNS,
    TREND_COLUMNS,
    generation_logs,
    keyword_sums_shadow,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_shadow,
    rebuild_state,
)
from ..model import sufficient_statistics
from ..model.averaging import take_snapshot
from ..reports import Progress
from . import rollups
from .erasure import renew_identity
from .generations import judged_after, set_basis
from .records import Ids, LoggedGeneration
from .statistics import Change, add_to_shadow, evidence, formula

GENERATIONS = 25
"""Generations in one transaction: about a twentieth of a second, for which a verdict may have to wait."""
PAIRS = 2_000
"""Pairs in one transaction, when the new sums take the place of the former."""
LEASE_S = 30.0
"""So long after its last page a process that recomputes is taken for dead, and another goes on."""

_ALL = 2**31 - 1  # beyond every generation's number and every keyword's id
_KEYWORD_SUMS = ("rounds", *LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS)

Row: TypeAlias = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one page did.

    Attributes
    ----------
    generations
        How many were added up.
    pairs, corrected
        How many were put in place, and how many of these had other numbers before.
    done
        Nothing is left.
    others
        Another process is at it, so that nothing was done here.
    """

    generations: int = 0
    pairs: int = 0
    corrected: int = 0
    done: bool = False
    others: bool = False

    def followed_by(self, step: Step) -> Step:
        """What both did, and how it is after the second."""
        return replace(
            step,
            generations=self.generations + step.generations,
            pairs=self.pairs + step.pairs,
            corrected=self.corrected + step.corrected,
        )


@dataclass(frozen=True, slots=True)
class _State:
    """The row of `rebuild_state`; see `records.RebuildProgress`, whose `outdated` is the column `former`."""

    formula: int
    former: bool
    generation: int
    keyword: int
    worker: str
    seen_at: datetime


async def is_needed(connection: AsyncConnection) -> bool:
    """Whether the sums are of another formula, or a process had begun to recompute them."""
    return await formula(connection) != sufficient_statistics.FORMULA or await _state(connection) is not None


async def progress(connection: AsyncConnection) -> Progress | None:
    """How far it is, in generations; None unless they are being recomputed."""
    state = await _state(connection)
    if state is None:
        return None
    newest = select(func.coalesce(func.max(generation_logs.c.number), 0))
    of = (await connection.execute(newest)).scalar_one()
    return Progress(min(state.generation, of), of)


async def begin(connection: AsyncConnection, worker: str, now: datetime, *, outdated: bool = False) -> None:
    """Begin with the oldest generation, whatever was done before.

    Parameters
    ----------
    worker
        A name of the caller's own.
    outdated
        The log was changed otherwise than by verdicts: the sums in use are no longer those of it, and nothing
        may be added to them or taken out, as with those of another formula.
    """
    state = await _state(connection)
    for table in (rebuild_state, pair_statistics_shadow, keyword_sums_shadow):
        await connection.execute(delete(table))
    row = {
        "id": 1,
        "formula": sufficient_statistics.FORMULA,
        "former": outdated
        or (state is not None and state.former)
        or await formula(connection) != sufficient_statistics.FORMULA,
        "generation": 0,
        "keyword": -1,
        "worker": worker,
        "seen_at": now,
    }
    await connection.execute(insert(rebuild_state), row)


async def step(connection: AsyncConnection, worker: str, now: datetime, *, generations: int, pairs: int) -> Step:
    """Do the next page, where there is one and no other process is at it."""
    state = await _state(connection)
    if state is None and await formula(connection) == sufficient_statistics.FORMULA:
        return Step(done=True)
    if state is None or state.formula != sufficient_statistics.FORMULA:
        await begin(connection, worker, now)
        state = await _state(connection)
        assert state is not None  # noqa: S101 - for mypy: it has begun
    elif state.worker != worker and abs((now - state.seen_at).total_seconds()) < LEASE_S:
        return Step(others=True)
    page = Step()
    if state.generation < _ALL:
        count, until = await _add_up(connection, state.generation, generations)
        state, page = replace(state, generation=until), Step(count)
    if state.generation == _ALL:
        keyword, placed, corrected = await _put_in_place(connection, state.keyword, pairs)
        state = replace(state, keyword=keyword)
        page = replace(page, pairs=placed, corrected=corrected, done=keyword == _ALL)
    if page.done:
        await _finish(connection, state)
    else:
        values = {"generation": state.generation, "keyword": state.keyword, "worker": worker, "seen_at": now}
        await connection.execute(update(rebuild_state).values(values))
    return page


async def _state(connection: AsyncConnection) -> _State | None:
    row = (await connection.execute(_STATE)).one_or_none()
    return None if row is None else _State(*row)


_STATE = select(*(rebuild_state.c[name] for name in _State.__dataclass_fields__))


# --- adding up


async def _add_up(connection: AsyncConnection, after: int, limit: int) -> tuple[int, int]:
    """Add up the next generations; how many there were, and up to which number all are in now.

    A generation whose basis is of another version gets a new one, from what those before it teach.
    """
    page = await judged_after(connection, after, limit)
    change = Change()
    for generation in page:
        comparison = generation.comparison(generation.marks)
        if comparison.snapshot is None:
            names = [shown.checkpoint for shown in comparison.shown]
            known = await evidence(connection, [word.text for word in comparison.keywords], names, shadow=True)
            known = change.evidence(comparison.keywords, names, known)
            comparison = replace(comparison, snapshot=take_snapshot(comparison, known))
            await set_basis(connection, generation.number, comparison.snapshot)
        change.add(comparison)
        await asyncio.sleep(0)  # a recommendation need not wait for the whole page
    await add_to_shadow(connection, change, _ids_of(page))
    return len(page), page[-1].number if len(page) == limit else _ALL


def _ids_of(page: Iterable[LoggedGeneration]) -> Ids:
    words: dict[str, int] = {}
    names: dict[str, int] = {}
    for generation in page:
        words.update(generation.ids.keywords)
        names.update(generation.ids.checkpoints)
    return Ids(words, names)


# --- taking the place of the former


async def _put_in_place(connection: AsyncConnection, after: int, limit: int) -> tuple[int, int, int]:
    """Let the new sums of the next keywords take the place of the former: up to which keyword that was, how
    many pairs it has, and how many of them had other numbers before."""
    until = await _last_keyword_of_page(connection, after, limit)
    span = {"after": after, "until": until}
    former = await _pairs_within(connection, pair_statistics, span)
    new = await _pairs_within(connection, pair_statistics_shadow, span)
    removed = [pair for pair in former if pair not in new]
    changed = [pair for pair, numbers in new.items() if former.get(pair) != numbers]
    if removed:
        await connection.execute(_REMOVE, [{"of_keyword": word, "of_checkpoint": name} for word, name in removed])
    if changed:
        names = [column.name for column in pair_statistics.columns]
        rows = [dict(zip(names, (*pair, *new[pair]), strict=True)) for pair in changed]
        await connection.execute(_PUT[connection.dialect.name], rows)
    corrected = len(removed) + len(changed) + await _put_keywords(connection, span)
    recounted = {pair[0] for pair in removed} | {pair[0] for pair in changed if pair not in former}
    if recounted:
        await rollups.count_again(connection, recounted)
    for table in (pair_statistics_shadow, keyword_sums_shadow):
        column = table.c.keyword_id
        await connection.execute(delete(table).where(column > after, column <= until))
    return until, len(new), corrected


async def _pairs_within(
    connection: AsyncConnection, table: Table, span: Mapping[str, int]
) -> dict[tuple[int, int], Row]:
    rows = await connection.execute(_PAIRS_OF[table.name], span)
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


async def _put_keywords(connection: AsyncConnection, span: Mapping[str, int]) -> int:
    former = {row[0]: tuple(row[1:]) for row in await connection.execute(_FORMER_KEYWORDS, span)}
    new = {row[0]: tuple(row[1:]) for row in await connection.execute(_NEW_KEYWORDS, span)}
    nothing: Row = (0.0,) * len(_KEYWORD_SUMS)
    changed = {id_: new.get(id_, nothing) for id_, sums in former.items() if sums != new.get(id_, nothing)}
    if changed:
        rows = [
            {"of_keyword": id_, **{f"now_{name}": number for name, number in zip(_KEYWORD_SUMS, sums, strict=True)}}
            for id_, sums in changed.items()
        ]
        await connection.execute(_SET_KEYWORD, rows)
    return sum(former[id_][0] != sums[0] for id_, sums in changed.items())


async def _last_keyword_of_page(connection: AsyncConnection, after: int, limit: int) -> int:
    column = pair_statistics_shadow.c.keyword_id
    beyond = select(column).where(column > after).order_by(*pair_statistics_shadow.primary_key)
    next_page = (await connection.execute(beyond.offset(limit).limit(1))).scalar()
    if next_page is None:
        return _ALL
    first = (await connection.execute(beyond.limit(1))).scalar_one()
    return max(int(first), int(next_page) - 1)


async def _finish(connection: AsyncConnection, state: _State) -> None:
    await connection.execute(update(learned_state).values(formula=state.formula))
    await connection.execute(delete(rebuild_state))
    logged = select(generation_logs.c.number).limit(1)
    if state.former and (await connection.execute(logged)).first() is not None:
        await renew_identity(connection)  # who holds a copy of the former sums takes these


def _between(column: ColumnElement[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column > bindparam("after"), column <= bindparam("until")


def _pairs_of(table: Table) -> Select[Any]:
    return select(table).where(*_between(table.c.keyword_id))


def _putting(insert: Any) -> Any:
    numbers = [column.name for column in pair_statistics.columns if not column.primary_key]
    putting = insert(pair_statistics)
    return putting.on_conflict_do_update(
        index_elements=list(pair_statistics.primary_key),
        set_={name: putting.excluded[name] for name in numbers},
    )


_PAIRS_OF = {table.name: _pairs_of(table) for table in (pair_statistics, pair_statistics_shadow)}
_PUT = {"sqlite": _putting(sqlite.insert), "postgresql": _putting(postgresql.insert)}
_REMOVE = delete(pair_statistics).where(
    pair_statistics.c.keyword_id == bindparam("of_keyword"),
    pair_statistics.c.checkpoint_id == bindparam("of_checkpoint"),
)
_FORMER_KEYWORDS = select(keywords.c.id, *(keywords.c[name] for name in _KEYWORD_SUMS)).where(*_between(keywords.c.id))
_NEW_KEYWORDS = select(
    keyword_sums_shadow.c.keyword_id, *(keyword_sums_shadow.c[name] for name in _KEYWORD_SUMS)
).where(*_between(keyword_sums_shadow.c.keyword_id))
_SET_KEYWORD = (
    update(keywords)
    .where(keywords.c.id == bindparam("of_keyword"))
    .values({keywords.c[name]: bindparam(f"now_{name}") for name in _KEYWORD_SUMS})
)
