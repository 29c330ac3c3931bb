"""All statistics recomputed from the log, page by page, beside what goes on with the former ones meanwhile.

A raised `statistics.FORMULA` makes every sum stale, and a hand that changed the tables makes some wrong.
Recomputing a long log takes minutes, for which nobody's verdict may wait. So the new sums are added up in
tables of their own, some rounds in each transaction, oldest first; then they take the place of the former,
some keywords in each transaction. What was said of a generation whose number the new sums have passed goes
into them too (`statistics_store.apply`), anything else is met on the way: each verdict counts once. All that
is to be remembered between two pages is in the database, so any process can go on where another was killed.

Functions of a connection, to be called inside one of `Database`'s transactions. Who calls them, and when, is
the affair of `renewal`.
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
    FITS,
    TREND_COLUMNS,
    generation_logs,
    keyword_sums_anew,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_anew,
    recomputation,
)
from ..model import sufficient_statistics as statistics
from ..model.averaging import take_snapshot
from ..reports import Progress
from . import rollups as log_sums
from .erasure import renew_identity
from .generations import judged_after, set_basis
from .records import Ids, LoggedGeneration
from .statistics import Change, apply_anew, evidence, formula

ROUNDS = 25
"""Rounds in one transaction: about a twentieth of a second, for which a verdict may have to wait."""
ROWS = 2_000
"""Pairs in one transaction, when the new sums take the place of the former."""
LEASE_S = 30.0
"""So long after it was last heard of, one that recomputes is taken for dead, and another goes on."""

_ALL = 2**31 - 1  # beyond every generation's number and every keyword's id
_SUMS = ("rounds", *FITS, *TREND_COLUMNS)

Row: TypeAlias = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one page did: rounds added up, pairs put in place, and numbers that had been different before.

    `done` says that nothing is left, `others` that somebody else is at it, so that nothing was done here.
    """

    rounds: int = 0
    pairs: int = 0
    corrected: int = 0
    done: bool = False
    others: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    formula: int
    former: bool
    generation: int
    keyword: int
    worker: str
    seen_at: datetime


async def is_needed(connection: AsyncConnection) -> bool:
    """Whether the sums are of another formula, or somebody was at recomputing them."""
    return await formula(connection) != statistics.FORMULA or await _state(connection) is not None


async def progress(connection: AsyncConnection) -> Progress | None:
    """How far it is, in generations; None unless they are being recomputed."""
    state = await _state(connection)
    if state is None:
        return None
    newest = select(func.coalesce(func.max(generation_logs.c.number), 0))
    of = (await connection.execute(newest)).scalar_one()
    return Progress(min(state.generation, of), of)


async def begin(connection: AsyncConnection, worker: str, now: datetime, *, outdated: bool = False) -> None:
    """Begin with the oldest round, whatever was done before.

    Parameters
    ----------
    outdated
        The log was changed otherwise than by verdicts: the sums in use are not those of it any more, and
        nothing may be added to them or taken out, as with those of another formula.
    """
    state = await _state(connection)
    for table in (recomputation, pair_statistics_anew, keyword_sums_anew):
        await connection.execute(delete(table))
    row = {
        "id": 1,
        "formula": statistics.FORMULA,
        "former": outdated or (state is not None and state.former) or await formula(connection) != statistics.FORMULA,
        "generation": 0,
        "keyword": -1,
        "worker": worker,
        "seen_at": now,
    }
    await connection.execute(insert(recomputation), row)


async def step(connection: AsyncConnection, worker: str, now: datetime, *, rounds: int, rows: int) -> Step:
    """Do the next page, where there is one and nobody else is at it.

    Parameters
    ----------
    worker
        Who asks, by a name of its own.
    """
    state = await _state(connection)
    if state is None and await formula(connection) == statistics.FORMULA:
        return Step(done=True)
    if state is None or state.formula != statistics.FORMULA:
        await begin(connection, worker, now)
        state = await _state(connection)
        assert state is not None  # noqa: S101 - for mypy: it has begun
    elif state.worker != worker and abs((now - state.seen_at).total_seconds()) < LEASE_S:
        return Step(others=True)
    added = 0
    if state.generation < _ALL:
        added, until = await _add_up(connection, state.generation, rounds)
        state = replace(state, generation=until)
    made = Step(rounds=added)
    if state.generation == _ALL:
        keyword, pairs, corrected = await _put_in_place(connection, state.keyword, rows)
        state = replace(state, keyword=keyword)
        made = Step(added, pairs, corrected, done=keyword == _ALL)
    if made.done:
        await _finish(connection, state)
    else:
        now_at = {"generation": state.generation, "keyword": state.keyword}
        await connection.execute(update(recomputation).values(worker=worker, seen_at=now, **now_at))
    return made


def added(one: Step, other: Step) -> Step:
    """What both have done, and how it is after the second."""
    return Step(
        one.rounds + other.rounds,
        one.pairs + other.pairs,
        one.corrected + other.corrected,
        other.done,
        other.others,
    )


async def _state(connection: AsyncConnection) -> _State | None:
    row = (await connection.execute(_STATE)).one_or_none()
    return None if row is None else _State(*row)


_STATE = select(*(recomputation.c[name] for name in _State.__dataclass_fields__))


# --- adding up


