"""The statistics in SQL: what a policy is told, and what a verdict changes.

Functions of a connection, to be called inside one of `Database`'s transactions. Every number is a multiple of
2**-20 (`statistics.quantised`), so sums are exact in any order: taking a verdict back leaves no trace, and
rebuilding from the log gives the same bits.

While all of it is recomputed (`recomputation`), a second set of tables holds the new sums. A verdict then
goes into those that know its generation already, and into those in use as far as they are of this formula.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from typing import Any, TypeAlias

import numpy
from sqlalchemy import (
    CompoundSelect,
    FromClause,
    Table,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.prepared import Among, Reading, Writing
from ..database.schema import (
    FITS,
    GRAIN,
    OVERALL,
    OVERALL_ID,
    TREND_COLUMNS,
    checkpoints,
    keyword_pairs,
    keyword_sums_anew,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_anew,
)
from ..database.schema import verdicts as verdict_rows
from ..model import sufficient_statistics as statistics
from ..model.averaging import take_snapshot
from ..model.evidence import Comparison, Evidence, Increment, KeywordTrend, PairStatistics
from ..model.pair_table import FIELDS, PairTable, numbers_of
from ..model.snapshot import MODELS
from ..reports import CheckpointRow
from ..values import HALF_LIFE, Keyword
from .records import Ids, LoggedGeneration, Recomputation

Sums: TypeAlias = "defaultdict[tuple[str, str], list[float]]"

_NUMBERS = FIELDS
_COLUMNS = tuple(pair_statistics.c[name] for name in _NUMBERS)
UNITS = numpy.array([1.0 if name in ("selected", "total", "rounds") else GRAIN for name in _NUMBERS])
"""What one is worth in each column: people read the first three, the others take less room as they are."""


# Two selects in one statement: for a LEFT JOIN on the joined pairs SQLite would read the whole pair table.
# The ids are looked up apart, so that pairs are found by their key, whatever else there is an index of.
def _known(among: Among, heard: FromClause, sums: FromClause, pairs: Table) -> CompoundSelect[Any]:
    is_asked = among(keywords.c.text, "texts")
    return union_all(
        select(
            keywords.c.text,
            null().label("name"),
            *(sums.c[name] for name in _OF_KEYWORDS),
            *(literal(0.0) for _ in _NUMBERS[len(_OF_KEYWORDS) :]),
        )
        .select_from(heard)
        .where(is_asked),
        select(keywords.c.text, checkpoints.c.name, *(pairs.c[name] for name in _NUMBERS))
        .select_from(
            pairs.join(keywords, keywords.c.id == pairs.c.keyword_id).join(
                checkpoints, checkpoints.c.id == pairs.c.checkpoint_id
            )
        )
        .where(
            pairs.c.keyword_id.in_(select(keywords.c.id).where(is_asked)),
            pairs.c.checkpoint_id.in_(select(checkpoints.c.id).where(among(checkpoints.c.name, "candidates"))),
        ),
    )


_OF_KEYWORDS = ("rounds", *FITS, *TREND_COLUMNS)
_EVIDENCE = Reading(lambda among: _known(among, keywords, keywords, pair_statistics))
_EVIDENCE_ANEW = Reading(
    lambda among: _known(
        among,
        keywords.join(keyword_sums_anew, keyword_sums_anew.c.keyword_id == keywords.c.id),
        keyword_sums_anew,
        pair_statistics_anew,
    )
)


async def evidence(
    connection: AsyncConnection, texts: Sequence[str], candidates: Sequence[str], *, anew: bool = False
) -> Evidence:
    """All that is known of some keywords and candidates, in one query; `anew`: of what was recomputed."""
    reading = _EVIDENCE_ANEW if anew else _EVIDENCE
    rows = await reading.rows(connection, texts=[OVERALL, *texts], candidates=list(candidates))
    pairs: list[tuple[str, str]] = []
    held: list[float] = []
    rounds: dict[str, float] = {}
    fits: tuple[float, ...] = ()
    keyword_trends: dict[str, KeywordTrend] = {}
    for text, name, *numbers in rows:
        if name is not None:
            pairs.append((text, name))
            held += numbers
        else:
            if numbers[0]:
                rounds[text] = numbers[0]
            if text == OVERALL:
                fits = tuple(numbers[1 : 1 + len(FITS)])
            heard = KeywordTrend(*numbers[1 + len(FITS) : 1 + len(FITS) + len(TREND_COLUMNS)])
            if heard != _UNHEARD:
                keyword_trends[text] = heard
    numbers_held = numpy.array(held, dtype=float).reshape(-1, len(_NUMBERS)) * UNITS
    general = [place for place, (text, _) in enumerate(pairs) if text == OVERALL]
    overall = {pairs[place][1]: PairStatistics(*numbers_held[place].tolist()) for place in general}
    table = PairTable([pair for pair in pairs if pair[0] != OVERALL], numpy.delete(numbers_held, general, axis=0))
    return Evidence(table, overall, rounds, rounds.pop(OVERALL, 0.0), fits, keyword_trends)


class Change:
    """The difference that rounds make to the statistics, gathered before it is written at once."""

    def __init__(self) -> None:
        self.pairs: Sums = defaultdict(lambda: [0.0] * len(_NUMBERS))
        self.rounds: defaultdict[str, float] = defaultdict(float)
        self.keyword_trends: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(TREND_COLUMNS))
        self.fits = [0.0] * MODELS
        self.recomputation: Recomputation | None = None
        self.anew: Change | None = None
        """The part of it that what is being recomputed knows of."""

    def add(self, judged: Comparison, sign: float = 1.0, *, of: LoggedGeneration | None = None) -> None:
        """Add a round, or take it out with `sign` -1; `of`: the generation that it is, if it is logged."""
        self._sum(judged, sign)
        if of is None or of.recomputation is None:
            return
        self.recomputation = of.recomputation
        self.anew = self.anew or Change()
        if of.number <= of.recomputation.generation:
            self.anew._sum(judged, sign)

    def only(self, wanted: Callable[[str], bool]) -> Change:
        """The part of it that is about some keywords."""
        part = Change()
        part.pairs.update({pair: sums for pair, sums in self.pairs.items() if wanted(pair[0])})
        part.rounds.update({text: share for text, share in self.rounds.items() if wanted(text)})
        part.keyword_trends.update({text: heard for text, heard in self.keyword_trends.items() if text in part.rounds})
        if OVERALL in part.rounds:
            part.fits = self.fits
        return part

    def _sum(self, judged: Comparison, sign: float) -> None:
        if not any(part.judged for part in judged.shown):
            return  # as before a first verdict: it teaches nothing
        for increment in statistics.increments(judged):
            self._add(increment, sign)
        for text, share in statistics.keyword_rounds(judged).items():
            self.rounds[text] += sign * share
        for text, more in statistics.keyword_trends(judged).items():
            for place, number in enumerate(astuple(more)):
                self.keyword_trends[text][place] += sign * number
        for place, fit in enumerate(statistics.log_likelihoods(judged)):
            self.fits[place] += sign * fit

    def evidence(self, words: Sequence[Keyword], candidates: Sequence[str], known: Evidence) -> Evidence:
        """What is known of these once this is added to `known`, which `evidence` gave."""
        texts = list(dict.fromkeys(word.text for word in words))
        pairs, overall = dict(known.pairs), dict(known.overall)
        for name in candidates:
            for text in texts:
                if (more := self.pairs.get((text, name))) is not None:
                    pairs[text, name] = _sum_of(pairs.get((text, name)), more)
            if (more := self.pairs.get((OVERALL, name))) is not None:
                overall[name] = _sum_of(overall.get(name), more)
        heard = {text: known.keyword_trends.get(text, _UNHEARD) for text in (OVERALL, *texts)}
        return Evidence(
            pairs,
            overall,
            {text: known.keyword_rounds.get(text, 0.0) + self.rounds.get(text, 0.0) for text in texts},
            known.rounds + self.rounds.get(OVERALL, 0.0),
            tuple(a + b for a, b in zip(known.log_likelihoods or [0.0] * MODELS, self.fits, strict=True)),
            {
                text: KeywordTrend(*(a + b for a, b in zip(astuple(was), self.keyword_trends[text], strict=True)))
                if text in self.keyword_trends
                else was
                for text, was in heard.items()
            },
        )

    def _add(self, increment: Increment, sign: float) -> None:
        sums = self.pairs[increment.keyword, increment.checkpoint]
        for place, number in enumerate(numbers_of(increment.change)):
            sums[place] += sign * number


def _sum_of(known: PairStatistics | None, more: Sequence[float]) -> PairStatistics:
    if known is None:
        return PairStatistics(*more)
    return PairStatistics(*(a + b for a, b in zip(numbers_of(known), more, strict=True)))


async def apply(connection: AsyncConnection, change: Change, ids: Ids) -> None:
    """Add a change to what is stored; a pair of which nothing is left is no row."""
    state = change.recomputation
    if state is None:
        await _add(connection, change, ids)
        return
    ready = {text for text, id_ in ids.keywords.items() if id_ <= state.keyword}
    await _add(connection, change.only(lambda text: text in ready) if state.former else change, ids)
    if change.anew is not None:
        await _add(connection, change.anew.only(lambda text: text not in ready), ids, anew=True)


async def apply_anew(connection: AsyncConnection, change: Change, ids: Ids) -> None:
    """Add a change to what is being recomputed."""
    await _add(connection, change, ids, anew=True)


async def move_pairs(connection: AsyncConnection, from_id: int, to_id: int) -> None:
    """Add what is known of one checkpoint to another's, as far as sums tell: that of rounds which compared
    both is to be recomputed."""
    numbers = [column for column in pair_statistics.columns if not column.primary_key]
    of_it = pair_statistics.c.checkpoint_id == from_id
    known = select(pair_statistics.c.keyword_id, literal(to_id), *numbers).where(of_it)
    names = ["keyword_id", "checkpoint_id", *(column.name for column in numbers)]
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    adding = insert(pair_statistics).from_select(names, known)
    sums = {column.name: column + adding.excluded[column.name] for column in numbers}
    await connection.execute(adding.on_conflict_do_update(index_elements=list(pair_statistics.primary_key), set_=sums))
    await connection.execute(delete(pair_statistics).where(of_it))


async def _add(connection: AsyncConnection, change: Change, ids: Ids, *, anew: bool = False) -> None:
    table = pair_statistics_anew if anew else pair_statistics
    changed = {pair: sums for pair, sums in change.pairs.items() if any(sums)}
    counted = (numpy.array([*changed.values()]).reshape(-1, len(_NUMBERS)) / UNITS).tolist()
    rows = sorted(
        (ids.keywords[keyword], ids.checkpoints[checkpoint], *numbers)
        for (keyword, checkpoint), numbers in zip(changed, counted, strict=True)
    )
    if rows:  # in the order in which they lie
        await _ADD[table.name].write(connection, rows)
    # Only where images are judged no longer can nothing be left.
    less = {ids.keywords[pair[0]] for pair, sums in change.pairs.items() if sums[_TOTAL] < 0.0}
    if less:
        await connection.execute(
            delete(table).where(table.c.keyword_id.in_(less), *(table.c[name] == 0.0 for name in _NUMBERS))
        )
    heard = sorted(
        (
            ids.keywords[text],
            share,
            *(change.fits if text == OVERALL else _NO_FITS),
            *change.keyword_trends.get(text, _NO_HEARING),
        )
        for text, share in change.rounds.items()
        if share or any(change.keyword_trends.get(text, ())) or (text == OVERALL and any(change.fits))
    )
    if heard:
        await (_HEAR_ANEW if anew else _HEAR).write(connection, heard)


_TOTAL = _NUMBERS.index("total")
_UNHEARD = KeywordTrend()
_NO_FITS, _NO_HEARING = (0.0,) * len(FITS), (0.0,) * len(TREND_COLUMNS)
_ADD = {table.name: Writing.adding(table) for table in (pair_statistics, pair_statistics_anew)}
_HEAR = Writing.increasing(keywords.c.id, [keywords.c[name] for name in _OF_KEYWORDS])
_HEAR_ANEW = Writing.adding(keyword_sums_anew)


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
    return replace(logged, basis=take_snapshot(judged, replace(known, half_life=half_life)))


async def formula(connection: AsyncConnection) -> int:
    """The version of the formula that the stored statistics were computed with."""
    return int((await connection.execute(select(learned_state.c.formula))).scalar_one())


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
    told = select(func.count(), func.coalesce(func.sum(held), 0)).where(keyword_pairs.c.keyword_id != OVERALL_ID)
    if exact:
        each = pair_statistics.c.keyword_id
        told = select(func.count(each.distinct()), func.count()).where(each != OVERALL_ID)
    heard, pairs = (await connection.execute(told)).one()
    names = (await connection.execute(select(func.count()).select_from(checkpoints))).scalar_one()
    return {"keywords": int(heard), "checkpoints": int(names), "pairs": int(pairs)}
