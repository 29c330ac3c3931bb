"""Pages of what was learned, keyword by checkpoint, in SQL.

Functions of a connection, for people to read. Separate from `statistics` because how a page of millions of rows
is found within a tenth of a second has nothing to do with what they mean. Few rows are all sorted. Of many,
those with most evidence come out of an index, and other orders are orders among these: a table of a million
words sorted by rate would begin with what was seen once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import OVERALL_ID, checkpoints, keyword_pairs, keywords, pair_statistics
from ..reports import PairOrder, PairRow
from . import generations, statistics

FEW = 20_000
"""Up to so many rows are all sorted."""
MOST_SORTED = 10_000
"""Of more rows so many are sorted: those with most evidence."""
_MANY = 100_000
"""Where a search fits so many rows, going through all rows, most evidence first, soon meets a page of them."""
_COUNTED = 20
"""The rows of so many checkpoints are counted within a tenth of a second."""

_NUMBERS = (pair_statistics.c.selected, pair_statistics.c.total, pair_statistics.c.rounds)
_KEYWORD, _CHECKPOINT = pair_statistics.c.keyword_id, pair_statistics.c.checkpoint_id


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows to read; `search` is a part of the keyword or of the checkpoint's name."""

    keyword: str | None = None
    checkpoint: str | None = None
    search: str | None = None
    sort: PairOrder = "total"
    descending: bool = True
    limit: int = 100
    offset: int = 0

    @property
    def is_whole(self) -> bool:
        return self.keyword is None and self.checkpoint is None and not self.search


async def pair_rows(
    connection: AsyncConnection, page: Page, *, exact: bool = False, partial: bool = False
) -> tuple[tuple[PairRow, ...], int]:
    """One page of keyword x checkpoint rows, and how many rows all pages have.

    `partial`: they have not been counted, and are too many to be counted now.
    """
    exact = exact or partial
    matches = await _matches(connection, page.search) if page.search else None
    conditions = _conditions(page, matches)
    if partial and page.is_whole:
        total = FEW + 1
    else:
        total = await _count(connection, page, conditions, matches, exact=exact)
    if total > FEW and matches is not None and (page.sort == "total" or total > _MANY or matches.is_broad):
        conditions = _conditions(page, matches, by_index_of_totals=True)
    if total <= FEW:
        query = _sorted(select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(*conditions).subquery(), page)
    elif page.sort == "total":
        total = MOST_SORTED if matches is not None and total == FEW + 1 else total
        query = _sorted(
            _most(conditions, page.descending).limit(page.limit).offset(page.offset).subquery(), page, paged=True
        )
    elif page.sort == "keyword" and page.is_whole and not exact:
        return await _of_keywords(connection, page), total
    else:
        total = MOST_SORTED
        query = _sorted(_most(conditions).limit(total).subquery(), page)
    rows = await connection.execute(query)
    return tuple(PairRow(*row) for row in rows), total


async def rows_after(
    connection: AsyncConnection, page: Page, after: tuple[str, str] | None, limit: int
) -> tuple[PairRow, ...]:
    """The next of all rows in the order of keyword and checkpoint; `after` is the last one before, None: the first."""
    matches = await _matches(connection, page.search) if page.search else None
    some = select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(*_conditions(page, matches)).subquery()
    texts = keywords.c.text, checkpoints.c.name
    query = select(*texts, some.c.selected, some.c.total, some.c.rounds).select_from(
        some.join(keywords, keywords.c.id == some.c.keyword_id).join(
            checkpoints, checkpoints.c.id == some.c.checkpoint_id
        )
    )
    if after is not None:
        keyword, checkpoint = after
        later = or_(texts[0] > keyword, and_(texts[0] == keyword, texts[1] > checkpoint))
        query = query.where(texts[0] >= keyword, later)
    return tuple(PairRow(*row) for row in await connection.execute(query.order_by(*texts).limit(limit)))


@dataclass(frozen=True, slots=True)
class _Matches:
    """What has the searched text in it: any keyword or none, and so many checkpoints."""

    keywords: bool
    checkpoints: int

    @property
    def is_broad(self) -> bool:
        """Whether no index leads to its rows alone."""
        return self.checkpoints > (0 if self.keywords else _COUNTED)


async def _matches(connection: AsyncConnection, search: str) -> _Matches:
    any_keyword = select(keywords.c.id).where(generations.contains(keywords.c.text, search)).limit(1)
    in_names = select(func.count()).where(generations.contains(checkpoints.c.name, search))
    in_keywords = (await connection.execute(any_keyword)).first() is not None
    return _Matches(in_keywords, (await connection.execute(in_names)).scalar_one())


