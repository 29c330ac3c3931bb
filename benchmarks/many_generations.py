"""How quickly the panel's pages are read once 100,000 generations are logged.

Separate from `learning_core`, because recommending and judging so often would take a quarter of an hour: here
the log is written into the tables at once, by a seeded generator. Its numbers mean nothing; how many there are,
and how unevenly words are spread, is as in real use.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.api.standalone import build_app
from context_checkpoint.learning import PreferenceService
from context_checkpoint.runtime.runtime import Runtime

from .results import Result

GENERATIONS = 100_000
WORDS = 20_000
CHECKPOINTS = 30
PAIRS_PER_WORD = 10
TIMED = 5
MOST_MS = 1_000.0
PROMPT = "portrait of a sailor, masterpiece, best quality, volumetric light, film grain, " * 5
MOMENT = "2026-01-31 12:00:00.000000"

PAGES = {
    "panel, overview": "/statistics?parts=overview&parts=series",
    "panel, first page of preferences": "/statistics?parts=pairs&limit=50",
    "panel, search in preferences": "/statistics?parts=pairs&limit=50&search=word12",
    "panel, first page of history": "/generations?limit=20",
    "panel, evidence of a rare word": f"/generations?keyword=word{WORDS}&judged=true&limit=8",
    "panel, checkpoints": "/checkpoints",
}


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(filled(Path(folder) / "preferences.db"))
        runtime = Runtime(Path(folder))
        try:
            times = asyncio.run(_timed(runtime))
        finally:
            runtime.close()
    how = f"{TIMED} times after {GENERATIONS:,} generations, over HTTP on this machine"
    return [Result(name, statistics.median(took), " ms", MOST_MS, how) for name, took in times.items()]


async def _timed(runtime: Runtime) -> dict[str, list[float]]:
    """Milliseconds until each response is read; the first ones, which open the database, are not counted."""
    times: dict[str, list[float]] = {name: [] for name in PAGES}
    async with TestClient(TestServer(build_app(runtime))) as http:
        for timed in (False, *[True] * TIMED):
            for name, path in PAGES.items():
                began = time.perf_counter()
                async with http.get(PREFIX + path) as response:
                    await response.read()
                    response.raise_for_status()
                if timed:
                    times[name].append((time.perf_counter() - began) * 1e3)
    return times


async def filled(file: Path) -> None:
    """Make a database and write the log into it."""
    await (await PreferenceService.open(file)).close()
    chance = random.Random(1)  # noqa: S311 - no secret
    with closing(sqlite3.connect(file)) as database, database:
        for table, rows in {
            "keywords(id, text, rounds)": ((word, f"word{word}", 1.0) for word in range(1, WORDS + 1)),
            "checkpoints(id, name)": (
                (number, f"style/checkpoint_{number:02}.safetensors") for number in range(1, CHECKPOINTS + 1)
            ),
            "generation_logs(number, id, session_id, prompt_id, prompt, stage, policy, strategy, confidence, "
            "evidence, clarity, family, fallback, created_at, judged_at)": _generations(chance),
            "generation_keywords(generation_number, position, keyword_id, weight)": _words(chance),
            "generation_images(generation_number, position, checkpoint_id, filename, subfolder, type)": (
                (number, position, 1 + (number * 7 + position) % CHECKPOINTS, f"{number}.png", "", "output")
                for number in range(1, GENERATIONS + 1)
                for position in range(_images(number))
            ),
            "verdicts(generation_number, marks, created_at)": (
                (number, "".join(chance.choices("+-", k=_images(number))), MOMENT)
                for number in range(1, GENERATIONS + 1)
                if _judged(number)
            ),
            "pair_statistics(keyword_id, checkpoint_id, selected, total, rounds, score, information, "
            "narrow, middle, wide, precision)": (
                (word, 1 + (word * 13 + other) % CHECKPOINTS, 1.0, 2.0 + 500 // (word + 1), 2.0, *[0.5] * 6)
                for word in range(WORDS + 1)
                for other in range(PAIRS_PER_WORD)
            ),
        }.items():
            fields = table.count(",") + 1
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * fields)})", rows)  # noqa: S608


def _generations(chance: random.Random) -> Iterator[tuple[object, ...]]:
    strategies = ("exploit", "exploit_explore", "explore")
    for number in range(1, GENERATIONS + 1):
        judged_at = MOMENT if _judged(number) else None
        texts = ("session", "prompt", PROMPT, "final", "bayesian", strategies[_images(number) - 1])
        numbers = (chance.random(), 0.5, 0.5, "sdxl", False, MOMENT, judged_at)
        yield (number, f"{number:032x}", *texts, *numbers)


def _words(chance: random.Random) -> Iterator[tuple[int, int, int, float]]:
    """About ten words a prompt: few are in most, most are in few."""
    for number in range(1, GENERATIONS + 1):
        words = {min(WORDS, int(chance.paretovariate(0.6))) for _ in range(14)}
        for position, word in enumerate(sorted(words)):
            yield number, position, word, 1.0


def _images(number: int) -> int:
    return 1 + number % 3


def _judged(number: int) -> bool:
    return number % 10 >= 3