async def _add_up(connection: AsyncConnection, after: int, most: int) -> tuple[int, int]:
    """Add up the next rounds; how many there were, and up to which generation all are in now.

    A round whose basis is of another version gets a new one, from what the rounds before it teach.
    """
    page = await judged_after(connection, after, most)
    change = Change()
    for logged in page:
        judged = logged.judged_round(logged.marks)
        if judged.snapshot is None:
            names = [part.checkpoint for part in judged.shown]
            known = await evidence(connection, [word.text for word in judged.keywords], names, anew=True)
            known = change.evidence(judged.keywords, names, known)
            judged = replace(judged, snapshot=take_snapshot(judged, known))
            await set_basis(connection, logged.number, judged.snapshot)
        change.add(judged)
        await asyncio.sleep(0)  # whoever waits for a recommendation is not kept for a whole page
    await apply_anew(connection, change, _ids_of(page))
    return len(page), page[-1].number if len(page) == most else _ALL


def _ids_of(page: Iterable[LoggedGeneration]) -> Ids:
    words: dict[str, int] = {}
    names: dict[str, int] = {}
    for logged in page:
        words.update(logged.ids.keywords)
        names.update(logged.ids.checkpoints)
    return Ids(words, names)


# --- taking the place of the former


async def _put_in_place(connection: AsyncConnection, after: int, most: int) -> tuple[int, int, int]:
    """Let the new sums of the next keywords take the place of the former: up to which keyword that was, how
    many pairs it has, and how many numbers were different before."""
    until = await _edge(connection, after, most)
    span = {"after": after, "until": until}
    before = await _pairs_within(connection, pair_statistics, span)
    now = await _pairs_within(connection, pair_statistics_anew, span)
    gone = [pair for pair in before if pair not in now]
    changed = [pair for pair, numbers in now.items() if before.get(pair) != numbers]
    if gone:
        await connection.execute(_REMOVE, [{"of_keyword": word, "of_checkpoint": name} for word, name in gone])
    if changed:
        names = [column.name for column in pair_statistics.columns]
        rows = [dict(zip(names, (*pair, *now[pair]), strict=True)) for pair in changed]
        await connection.execute(_PUT[connection.dialect.name], rows)
    corrected = len(gone) + len(changed) + await _put_keywords(connection, span)
    if counted := {pair[0] for pair in gone} | {pair[0] for pair in changed if pair not in before}:
        await log_sums.count_again(connection, counted)
    for table in (pair_statistics_anew, keyword_sums_anew):
        column = table.c.keyword_id
        await connection.execute(delete(table).where(column > after, column <= until))
    return until, len(now), corrected


async def _pairs_within(
    connection: AsyncConnection, table: Table, span: Mapping[str, int]
) -> dict[tuple[int, int], Row]:
    rows = await connection.execute(_PAIRS[table.name], span)
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


async def _put_keywords(connection: AsyncConnection, span: Mapping[str, int]) -> int:
    former = {row[0]: tuple(row[1:]) for row in await connection.execute(_HEARD, span)}
    anew = {row[0]: tuple(row[1:]) for row in await connection.execute(_HEARD_ANEW, span)}
    nothing: Row = (0.0,) * len(_SUMS)
    changed = {id_: anew.get(id_, nothing) for id_, sums in former.items() if sums != anew.get(id_, nothing)}
    if changed:
        rows = [
            {"of_keyword": id_, **{f"now_{name}": number for name, number in zip(_SUMS, sums, strict=True)}}
            for id_, sums in changed.items()
        ]
        await connection.execute(_SET, rows)
    return sum(former[id_][0] != sums[0] for id_, sums in changed.items())


async def _edge(connection: AsyncConnection, after: int, most: int) -> int:
    """The last keyword of the next page of pairs."""
    column = pair_statistics_anew.c.keyword_id
    beyond = select(column).where(column > after).order_by(*pair_statistics_anew.primary_key)
    found = (await connection.execute(beyond.offset(most).limit(1))).scalar()
    if found is None:
        return _ALL
    first = (await connection.execute(beyond.limit(1))).scalar_one()
    return max(int(first), int(found) - 1)


async def _finish(connection: AsyncConnection, state: _State) -> None:
    await connection.execute(update(learned_state).values(formula=state.formula))
    await connection.execute(delete(recomputation))
    taught = select(generation_logs.c.number).limit(1)
    if state.former and (await connection.execute(taught)).first() is not None:
        await renew_identity(connection)  # who holds a copy of the former sums takes these


def _between(column: ColumnElement[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column > bindparam("after"), column <= bindparam("until")


def _pairs(table: Table) -> Select[Any]:
    return select(table).where(*_between(table.c.keyword_id))


def _putting(insert: Any) -> Any:
    numbers = [column.name for column in pair_statistics.columns if not column.primary_key]
    putting = insert(pair_statistics)
    return putting.on_conflict_do_update(
        index_elements=list(pair_statistics.primary_key),
        set_={name: putting.excluded[name] for name in numbers},
    )


_PAIRS = {table.name: _pairs(table) for table in (pair_statistics, pair_statistics_anew)}
_PUT = {"sqlite": _putting(sqlite.insert), "postgresql": _putting(postgresql.insert)}
_REMOVE = delete(pair_statistics).where(
    pair_statistics.c.keyword_id == bindparam("of_keyword"),
    pair_statistics.c.checkpoint_id == bindparam("of_checkpoint"),
)
_HEARD = select(keywords.c.id, *(keywords.c[name] for name in _SUMS)).where(*_between(keywords.c.id))
_HEARD_ANEW = select(keyword_sums_anew.c.keyword_id, *(keyword_sums_anew.c[name] for name in _SUMS)).where(
    *_between(keyword_sums_anew.c.keyword_id)
)
_SET = (
    update(keywords)
    .where(keywords.c.id == bindparam("of_keyword"))
    .values({keywords.c[name]: bindparam(f"now_{name}") for name in _SUMS})
)
