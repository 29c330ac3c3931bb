"""A database as years of use would leave it, made by a seeded generator.

The log is written into the tables at once, for living through it would take days; the statistics are those
that `learning.statistics` makes of it, so that their number, and how unevenly words are spread, are real.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.pair_table import FIELDS
from context_checkpoint.learning.statistics_store import Change
from context_checkpoint.learning.values import Keyword, Round, Shown

CHECKPOINTS = [f"style/checkpoint_{number:03}.safetensors" for number in range(200)]
CANDIDATES = CHECKPOINTS[:12]
WORDS_PER_PROMPT = 10
_CHUNK = 5_000
_BEGIN = datetime(2024, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Made:
    """One generation before it is stored: words and checkpoints by number, the one kept (None: unjudged)."""

    number: int
    words: list[int]
    shown: list[int]
    kept: int | None


def keyword_count(generations: int) -> int:
    """As many words as people come up with: a tenth of their prompts, 1,000 at least."""
    return max(1_000, generations // 10)


def word(number: int) -> str:
    return f"word{number}"


def prompts(generations: int, count: int, seed: int) -> list[str]:
    """New prompts out of the same words, common ones more often."""
    generator = np.random.default_rng(seed)
    spread = _spread(generations)
    drawn = generator.choice(len(spread), (count, WORDS_PER_PROMPT), p=spread)
    return [", ".join(word(number) for number in dict.fromkeys(row.tolist())) for row in drawn]


def fill(path: Path, generations: int, seed: int = 0) -> None:
    """Make the database file."""
    template = asyncio.run(_begun(path))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.executemany(
            "INSERT INTO keywords (id, text) VALUES (?, ?)",
            ((number + 1, word(number)) for number in range(keyword_count(generations))),
        )
        database.executemany(
            "INSERT INTO checkpoints (id, name) VALUES (?, ?)",
            ((number + 1, name) for number, name in enumerate(CHECKPOINTS)),
        )
        chunk: list[Made] = []
        for made in _made(generations, seed):
            chunk.append(made)
            if len(chunk) == _CHUNK:
                _store(database, chunk, template)
                chunk = []
        _store(database, chunk, template)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("ANALYZE")
        database.commit()


async def _begun(path: Path) -> dict[str, object]:
    """An empty database, and a row of its log as the service writes it."""
    service = await PreferenceService.open(path)
    made = await service.recommend("begin", CANDIDATES, seed=0)
    generation_id = await service.log_generation(made, {CANDIDATES[0]: 1})
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        template = dict(database.execute("SELECT * FROM generation_logs").fetchone())
    await service.forget_generation(generation_id)
    await service.close()
    return template


def _spread(generations: int) -> np.ndarray:
    weights = 1.0 / (np.arange(keyword_count(generations)) + 5.0)
    return weights / weights.sum()


def _made(generations: int, seed: int) -> Iterator[Made]:
    generator = np.random.default_rng(seed)
    spread = _spread(generations)
    for start in range(0, generations, _CHUNK):
        size = min(_CHUNK, generations - start)
        words = generator.choice(len(spread), (size, WORDS_PER_PROMPT), p=spread)
        kept = generator.integers(0, 4, size)  # three of four are judged
        others = generator.integers(0, len(CHECKPOINTS), (size, 2))
        for place in range(size):
            mine = dict.fromkeys(words[place].tolist())
            favourite = (min(mine) * 7) % len(
                CHECKPOINTS
            )  # a common word's checkpoint is shown again and again
            shown = list(dict.fromkeys([favourite, *others[place].tolist()]))
            winner = int(kept[place])
            yield Made(start + place + 1, list(mine), shown, winner % len(shown) if winner < 3 else None)


def _store(database: sqlite3.Connection, chunk: list[Made], template: dict[str, object]) -> None:
    change = Change()
    for made in chunk:
        if made.kept is not None:
            change.add(
                Round(
                    tuple(Keyword(word(number), 1.0) for number in made.words),
                    tuple(
                        Shown(CHECKPOINTS[number], 1, int(place == made.kept), int(place != made.kept), 0.0)
                        for place, number in enumerate(made.shown)
                    ),
                )
            )
    columns = list(template)
    database.executemany(
        f"INSERT INTO generation_logs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608
        ([(template | _row(made))[name] for name in columns] for made in chunk),
    )
    database.executemany(
        "INSERT INTO generation_keywords VALUES (?, ?, ?, 1.0)",
        ((made.number, place, number + 1) for made in chunk for place, number in enumerate(made.words)),
    )
    database.executemany(
        "INSERT INTO generation_images "
        "(generation_number, position, checkpoint_id, filename, subfolder, type) "
        "VALUES (?, ?, ?, ?, 'ComfyUI', 'output')",
        (
            (made.number, place, number + 1, f"ComfyUI_{made.number:08}_.png")
            for made in chunk
            for place, number in enumerate(made.shown)
        ),
    )
    database.executemany(
        "INSERT INTO verdicts (generation_number, marks, created_at) VALUES (?, ?, ?)",
        (
            (
                made.number,
                "".join("+-"[place != made.kept] for place in range(len(made.shown))),
                _moment(made),
            )
            for made in chunk
            if made.kept is not None
        ),
    )
    _add(database, change)


def _row(made: Made) -> dict[str, object]:
    return {
        "number": made.number,
        "id": f"{made.number:032x}",
        "session_id": f"session {made.number // 40}",
        "prompt": ", ".join(word(number) for number in made.words),
        "created_at": _moment(made),
        "judged_at": None if made.kept is None else _moment(made),
    }


def _moment(made: Made) -> str:
    return f"{_BEGIN + timedelta(minutes=made.number):%Y-%m-%d %H:%M:%S.000000}"


def _add(database: sqlite3.Connection, change: Change) -> None:
    ids = {"": 0} | {text: int(text.removeprefix("word")) + 1 for text in change.rounds if text}
    names = {name: number + 1 for number, name in enumerate(CHECKPOINTS)}
    numbers = FIELDS
    places = ", ".join("?" * (len(numbers) + 2))
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in numbers)
    database.executemany(
        f"INSERT INTO pair_statistics (keyword_id, checkpoint_id, {', '.join(numbers)}) VALUES ({places}) "  # noqa: S608
        f"ON CONFLICT DO UPDATE SET {sums}",
        ((ids[text], names[name], *held) for (text, name), held in sorted(change.pairs.items())),
    )
    database.executemany(
        "UPDATE keywords SET rounds = rounds + ? WHERE id = ?",
        ((share, ids[text]) for text, share in change.rounds.items()),
    )
