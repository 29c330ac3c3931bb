"""Rows are read from the pages of a SQLite file as SQLite itself reads them, and rubbish is no error."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_checkpoint.learning.maintenance.sqlite_pages import Row, rows

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=3000),
    st.binary(max_size=3000),
)


@pytest.mark.parametrize("page_size", [512, 4096, 65536])
@settings(max_examples=30)
@given(kept=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=40), reserved=st.booleans())
def test_every_row_is_found_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, page_size: int, kept: list[tuple[object, ...]], reserved: bool
) -> None:
    """Short ones, and those that go on over many pages, with row ids and without."""
    file = tmp_path_factory.mktemp("loose") / "file.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(f"PRAGMA page_size={page_size}")
        database.execute("CREATE TABLE numbered (a, b, c)")
        database.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY, a, b, c) WITHOUT ROWID")
        if reserved:
            database.execute("CREATE INDEX more ON numbered (a)")
        database.executemany("INSERT INTO numbered VALUES (?, ?, ?)", kept)
        database.executemany("INSERT INTO keyed VALUES (?, ?, ?, ?)", [(n, *row) for n, row in enumerate(kept)])

    found = [*rows(file)]

    numbered = {row.rowid: row.values for row in found if row.rowid and len(row.values) == 3}
    keyed = {row.values[0]: row.values[1:] for row in found if row.rowid is None and len(row.values) == 4}
    assert numbered == dict(enumerate(kept, 1))
    assert keyed == dict(enumerate(kept))


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([0, 1, 99, 512, 4096, 20_000]), head=st.booleans())
def test_rubbish_is_no_error(tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, head: bool) -> None:
    """Whatever a page claims of lengths and places."""
    content = bytearray(random.Random(seed).randbytes(size))  # noqa: S311 - not for secrets
    if head and size >= 512:
        content[16:18] = (512).to_bytes(2, "big")
        for start in range(0, size - 8, 512):
            content[start + (100 if start == 0 else 0)] = (13, 10, 2)[start // 512 % 3]
    file = tmp_path_factory.mktemp("rubbish") / "file.db"
    file.write_bytes(content)

    assert all(isinstance(row, Row) for row in rows(file))