def _conditions(page: Page, matches: _Matches | None, *, by_index_of_totals: bool = False) -> list[ColumnElement[bool]]:
    """`by_index_of_totals` keeps databases from looking a search up in another index and sorting all it fits,
    where going through the rows, most evidence first, leads to a page of it sooner."""
    conditions: list[ColumnElement[bool]] = [_KEYWORD != OVERALL_ID]
    if page.keyword is not None:
        conditions.append(_id_of(keywords.c.id, keywords.c.text, page.keyword) == _KEYWORD)
    if page.checkpoint is not None:
        conditions.append(_id_of(checkpoints.c.id, checkpoints.c.name, page.checkpoint) == _CHECKPOINT)
    if page.search and matches is not None:
        # Searched once in each text, not once in each pair that has it; an index serves one column only.
        parts: list[ColumnElement[bool]] = []
        if matches.keywords:
            parts.append(_KEYWORD.in_(select(keywords.c.id).where(generations.contains(keywords.c.text, page.search))))
        if matches.checkpoints:
            parts.append(
                _CHECKPOINT.in_(select(checkpoints.c.id).where(generations.contains(checkpoints.c.name, page.search)))
            )
        # Neither database looks for `IS TRUE` in an index.
        parts = [part.is_(true()) for part in parts] if by_index_of_totals else parts
        conditions.append(or_(*parts) if parts else false())
    return conditions


def _id_of(id_: ColumnElement[int], column: ColumnElement[str], text: str) -> ColumnElement[int]:
    query: ColumnElement[int] = select(id_).where(column == text).scalar_subquery()
    return query


async def _count(
    connection: AsyncConnection,
    page: Page,
    conditions: list[ColumnElement[bool]],
    matches: _Matches | None,
    *,
    exact: bool,
) -> int:
    if page.is_whole:
        return (await statistics.count(connection, exact=exact))["pairs"]
    is_search_alone = page.search and page.keyword is None and page.checkpoint is None
    if is_search_alone and matches is not None and not matches.checkpoints and not exact:
        pairs = select(func.coalesce(func.sum(keyword_pairs.c.pairs), 0)).select_from(
            keyword_pairs.join(keywords, keywords.c.id == keyword_pairs.c.keyword_id)
        )
        pairs = pairs.where(keywords.c.id != OVERALL_ID, generations.contains(keywords.c.text, page.search or ""))
        return int((await connection.execute(pairs)).scalar_one())
    if is_search_alone and matches is not None and matches.is_broad:
        # No further than needed to know whether all of them are sorted.
        some = select(_KEYWORD).where(*conditions).limit(FEW + 1).subquery()
        return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
    # A server counts in an index of checkpoints alone as long as it need not look which keyword it is.
    counted, overall = (
        select(func.count()).select_from(pair_statistics).where(first, *conditions[1:]).scalar_subquery()
        for first in (true(), _KEYWORD == OVERALL_ID)
    )
    return int((await connection.execute(select(counted - overall))).scalar_one())


def _most(conditions: list[ColumnElement[bool]], descending: bool = True) -> Select[Any]:
    """The rows in the order of an index: of their totals, or of one checkpoint's totals."""
    order = pair_statistics.c.total.desc() if descending else pair_statistics.c.total.asc()
    query = select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(*conditions)
    return query.order_by(order, _KEYWORD, _CHECKPOINT)


async def _of_keywords(connection: AsyncConnection, page: Page) -> tuple[PairRow, ...]:
    """A page in the order of the keywords: how many pairs each has says which of them are on it."""
    order = keywords.c.text.desc() if page.descending else keywords.c.text.asc()
    counted = select(keywords.c.id, keyword_pairs.c.pairs).select_from(
        keywords.join(keyword_pairs, keyword_pairs.c.keyword_id == keywords.c.id)
    )
    counted = counted.where(keywords.c.id != OVERALL_ID).order_by(order)
    # Each keyword has at least one pair, so that the page ends within so many keywords.
    rows = (await connection.execute(counted.limit(page.offset + page.limit))).all()
    passed, first = 0, 0
    ids: list[int] = []
    for id_, pairs in rows:
        if passed + pairs > page.offset:
            first = passed if not ids else first
            ids.append(id_)
        passed += pairs
        if passed >= page.offset + page.limit:
            break
    some = select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(_KEYWORD.in_(ids)).subquery()
    here = replace(page, offset=page.offset - first)
    return tuple(PairRow(*row) for row in await connection.execute(_sorted(some, here)))


def _sorted(rows: Subquery, page: Page, *, paged: bool = False) -> Select[Any]:
    orders: Mapping[PairOrder, ColumnElement[Any]] = {
        "total": rows.c.total,
        "selected": rows.c.selected,
        "rounds": rows.c.rounds,
        "rate": rows.c.selected / func.nullif(rows.c.total, 0.0),
        "keyword": keywords.c.text,
        "checkpoint": checkpoints.c.name,
    }
    order = orders[page.sort]
    first = (order.desc() if page.descending else order.asc()).nulls_last()
    joined = rows.join(keywords, keywords.c.id == rows.c.keyword_id).join(
        checkpoints, checkpoints.c.id == rows.c.checkpoint_id
    )
    query = (
        select(keywords.c.text, checkpoints.c.name, rows.c.selected, rows.c.total, rows.c.rounds)
        .select_from(joined)
        .order_by(first, rows.c.total.desc(), keywords.c.text, checkpoints.c.name)
    )
    return query if paged else query.limit(page.limit).offset(page.offset)
