"""The statistics in SQL: what a policy reads, and what a verdict changes.

Functions of a connection, to be called inside one of `Database`'s transactions. Separate from `generations`,
because the log is the truth and these sums follow from it. Every number is a multiple of 2**-20
(`sufficient_statistics.quantised`), so sums are exact in any order: taking a verdict back leaves no trace, and
rebuilding from the log gives the same bits.

While all of it is recomputed (`rebuild`), shadow tables hold the new sums. A verdict then goes into those that
know its generation already, and into those in use as far as they are of this formula.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Table,
    Text,
    any_,
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

from ..database.schema import (
    GRAIN,
    LOG_LIKELIHOOD_COLUMNS,
    OVERALL,
    OVERALL_ID,
    TREND_COLUMNS,
    checkpoints,
    keyword_pairs,
    keyword_sums_shadow,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_shadow,
    verdicts,
)
from ..model import sufficient_statistics
from ..model.averaging import take_snapshot
from ..model.evidence import Comparison, Evidence, KeywordTrend, PairStatistics
from ..model.pair_table import FIELDS, PairTable, numbers_of
from ..model.snapshot import MODELS
from ..reports import CheckpointRow
from ..values import HALF_LIFE, Keyword
from .records import Ids, LoggedGeneration, RebuildProgress

_IsOneOf: TypeAlias = Callable[[ColumnElement[str], str], ColumnElement[bool]]
"""From a column and the name of a parameter, a list of texts, to the condition that the column is one of them."""

Sums: TypeAlias = "defaultdict[tuple[str, str], list[float]]"

_NUMBERS = FIELDS
_KEYWORD_SUMS = ("rounds", *LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS)
UNITS = numpy.array([1.0 if name in ("selected", "total", "rounds") else GRAIN for name in _NUMBERS])
"""What one is worth in each column: people read the first three, the others take less room as they are."""


def _evidence_query(has_name: _IsOneOf, trends: FromClause, sums: FromClause, pairs: Table) -> CompoundSelect[Any]:
    # Two selects in one statement: for a LEFT JOIN on the joined pairs SQLite would read the whole pair table.
    # The ids are looked up apart, so that pairs are found by their key, whatever else there is an index of.
    is_asked_for = has_name(keywords.c.text, "texts")
    return union_all(
        select(
            keywords.c.text,
            null().label("name"),
            *(sums.c[name] for name in _KEYWORD_SUMS),
            *(literal(0.0) for _ in _NUMBERS[len(_KEYWORD_SUMS) :]),
        )
        .select_from(trends)
        .where(is_asked_for),
        select(keywords.c.text, checkpoints.c.name, *(pairs.c[name] for name in _NUMBERS))
        .select_from(
            pairs.join(keywords, keywords.c.id == pairs.c.keyword_id).join(
                checkpoints, checkpoints.c.id == pairs.c.checkpoint_id
            )
        )
        .where(
            pairs.c.keyword_id.in_(select(keywords.c.id).where(is_asked_for)),
            pairs.c.checkpoint_id.in_(select(checkpoints.c.id).where(has_name(checkpoints.c.name, "candidates"))),
        ),
    )


_IS_ONE_OF: Mapping[str, _IsOneOf] = {
    "sqlite": lambda column, name: column.in_(bindparam(name, expanding=True)),
    # A server takes a list as one value, so that lists of every length are one prepared statement.
    "postgresql": lambda column, name: column == any_(bindparam(name, type_=ARRAY(Text))),
}
_EVIDENCE = {
    dialect: _evidence_query(is_one_of, keywords, keywords, pair_statistics)
    for dialect, is_one_of in _IS_ONE_OF.items()
}
_SHADOW_EVIDENCE = {
    dialect: _evidence_query(
        is_one_of,
        keywords.join(keyword_sums_shadow, keyword_sums_shadow.c.keyword_id == keywords.c.id),
        keyword_sums_shadow,
        pair_statistics_shadow,
    )
    for dialect, is_one_of in _IS_ONE_OF.items()
}


async def evidence(
    connection: AsyncConnection, texts: Sequence[str], candidates: Sequence[str], *, shadow: bool = False
) -> Evidence:
    """All that is known of some keywords and candidates, in one query; `shadow`: of what has been recomputed."""
    query = (_SHADOW_EVIDENCE if shadow else _EVIDENCE)[connection.dialect.name]
    rows = await connection.execute(query, {"texts": [OVERALL, *texts], "candidates": list(candidates)})
    pairs: list[tuple[str, str]] = []
    sums: list[float] = []
    rounds: dict[str, float] = {}
    log_likelihoods: tuple[float, ...] = ()
    trends: dict[str, KeywordTrend] = {}
    for text, name, *numbers in rows:
        if name is not None:
            pairs.append((text, name))
            sums += numbers
        else:
            if numbers[0]:
                rounds[text] = numbers[0]
            if text == OVERALL:
                log_likelihoods = tuple(numbers[1 : 1 + len(LOG_LIKELIHOOD_COLUMNS)])
            trend = KeywordTrend(
                *numbers[1 + len(LOG_LIKELIHOOD_COLUMNS) : 1 + len(LOG_LIKELIHOOD_COLUMNS) + len(TREND_COLUMNS)]
            )
            if trend != _NO_TREND:
                trends[text] = trend
    table = numpy.array(sums, dtype=float).reshape(-1, len(_NUMBERS)) * UNITS
    overall_rows = [row for row, (text, _) in enumerate(pairs) if text == OVERALL]
    overall = {pairs[row][1]: PairStatistics(*table[row].tolist()) for row in overall_rows}
    of_keywords = PairTable([pair for pair in pairs if pair[0] != OVERALL], numpy.delete(table, overall_rows, axis=0))
    return Evidence(of_keywords, overall, rounds, rounds.pop(OVERALL, 0.0), log_likelihoods, trends)


class Change:
    """The difference that verdicts make to the statistics, gathered before it is written at once."""

    def __init__(self) -> None:
        self.pairs: Sums = defaultdict(lambda: [0.0] * len(_NUMBERS))
        self.rounds: defaultdict[str, float] = defaultdict(float)
        self.trends: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * len(TREND_COLUMNS))
        self.log_likelihoods = [0.0] * MODELS
        self.rebuild_progress: RebuildProgress | None = None
        self.shadow: Change | None = None
        """The part of it that the sums being recomputed must know."""

    def add(self, comparison: Comparison, sign: float = 1.0, *, of: LoggedGeneration | None = None) -> None:
        """Add a comparison, or take it out with `sign` -1; `of`: its generation, if that is logged."""
        self._sum(comparison, sign)
        if of is None or of.rebuild_progress is None:
            return
        self.rebuild_progress = of.rebuild_progress
        self.shadow = self.shadow or Change()
        if of.number <= of.rebuild_progress.generation:
            self.shadow._sum(comparison, sign)

    def only(self, wanted: Callable[[str], bool]) -> Change:
        """The part of it that is about some keywords."""
        part = Change()
        part.pairs.update({pair: sums for pair, sums in self.pairs.items() if wanted(pair[0])})
        part.rounds.update({text: share for text, share in self.rounds.items() if wanted(text)})
        part.trends.update({text: trend for text, trend in self.trends.items() if text in part.rounds})
        if OVERALL in part.rounds:
            part.log_likelihoods = self.log_likelihoods
        return part

    def _sum(self, comparison: Comparison, sign: float) -> None:
        if not any(shown.judged for shown in comparison.shown):
            return  # as before a first verdict: it teaches nothing
        for increment in sufficient_statistics.increments(comparison):
            sums = self.pairs[increment.keyword, increment.checkpoint]
            for column, number in enumerate(numbers_of(increment.change)):
                sums[column] += sign * number
        for text, share in sufficient_statistics.keyword_rounds(comparison).items():
            self.rounds[text] += sign * share
        for text, trend in sufficient_statistics.keyword_trends(comparison).items():
            for column, number in enumerate((trend.surprise, trend.exploit_streak, trend.log_decay_weight)):
                self.trends[text][column] += sign * number
        for model, log_likelihood in enumerate(sufficient_statistics.log_likelihoods(comparison)):
            self.log_likelihoods[model] += sign * log_likelihood

    def evidence(self, words: Sequence[Keyword], candidates: Sequence[str], known: Evidence) -> Evidence:
        """What is known of these once this is added to `known`, which the function `evidence` gave."""
        texts = list(dict.fromkeys(word.text for word in words))
        pairs, overall = dict(known.pairs), dict(known.overall)
        for name in candidates:
            for text in texts:
                if (more := self.pairs.get((text, name))) is not None:
                    pairs[text, name] = _sum_of(pairs.get((text, name)), more)
            if (more := self.pairs.get((OVERALL, name))) is not None:
                overall[name] = _sum_of(overall.get(name), more)
        trends = {text: known.keyword_trends.get(text, _NO_TREND) for text in (OVERALL, *texts)}
        for text in trends:
            if text in self.trends:
                trends[text] = trends[text].with_more(KeywordTrend(*self.trends[text]))
        return Evidence(
            pairs,
            overall,
            {text: known.keyword_rounds.get(text, 0.0) + self.rounds.get(text, 0.0) for text in texts},
            known.rounds + self.rounds.get(OVERALL, 0.0),
            tuple(a + b for a, b in zip(known.log_likelihoods or [0.0] * MODELS, self.log_likelihoods, strict=True)),
            trends,
        )


def _sum_of(known: PairStatistics | None, more: Sequence[float]) -> PairStatistics:
    if known is None:
        return PairStatistics(*more)
    return PairStatistics(*(a + b for a, b in zip(numbers_of(known), more, strict=True)))


async def apply(connection: AsyncConnection, change: Change, ids: Ids) -> None:
    """Add a change to what is stored; a pair of which nothing is left is no row."""
    progress = change.rebuild_progress
    if progress is None:
        await _add(connection, change, ids)
        return
    ready = {text for text, id_ in ids.keywords.items() if id_ <= progress.keyword}
    await _add(connection, change.only(lambda text: text in ready) if progress.outdated else change, ids)
    if change.shadow is not None:
        await add_to_shadow(connection, change.shadow.only(lambda text: text not in ready), ids)


async def add_to_shadow(connection: AsyncConnection, change: Change, ids: Ids) -> None:
    """Add a change to what has been recomputed."""
    await _add(connection, change, ids, shadow=True)


async def move_pairs(connection: AsyncConnection, from_id: int, to_id: int) -> None:
    """Add what is known of one checkpoint to another's, as far as sums tell: that of comparisons of the two
    is to be recomputed."""
    columns = list(pair_statistics.columns)
    is_moved = pair_statistics.c.checkpoint_id == from_id
    rows = select(*(literal(to_id) if each.name == "checkpoint_id" else each for each in columns)).where(is_moved)
    insert = _INSERTS[connection.dialect.name](pair_statistics).from_select([each.name for each in columns], rows)
    await connection.execute(_adding(pair_statistics, insert))
    await connection.execute(delete(pair_statistics).where(is_moved))


async def _add(connection: AsyncConnection, change: Change, ids: Ids, *, shadow: bool = False) -> None:
    table = pair_statistics_shadow if shadow else pair_statistics
    changed = {pair: sums for pair, sums in change.pairs.items() if any(sums)}
    numbers = (numpy.array([*changed.values()]).reshape(-1, len(_NUMBERS)) / UNITS).tolist()
    rows = sorted(
        (ids.keywords[keyword], ids.checkpoints[checkpoint], *sums)
        for (keyword, checkpoint), sums in zip(changed, numbers, strict=True)
    )
    if rows:  # in the order in which they lie in the table
        names = [column.name for column in table.columns]
        add = _ADD[table.name, connection.dialect.name]
        await connection.execute(add, [dict(zip(names, row, strict=True)) for row in rows])
    # Only where images lose their verdicts can a pair be left with nothing.
    emptied = {ids.keywords[pair[0]] for pair, sums in change.pairs.items() if sums[_TOTAL] < 0.0}
    if emptied:
        await connection.execute(
            delete(table).where(table.c.keyword_id.in_(emptied), *(table.c[name] == 0.0 for name in _NUMBERS))
        )
    rows = sorted(
        (
            ids.keywords[text],
            share,
            *(change.log_likelihoods if text == OVERALL else _NO_LOG_LIKELIHOODS),
            *change.trends.get(text, _NO_TREND_SUMS),
        )
        for text, share in change.rounds.items()
        if share or any(change.trends.get(text, ())) or (text == OVERALL and any(change.log_likelihoods))
    )
    if rows:
        if shadow:
            names, add = ["keyword_id", *_KEYWORD_SUMS], _ADD[keyword_sums_shadow.name, connection.dialect.name]
        else:
            names, add = ["of_keyword", *(f"more_{name}" for name in _KEYWORD_SUMS)], _ADD_TO_KEYWORDS
        await connection.execute(add, [dict(zip(names, row, strict=True)) for row in rows])


def _adding(table: Table, insert: Any) -> Any:
    """Insert rows, or add their numbers to those with the same key."""
    sums = {each.name: each + insert.excluded[each.name] for each in table.columns if not each.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)


_TOTAL = _NUMBERS.index("total")
_NO_TREND = KeywordTrend()
_NO_LOG_LIKELIHOODS, _NO_TREND_SUMS = (0.0,) * len(LOG_LIKELIHOOD_COLUMNS), (0.0,) * len(TREND_COLUMNS)
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_ADD = {
    (table.name, dialect): _adding(table, insert(table))
    for table in (pair_statistics, pair_statistics_shadow, keyword_sums_shadow)
    for dialect, insert in _INSERTS.items()
}
_ADD_TO_KEYWORDS = (
    update(keywords)
    .where(keywords.c.id == bindparam("of_keyword"))
    .values({keywords.c[name]: keywords.c[name] + bindparam(f"more_{name}") for name in _KEYWORD_SUMS})
)


async def with_basis(
    connection: AsyncConnection, generation: LoggedGeneration, half_life: float = HALF_LIFE
) -> LoggedGeneration:
    """The generation with the basis of its first verdict; where it has none, it is taken now, and to be
    logged with the verdict."""
    comparison = generation.comparison(generation.marks)
    shown = [part.checkpoint for part in comparison.shown]
    if generation.basis is not None and generation.basis.fits(len(comparison.keywords), len(shown)):
        return generation
    known = await evidence(connection, [keyword.text for keyword in comparison.keywords], shown)
    return replace(generation, basis=take_snapshot(comparison, replace(known, half_life=half_life)))


async def formula(connection: AsyncConnection) -> int:
    """The version of the formula that the stored statistics were computed with."""
    return int((await connection.execute(select(learned_state.c.formula))).scalar_one())


async def learned_version(connection: AsyncConnection) -> str:
    """A text that changes whenever something was learned."""
    newest = select(func.coalesce(func.max(verdicts.c.number), 0)).scalar_subquery()
    row = (await connection.execute(select(learned_state.c.identity, learned_state.c.formula, newest))).one()
    return "-".join(str(part) for part in row)


async def checkpoint_rows(connection: AsyncConnection) -> tuple[CheckpointRow, ...]:
    """Every checkpoint that has been judged, most evidence first."""
    rows = await connection.execute(
        select(checkpoints.c.name, *(pair_statistics.c[name] for name in _NUMBERS[:3]))
        .select_from(pair_statistics.join(checkpoints).join(keywords))
        .where(keywords.c.text == OVERALL)
        .order_by(pair_statistics.c.total.desc(), checkpoints.c.name)
    )
    return tuple(CheckpointRow(*row) for row in rows)


async def count(connection: AsyncConnection, *, exact: bool = False) -> dict[str, int]:
    """How many keywords, checkpoints and pairs there is evidence of; `exact` counts each pair."""
    query = select(func.count(), func.coalesce(func.sum(keyword_pairs.c.pairs), 0)).where(
        keyword_pairs.c.keyword_id != OVERALL_ID
    )
    if exact:
        keyword = pair_statistics.c.keyword_id
        query = select(func.count(keyword.distinct()), func.count()).where(keyword != OVERALL_ID)
    keyword_count, pair_count = (await connection.execute(query)).one()
    checkpoint_count = (await connection.execute(select(func.count()).select_from(checkpoints))).scalar_one()
    return {"keywords": int(keyword_count), "checkpoints": int(checkpoint_count), "pairs": int(pair_count)}
