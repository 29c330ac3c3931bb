"""A drawn history written into a database's tables at once: into a SQLite file or a PostgreSQL database.

Separate from `world` because that one knows no tables. Indexes are dropped meanwhile and created again, for ten
million entries in random order would take far longer one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.schema import LOG_LIKELIHOOD_COLUMNS, metadata
from context_checkpoint.learning.model.pair_table import FIELDS
from context_checkpoint.learning.store.statistics import UNITS

from .world import CHECKPOINTS, UTILITY, Generated, Sums, basis, history, keyword_count, word

_KEYWORDS_AT_ONCE = 2_000
_SERIALS = (("keywords", "id"), ("checkpoints", "id"), ("generation_logs", "number"), ("verdicts", "number"))
_OVERALL = (
    f"UPDATE keywords SET rounds = {{}}, {', '.join(f'{name} = {{}}' for name in LOG_LIKELIHOOD_COLUMNS)} WHERE id = 0"  # noqa: S608
)

Rows: TypeAlias = Iterable[tuple[Any, ...]]
Part: TypeAlias = tuple[str, tuple[str, ...], Rows]
"""Some rows of a table: its name, the columns, the rows."""


async def fill_file(path: Path, generations: int, seed: int = 0) -> None:
    """Make the database file."""
    await (await PreferenceService.open(path)).close()
    sums = _summed(generations, seed)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA cache_size=-400000")
        indexes = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql <> ''")
        made_by = dict(indexes.fetchall())
        for name in made_by:
            database.execute(f"DROP INDEX {name}")
        for table, columns, rows in _parts(generations, seed, sums):
            places = ", ".join("?" * len(columns))
            database.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",  # noqa: S608
                (tuple(_plain(value) for value in row) for row in rows),
            )
        database.execute(_OVERALL.format(*"?????"), (sums.rounds[0], *sums.log_likelihoods.tolist()))
        for sql in made_by.values():
            database.execute(sql)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def fill_server(address: str, generations: int, seed: int = 0) -> None:
    """Fill an empty PostgreSQL database at an address that the service opens."""
    import asyncpg  # late: only this needs it

    await (await PreferenceService.open(address)).close()
    sums = _summed(generations, seed)
    connection = await asyncpg.connect(address.replace("postgresql+asyncpg", "postgresql"))
    try:
        ours = [table.name for table in metadata.sorted_tables]
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY($1) "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            ours,
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for table, columns, rows in _parts(generations, seed, sums):
            await connection.copy_records_to_table(table, records=rows, columns=columns)
        overall = _OVERALL.format("$1", "$2", "$3", "$4", "$5")
        await connection.execute(overall, float(sums.rounds[0]), *sums.log_likelihoods.tolist())
        for index in indexes:
            await connection.execute(index["indexdef"])
        for table, column in _SERIALS:
            newest = f"(SELECT MAX({column}) FROM {table})"  # noqa: S608
            await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {newest})")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _summed(generations: int, seed: int) -> Sums:
    sums = Sums.of(keyword_count(generations))
    for chunk in history(generations, seed):
        sums.add(chunk)
    return sums


def _plain(value: object) -> object:
    """As the service's own driver stores a moment in SQLite, which has no type for it."""
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _parts(generations: int, seed: int, sums: Sums) -> Iterator[Part]:
    """All rows, those that others point at first."""
    rounds = sums.rounds.tolist()
    yield (
        "keywords",
        ("id", "text", "rounds"),
        ((number + 1, word(number), rounds[number + 1]) for number in range(len(rounds) - 1)),
    )
    yield "checkpoints", ("id", "name"), ((number + 1, name) for number, name in enumerate(CHECKPOINTS))
    verdict_count = 0
    for chunk in history(generations, seed):
        yield from _logged(chunk)
        judged = [generation for generation in chunk if generation.kept is not None]
        yield (
            "verdicts",
            ("number", "generation_number", "marks", "created_at"),
            (
                (verdict_count + place, generation.number, generation.marks, generation.moment)
                for place, generation in enumerate(judged, 1)
            ),
        )
        verdict_count += len(judged)
    for start in range(0, len(sums.pairs), _KEYWORDS_AT_ONCE):
        yield "pair_statistics", ("keyword_id", "checkpoint_id", *FIELDS), _pairs(sums, start)


def _logged(chunk: list[Generated]) -> Iterator[Part]:
    columns = (
        "number id session_id prompt_id prompt stage policy strategy confidence evidence clarity family seed "
        "fallback created_at judged_at basis"
    )
    yield "generation_logs", tuple(columns.split()), (_log_row(generation) for generation in chunk)
    yield (
        "generation_keywords",
        ("generation_number", "position", "keyword_id", "weight"),
        (
            (generation.number, place, number + 1, 1.0)
            for generation in chunk
            for place, number in enumerate(generation.words)
        ),
    )
    columns = "generation_number position checkpoint_id filename subfolder type"
    yield (
        "generation_images",
        tuple(columns.split()),
        (
            (generation.number, place, number + 1, f"ComfyUI_{generation.number:08}_.png", "ComfyUI", "output")
            for generation in chunk
            for place, number in enumerate(generation.shown)
        ),
    )
    yield (
        "generation_utilities",
        ("generation_number", "checkpoint_id", "utility"),
        ((generation.number, number + 1, UTILITY) for generation in chunk for number in sorted(generation.shown)),
    )


def _log_row(generation: Generated) -> tuple[Any, ...]:
    judged = generation.kept is not None
    strategy = ("exploit", "exploit_explore", "explore")[len(generation.shown) - 1]
    texts = (
        f"{generation.number:032x}",
        f"session {generation.number // 40}",
        f"run {generation.number}",
        generation.prompt,
    )
    decision = (
        "final",
        "bayesian",
        strategy,
        generation.number % 100 / 100,
        0.5,
        0.5,
        "sdxl",
        str(generation.number),
        False,
    )
    known = basis(len(generation.words), len(generation.shown)).packed() if judged else None
    return (generation.number, *texts, *decision, generation.moment, generation.moment if judged else None, known)


def _pairs(sums: Sums, start: int) -> Rows:
    block = sums.pairs[start : start + _KEYWORDS_AT_ONCE]
    for keyword, checkpoint in np.argwhere(block.any(axis=2)).tolist():
        yield (start + keyword, checkpoint + 1, *(block[keyword, checkpoint] / UNITS).tolist())
