"""Pages of what was learned, keyword by checkpoint, in SQL.

Functions of a connection, read by people alone. Separate from `statistics_store` because how a page of
millions of rows is found within a tenth of a second has nothing to do with what they mean. Few rows are all
sorted; of many, those with most evidence come out of an index, and other orders are orders among these: a
table of a million words sorted by rate would begin with what was seen once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import OVERALL_ID, checkpoints, keyword_pairs, keywords, pair_statistics
from ..reports import PairOrder, PairRow
from . import statistics as statistics_store

FEW = 20_000
"""So many rows are sorted as they are asked for."""
MOST_SORTED = 10_000
"""Of more rows so many are sorted: those with most evidence."""
_MANY = 100_000
"""So many of a search's rows are met often enough where all rows are gone through, most evidence first."""
_COUNTED = 20
"""The rows of so many checkpoints are counted within a tenth of a second."""

_NUMBERS = (pair_statistics.c.selected, pair_statistics.c.total, pair_statistics.c.rounds)
_KEYWORD, _CHECKPOINT = pair_statistics.c.keyword_id, pair_statistics.c.checkpoint_id


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are asked for; `search` is a part of the keyword or of the checkpoint's name."""

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
    """One page of keyword x checkpoint rows, and how many can be turned over in all.

    `partial`: they have not been counted, and are too many to be counted now.
    """
    exact = exact or partial
    fitting = await _fitting(connection, page.search) if page.search else None
    asked = _asked(page, fitting)
    if partial and page.is_whole:
        found = FEW + 1
    else:
        found = await _count(connection, page, asked, fitting, exact=exact)
    if found > FEW and fitting is not None and (page.sort == "total" or found > _MANY or fitting.is_broad):
        asked = _asked(page, fitting, walked=True)
    if found <= FEW:
        query = _sorted(select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(*asked).subquery(), page)
    elif page.sort == "total":
        found = MOST_SORTED if fitting is not None and found == FEW + 1 else found
        query = _sorted(
            _most(asked, page.descending).limit(page.limit).offset(page.offset).subquery(), page, paged=True
        )
    elif page.sort == "keyword" and page.is_whole and not exact:
        return await _of_keywords(connection, page), found
    else:
        found = MOST_SORTED
        query = _sorted(_most(asked).limit(found).subquery(), page)
    rows = await connection.execute(query)
    return tuple(PairRow(*row) for row in rows), found


@dataclass(frozen=True, slots=True)
class _Fitting:
    """What has a search in it: some keyword or none, and so many checkpoints."""

    keywords: bool
    checkpoints: int

    @property
    def is_broad(self) -> bool:
        """Whether no index leads to its rows alone."""
        return self.checkpoints > (0 if self.keywords else _COUNTED)


async def _fitting(connection: AsyncConnection, search: str) -> _Fitting:
    heard = select(keywords.c.id).where(_holds(keywords.c.text, search)).limit(1)
    named = select(func.count()).where(_holds(checkpoints.c.name, search))
    in_keywords = (await connection.execute(heard)).first() is not None
    return _Fitting(in_keywords, (await connection.execute(named)).scalar_one())


def _asked(page: Page, fitting: _Fitting | None, *, walked: bool = False) -> list[ColumnElement[bool]]:
    """The conditions; `walked` keeps databases from looking a search up in an index and then sorting it all,
    where most evidence first leads to a page of it sooner."""
    asked: list[ColumnElement[bool]] = [_KEYWORD != OVERALL_ID]
    if page.keyword is not None:
        asked.append(_id_of(keywords.c.id, keywords.c.text, page.keyword) == _KEYWORD)
    if page.checkpoint is not None:
        asked.append(_id_of(checkpoints.c.id, checkpoints.c.name, page.checkpoint) == _CHECKPOINT)
    if page.search and fitting is not None:
        # Looked for once in each text, not once in each pair that has it; an index serves one column alone.
        kinds: list[ColumnElement[bool]] = []
        if fitting.keywords:
            heard = select(keywords.c.id).where(_holds(keywords.c.text, page.search))
            kinds.append(_KEYWORD.in_(heard))
        if fitting.checkpoints:
            named = select(checkpoints.c.id).where(_holds(checkpoints.c.name, page.search))
            kinds.append(_CHECKPOINT.in_(named))
        # `IS TRUE` is what neither database looks for in an index.
        asked.append(or_(*(kind.is_(true()) if walked else kind for kind in kinds)) if kinds else false())
    return asked


def _id_of(id_: ColumnElement[int], column: ColumnElement[str], text: str) -> ColumnElement[int]:
    found: ColumnElement[int] = select(id_).where(column == text).scalar_subquery()
    return found


def _holds(column: ColumnElement[str], search: str) -> ColumnElement[bool]:
    pattern = func.lower("%" + re.sub(r"([%_\\])", r"\\\1", search) + "%")
    return func.lower(column).like(pattern, escape="\\")


async def _count(
    connection: AsyncConnection,
    page: Page,
    asked: list[ColumnElement[bool]],
    fitting: _Fitting | None,
    *,
    exact: bool,
) -> int:
    if page.is_whole:
        return (await statistics_store.count(connection, exact=exact))["pairs"]
    alone = page.search and page.keyword is None and page.checkpoint is None
    if alone and fitting is not None and not fitting.checkpoints and not exact:
        heard = select(func.coalesce(func.sum(keyword_pairs.c.pairs), 0)).select_from(
            keyword_pairs.join(keywords, keywords.c.id == keyword_pairs.c.keyword_id)
        )
        held = (keywords.c.id != OVERALL_ID, _holds(keywords.c.text, page.search or ""))
        return int((await connection.execute(heard.where(*held))).scalar_one())
    if alone and fitting is not None and fitting.is_broad:
        # As far as it matters whether all of them are sorted.
        some = select(_KEYWORD).where(*asked).limit(FEW + 1).subquery()
        return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
    # A server counts in an index of checkpoints alone as long as it need not look which keyword it is.
    counted, overall = (
        select(func.count()).select_from(pair_statistics).where(first, *asked[1:]).scalar_subquery()
        for first in (true(), _KEYWORD == OVERALL_ID)
    )
    return int((await connection.execute(select(counted - overall))).scalar_one())


def _most(asked: list[ColumnElement[bool]], descending: bool = True) -> Select[Any]:
    """The rows in the order of an index: of their totals, or of one checkpoint's totals."""
    order = pair_statistics.c.total.desc() if descending else pair_statistics.c.total.asc()
    query = select(_KEYWORD, _CHECKPOINT, *_NUMBERS).where(*asked)
    return query.order_by(order, _KEYWORD, _CHECKPOINT)


async def _of_keywords(connection: AsyncConnection, page: Page) -> tuple[PairRow, ...]:
    """A page in the order of the keywords: which of them are on it follows from how many pairs each has."""
    order = keywords.c.text.desc() if page.descending else keywords.c.text.asc()
    counted = select(keywords.c.id, keyword_pairs.c.pairs).select_from(
        keywords.join(keyword_pairs, keyword_pairs.c.keyword_id == keywords.c.id)
    )
    counted = counted.where(keywords.c.id != OVERALL_ID).order_by(order)
    # Each keyword has a pair at least: the page does not go on beyond so many.
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
