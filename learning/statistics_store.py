"""The statistics in SQL: what a policy is told, what a verdict changes, and how all of it is recomputed.

Functions of a connection, to be called inside one of `Database`'s transactions. Every number is a multiple of
2**-20 (`statistics.quantised`), so sums are exact in any order: taking a verdict back leaves no trace, and
rebuilding from the log gives the same bits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy
from sqlalchemy import (
    bindparam,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from . import log_sums, statistics
from .basis import MODELS
from .log_store import judged_after, set_basis
from .logged import Ids, LoggedGeneration
from .overview import CheckpointRow, RebuildReport
from .pair_table import FIELDS, PairTable, numbers_of
from .policies.experts import linearise
from .schema import (
    FITS,
    GRAIN,
    HEARINGS,
    OVERALL,
    OVERALL_ID,
    checkpoints,
    keyword_pairs,
    keywords,
    learned_state,
    pair_statistics,
)
from .schema import verdicts as verdict_rows
from .values import HALF_LIFE, Evidence, Hearing, Increment, Keyword, PairStatistics, Round

Sums: TypeAlias = "defaultdict[tuple[str, str], list[float]]"

_NUMBERS = FIELDS
_COLUMNS = tuple(pair_statistics.c[name] for name in _NUMBERS)
UNITS = numpy.array([1.0 if name in ("selected", "total", "rounds") else GRAIN for name in _NUMBERS])
"""What one is worth in each column: people read the first three, the others take less room as they are."""
_PAGE = 500

_HEARD = keywords.c.text.in_(bindparam("texts", expanding=True))
# Two selects in one statement: for a LEFT JOIN on the joined pairs SQLite would read the whole pair table.
# The ids are looked up apart, so that pairs are found by their key, whatever else there is an index of.
_EVIDENCE = union_all(
    select(
        keywords.c.text,
        null().label("name"),
        keywords.c.rounds,
        *(keywords.c[name] for name in (*FITS, *HEARINGS)),
        *(literal(0.0) for _ in _NUMBERS[1 + len(FITS) + len(HEARINGS) :]),
    ).where(_HEARD),
    select(keywords.c.text, checkpoints.c.name, *_COLUMNS)
    .select_from(pair_statistics.join(keywords).join(checkpoints))
    .where(
        pair_statistics.c.keyword_id.in_(select(keywords.c.id).where(_HEARD)),
        pair_statistics.c.checkpoint_id.in_(
            select(checkpoints.c.id).where(checkpoints.c.name.in_(bindparam("candidates", expanding=True)))
        ),
    ),
)


async def evidence(connection: AsyncConnection, texts: Sequence[str], candidates: Sequence[str]) -> Evidence:
    """All that is known of some keywords and candidates, in one query."""
    rows = await connection.execute(_EVIDENCE, {"texts": [OVERALL, *texts], "candidates": list(candidates)})
    pairs: list[tuple[str, str]] = []
    held: list[float] = []
    rounds: dict[str, float] = {}
    fits: tuple[float, ...] = ()
    hearings: dict[str, Hearing] = {}
    for text, name, *numbers in rows:
        if name is not None:
            pairs.append((text, name))
            held += numbers
        else:
            if numbers[0]:
                rounds[text] = numbers[0]
            if text == OVERALL:
                fits = tuple(numbers[1 : 1 + len(FITS)])
            heard = Hearing(*numbers[1 + len(FITS) : 1 + len(FITS) + len(HEARINGS)])
            if heard != _UNHEARD:
                hearings[text] = heard
    numbers_held = numpy.array(held, dtype=float).reshape(-1, len(_NUMBERS)) * UNITS
    general = [place for place, (text, _) in enumerate(pairs) if text == OVERALL]
    overall = {pairs[place][1]: PairStatistics(*numbers_held[place].tolist()) for place in general}
    table = PairTable(
        [pair for pair in pairs if pair[0] != OVERALL], numpy.delete(numbers_held, general, axis=0)
    )
    return Evidence(table, overall, rounds, rounds.pop(OVERALL, 0.0), fits, hearings)


class Change:
    """The difference that rounds make to the statistics, gathered before it is written at once."""

    def __init__(self) -> None:
        self.pairs: Sums = defaultdict(lambda: [0.0] * len(_NUMBERS))
        self.rounds: defaultdict[str, float] = defaultdict(float)
        self.hearings: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(HEARINGS))
        self.fits = [0.0] * MODELS

    def add(self, judged: Round, sign: float = 1.0) -> None:
        for increment in statistics.increments(judged):
            self._add(increment, sign)
        for text, share in statistics.keyword_rounds(judged).items():
            self.rounds[text] += sign * share
        for text, more in statistics.hearings(judged).items():
            heard = self.hearings[text]
            heard[0] += sign * more.surprise
            heard[1] += sign * more.alone
        for place, fit in enumerate(statistics.fits(judged)):
            self.fits[place] += sign * fit

    def evidence(self, words: Sequence[Keyword], candidates: Sequence[str]) -> Evidence:
        """What is known if this is all there is, as `evidence` of a database gives it."""
        texts = [word.text for word in words]
        held = {
            (text, name): PairStatistics(*self.pairs[text, name])
            for text in (OVERALL, *texts)
            for name in candidates
            if (text, name) in self.pairs
        }
        return Evidence(
            {pair: found for pair, found in held.items() if pair[0] != OVERALL},
            {name: found for (text, name), found in held.items() if text == OVERALL},
            {text: self.rounds[text] for text in texts if self.rounds.get(text)},
            self.rounds.get(OVERALL, 0.0),
            tuple(self.fits),
            {text: Hearing(*self.hearings[text]) for text in (OVERALL, *texts) if text in self.hearings},
        )

    def _add(self, increment: Increment, sign: float) -> None:
        sums = self.pairs[increment.keyword, increment.checkpoint]
        for place, number in enumerate(numbers_of(increment.change)):
            sums[place] += sign * number


async def apply(connection: AsyncConnection, change: Change, ids: Ids) -> None:
    """Add a change to what is stored; a pair of which nothing is left is no row."""
    changed = {pair: sums for pair, sums in change.pairs.items() if any(sums)}
    counted = (numpy.array([*changed.values()]).reshape(-1, len(_NUMBERS)) / UNITS).tolist()
    rows = [
        {
            "keyword_id": ids.keywords[keyword],
            "checkpoint_id": ids.checkpoints[checkpoint],
            **dict(zip(_NUMBERS, numbers, strict=True)),
        }
        for (keyword, checkpoint), numbers in zip(changed, counted, strict=True)
    ]
    if rows:
        await connection.execute(_ADD[connection.dialect.name], rows)
    # Only where images are judged no longer can nothing be left.
    less = {ids.keywords[pair[0]] for pair, sums in change.pairs.items() if sums[_TOTAL] < 0.0}
    if less:
        await connection.execute(
            delete(pair_statistics).where(
                pair_statistics.c.keyword_id.in_(less), *(column == 0.0 for column in _COLUMNS)
            )
        )
    heard = [
        {
            "of_id": ids.keywords[text],
            "more_rounds": share,
            **(_no_fits if text != OVERALL else _fits(change)),
            **_more(HEARINGS, change.hearings.get(text, _no_hearing)),
        }
        for text, share in change.rounds.items()
        if share or any(change.hearings.get(text, ())) or (text == OVERALL and any(change.fits))
    ]
    if heard:
        await connection.execute(_HEAR, heard)


def _fits(change: Change) -> dict[str, float]:
    return _more(FITS, change.fits)


def _more(names: Sequence[str], numbers: Sequence[float]) -> dict[str, float]:
    return {f"more_{name}": number for name, number in zip(names, numbers, strict=True)}


_TOTAL = _NUMBERS.index("total")
_UNHEARD = Hearing()
_no_fits = {f"more_{name}": 0.0 for name in FITS}
_no_hearing = [0.0] * len(HEARINGS)
_HEAR = (
    update(keywords)
    .where(keywords.c.id == bindparam("of_id"))
    .values(
        {
            keywords.c[name]: keywords.c[name] + bindparam(f"more_{name}")
            for name in ("rounds", *FITS, *HEARINGS)
        }
    )
)


def _adding(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=[pair_statistics.c.keyword_id, pair_statistics.c.checkpoint_id],
        set_={column.name: column + insert.excluded[column.name] for column in _COLUMNS},
    )


_ADD = {
    "sqlite": _adding(sqlite.insert(pair_statistics)),
    "postgresql": _adding(postgresql.insert(pair_statistics)),
}


async def with_basis(
    connection: AsyncConnection, logged: LoggedGeneration, half_life: float = HALF_LIFE
) -> LoggedGeneration:
    """The generation with the basis of its first verdict; where it has none, it is taken now, and to be
    logged with the verdict."""
    judged = logged.judged_round(logged.marks)
    shown = [part.checkpoint for part in judged.shown]
    if logged.basis is not None and logged.basis.fits(len(judged.keywords), len(shown)):
        return logged
    known = await evidence(connection, [keyword.text for keyword in judged.keywords], shown)
    return replace(logged, basis=linearise(judged, replace(known, half_life=half_life)))


async def rebuild(connection: AsyncConnection) -> RebuildReport:
    """Recompute all statistics from the log, inside the caller's transaction.

    A round whose basis is of another version of the formula gets a new one, from what the rounds before it
    teach.
    """
    change, generations, number = Change(), 0, 0
    page: list[LoggedGeneration] = await judged_after(connection, number, _PAGE)
    while page:
        for logged in page:
            judged = logged.judged_round(logged.marks)
            if judged.basis is None:
                names = [part.checkpoint for part in judged.shown]
                judged = replace(judged, basis=linearise(judged, change.evidence(judged.keywords, names)))
                await set_basis(connection, logged.number, judged.basis)
            change.add(judged)
        generations, number = generations + len(page), page[-1].number
        page = await judged_after(connection, number, _PAGE)
    before = await _all(connection)
    after = {pair: tuple(sums) for pair, sums in change.pairs.items() if any(sums)}
    corrected = sum(before.get(pair) != after.get(pair) for pair in before.keys() | after.keys())
    rounds = {
        text: heard
        for text, heard in await connection.execute(select(keywords.c.text, keywords.c.rounds))
        if heard
    }
    corrected += sum(
        rounds.get(text, 0.0) != change.rounds.get(text, 0.0) for text in rounds.keys() | change.rounds.keys()
    )
    await connection.execute(delete(pair_statistics))
    await connection.execute(update(keywords).values(rounds=0.0, **dict.fromkeys((*FITS, *HEARINGS), 0.0)))
    await apply(connection, change, await _all_ids(connection))
    await log_sums.start_anew(connection)
    return RebuildReport(generations, len(after), corrected)


async def _all_ids(connection: AsyncConnection) -> Ids:
    words = await connection.execute(select(keywords.c.text, keywords.c.id))
    names = await connection.execute(select(checkpoints.c.name, checkpoints.c.id))
    return Ids({row.text: row.id for row in words}, {row.name: row.id for row in names})


async def _all(connection: AsyncConnection) -> dict[tuple[str, str], tuple[float, ...]]:
    rows = await connection.execute(
        select(keywords.c.text, checkpoints.c.name, *_COLUMNS).select_from(
            pair_statistics.join(keywords).join(checkpoints)
        )
    )
    return {(text, name): tuple((UNITS * numbers).tolist()) for text, name, *numbers in rows}


async def formula(connection: AsyncConnection) -> int:
    """The version of the formula that the stored statistics were computed with."""
    return int((await connection.execute(select(learned_state.c.formula))).scalar_one())


async def set_formula(connection: AsyncConnection, version: int) -> None:
    await connection.execute(update(learned_state).values(formula=version))


async def learned_version(connection: AsyncConnection) -> str:
    newest = select(func.coalesce(func.max(verdict_rows.c.number), 0)).scalar_subquery()
    row = (await connection.execute(select(learned_state.c.identity, learned_state.c.formula, newest))).one()
    return "-".join(str(part) for part in row)


async def checkpoint_rows(connection: AsyncConnection) -> tuple[CheckpointRow, ...]:
    """Every checkpoint that has been judged, most evidence first."""
    rows = await connection.execute(
        select(checkpoints.c.name, *_COLUMNS[:3])
        .select_from(pair_statistics.join(checkpoints).join(keywords))
        .where(keywords.c.text == OVERALL)
        .order_by(pair_statistics.c.total.desc(), checkpoints.c.name)
    )
    return tuple(CheckpointRow(*row) for row in rows)


async def count(connection: AsyncConnection, *, exact: bool = False) -> dict[str, int]:
    """How many keywords, checkpoints and pairs there is evidence of; `exact` counts each pair."""
    held = keyword_pairs.c.pairs
    told = select(func.count(), func.coalesce(func.sum(held), 0)).where(
        keyword_pairs.c.keyword_id != OVERALL_ID
    )
    if exact:
        each = pair_statistics.c.keyword_id
        told = select(func.count(each.distinct()), func.count()).where(each != OVERALL_ID)
    heard, pairs = (await connection.execute(told)).one()
    names = (await connection.execute(select(func.count()).select_from(checkpoints))).scalar_one()
    return {"keywords": int(heard), "checkpoints": int(names), "pairs": int(pairs)}
