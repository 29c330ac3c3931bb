"""What is measured on a database of one size, in a process of its own that has done nothing else."""

from __future__ import annotations

import asyncio
import json
import mmap
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.learning.store import rollups

from .world import CANDIDATES, CHECKPOINTS, prompts, word

ASKED, JUDGED, LOOKED = 300, 200, 5


def measure(address: str, generations: int) -> dict[str, float]:
    """Milliseconds, bytes and MB by name; `address` is a file's path or a server's."""
    values = asyncio.run(_measured(address, generations))
    return values if "://" in address else values | _room(Path(address), generations)


async def _measured(address: str, generations: int) -> dict[str, float]:
    before_mb = memory_mb()
    opening = time.perf_counter()
    settings = LearningSettings()
    service = await PreferenceService.open(address, settings=lambda: settings)
    values = {"open": (time.perf_counter() - opening) * 1e3}
    for name, candidates in (("12", CANDIDATES), ("200", CHECKPOINTS)):
        texts = prompts(generations, ASKED, seed=1)
        times = [await _timed(lambda p=p, c=candidates: service.recommend(p, c)) for p in texts]
        values |= _spread(f"recommend {name}", times)
        for again, seed in (("again, same seed", 1), ("again, without a seed", None)):
            same = partial(service.recommend, texts[0], candidates, seed=seed)
            times = [await _timed(same) for _ in range(ASKED)]
            values[f"recommend {name} {again} p50"] = float(np.median([waited for waited, _ in times]))
    times = [await _judge(service, prompt) for prompt in prompts(generations, JUDGED, seed=2)]
    values |= _spread("verdict", times)
    if "://" not in address:
        settings = LearningSettings(backups_kept=7)  # the first is made at once, in the background
        times = [await _judge(service, prompt) for prompt in prompts(generations, JUDGED, seed=3)]
        values["verdict while a backup is made p50"] = float(np.median([waited for waited, _ in times]))
        settings = LearningSettings()
    await service._database.write(rollups.clear)
    began = time.perf_counter()
    overview = await service.overview()
    values["panel: overview, nothing counted yet"] = (time.perf_counter() - began) * 1e3
    while overview.counting is not None:
        await asyncio.sleep(0.05)
        overview = await service.overview()
    values["until all is counted, in the background"] = (time.perf_counter() - began) * 1e3
    for name, look in _looks(service).items():
        values[f"panel: {name}"] = float(np.median([(await _timed(look))[0] for _ in range(LOOKED)]))
    values["memory"] = memory_mb() - before_mb
    await service.close()
    return {name: float(value) for name, value in values.items()}


def _looks(service: PreferenceService) -> dict[str, Callable[[], Awaitable[Any]]]:
    rare = CHECKPOINTS[-1]
    return {
        "overview": service.overview,
        "progress": lambda: service.series(60),
        "checkpoints": service.checkpoints,
        "images of checkpoints": service.images_shown,
        "preferences, first page": lambda: service.pairs(limit=50),
        "preferences by rate": lambda: service.pairs(sort="rate", limit=50),
        "preferences by keyword": lambda: service.pairs(sort="keyword", descending=False, limit=50),
        "preferences of a keyword": lambda: service.pairs(word(3), limit=50),
        "preferences of a checkpoint": lambda: service.pairs(checkpoint=rare, limit=50),
        "preferences, search for a keyword": lambda: service.pairs(search="word12", limit=50),
        "preferences, search for checkpoints": lambda: service.pairs(search="checkpoint_01", limit=50),
        "history, first page": lambda: service.generations(limit=20),
        "history, not judged": lambda: service.generations(judged=False, limit=20),
        "history of a keyword": lambda: service.generations(keyword=word(3), judged=True, limit=8),
        "history of a checkpoint": lambda: service.generations(checkpoint=rare, limit=8),
    }


def _spread(name: str, times: list[tuple[float, float]]) -> dict[str, float]:
    waited, computed = zip(*times, strict=True)
    return {
        f"{name} p50": float(np.percentile(waited, 50)),
        f"{name} p99": float(np.percentile(waited, 99)),
        f"{name} p50, computing": float(np.percentile(computed, 50)),
    }


async def _judge(service: PreferenceService, prompt: str) -> tuple[float, float]:
    recommendation = await service.recommend(prompt, CANDIDATES)
    generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES[:3], 1))
    return await _timed(lambda: service.record_feedback(generation_id, selected_images=[0]))


async def _timed(action: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Milliseconds waited, and milliseconds of computing, which a busy machine blurs less."""
    began, computed = time.perf_counter(), time.process_time()
    await action()
    return (time.perf_counter() - began) * 1e3, (time.process_time() - computed) * 1e3


def memory_mb(process: int | str = "self") -> float:
    """What a process holds now. Not `ru_maxrss`, which a child inherits from its parent on Linux."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * mmap.PAGESIZE / 2**20


def _room(path: Path, generations: int) -> dict[str, float]:
    with closing(sqlite3.connect(path)) as database:
        values = {"`counts`, a query per pair, 12 p50": _naive(database, generations)}
        (pairs,) = database.execute("SELECT COUNT(*) FROM pair_statistics").fetchone()
        (size,) = database.execute(
            "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE 'pair\\_statistics%' ESCAPE '\\'"
        ).fetchone()
        (keywords,) = database.execute("SELECT COUNT(*) FROM keywords WHERE rounds > 0").fetchone()
    return values | {
        "preference records": float(pairs),
        "keywords": float(keywords),
        "bytes per preference record": size / pairs,
        "bytes per generation": path.stat().st_size / generations,
    }


def _naive(database: sqlite3.Connection, generations: int) -> float:
    """What the document describes: the statistics of each keyword and checkpoint by a query of their own."""
    took = []
    for prompt in prompts(generations, ASKED, seed=1):
        began = time.perf_counter()
        for checkpoint in CANDIDATES:
            scores = []
            for keyword in prompt.split(", "):
                row = database.execute(
                    "SELECT selected, total FROM preference_stats WHERE keyword = ? AND checkpoint = ?",
                    (keyword, checkpoint),
                ).fetchone()
                selected, total = row or (0.0, 0.0)
                weight = total / (total + 10)
                scores.append((1 - weight) * 0.5 + weight * (selected / total if total else 0.5))
            sum(scores) / len(scores)
        took.append((time.perf_counter() - began) * 1e3)
    return float(np.median(took))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
