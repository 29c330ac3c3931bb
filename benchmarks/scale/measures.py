"""What is measured on a database of one size, in a process of its own that has done nothing else."""

from __future__ import annotations

import asyncio
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from context_checkpoint.learning import PreferenceService

from .world import CANDIDATES, CHECKPOINTS, prompts, word

ASKED, JUDGED, LOOKED = 300, 200, 5


def measure(path: Path, generations: int) -> dict[str, float]:
    """Milliseconds, bytes and MB by name."""
    return asyncio.run(_measured(path, generations)) | _room(path, generations)


async def _measured(path: Path, generations: int) -> dict[str, float]:
    before_mb = _memory_mb()
    opening = time.perf_counter()
    service = await PreferenceService.open(path, backups_kept=7)
    found = {"open": (time.perf_counter() - opening) * 1e3}
    for name, candidates in (("12", CANDIDATES), ("200", CHECKPOINTS)):
        asked = prompts(generations, ASKED, seed=1)
        times = [await _timed(lambda p=p, c=candidates: service.recommend(p, c)) for p in asked]
        found |= _spread(f"recommend {name}", times)
    times = [await _judge(service, prompt) for prompt in prompts(generations, JUDGED, seed=2)]
    found |= _spread("verdict", times)
    looks: dict[str, Callable[[], Awaitable[Any]]] = {
        "overview": service.overview,
        "checkpoints": service.checkpoints,
        "preferences, first page": lambda: service.pairs(limit=50),
        "preferences of a keyword": lambda: service.pairs(word(3), limit=50),
        "preferences, search": lambda: service.pairs(search="word12", limit=50),
        "history, first page": lambda: service.generations(limit=20),
        "progress": lambda: service.series(60),
    }
    for name, look in looks.items():
        found[f"panel: {name}"] = float(np.median([(await _timed(look))[0] for _ in range(LOOKED)]))
    found["memory"] = _memory_mb() - before_mb
    await service.close()
    return {name: float(value) for name, value in found.items()}


def _spread(name: str, times: list[tuple[float, float]]) -> dict[str, float]:
    waited, computed = zip(*times, strict=True)
    return {
        f"{name} p50": float(np.percentile(waited, 50)),
        f"{name} p99": float(np.percentile(waited, 99)),
        f"{name} p50, computing": float(np.percentile(computed, 50)),
    }


async def _judge(service: PreferenceService, prompt: str) -> tuple[float, float]:
    made = await service.recommend(prompt, CANDIDATES)
    generation_id = await service.log_generation(made, dict.fromkeys(CANDIDATES[:3], 1))
    return await _timed(lambda: service.record_feedback(generation_id, selected_images=[0]))


async def _timed(action: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Milliseconds waited, and milliseconds of computing, which a busy machine blurs less."""
    began, computed = time.perf_counter(), time.process_time()
    await action()
    return (time.perf_counter() - began) * 1e3, (time.process_time() - computed) * 1e3


def _memory_mb() -> float:
    """What this process holds now. Not `ru_maxrss`, which a child inherits from its parent on Linux."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _room(path: Path, generations: int) -> dict[str, float]:
    with closing(sqlite3.connect(path)) as database:
        (pairs,) = database.execute("SELECT COUNT(*) FROM pair_statistics").fetchone()
        (size,) = database.execute("SELECT SUM(pgsize) FROM dbstat WHERE name = 'pair_statistics'").fetchone()
        (keywords,) = database.execute("SELECT COUNT(*) FROM keywords WHERE rounds > 0").fetchone()
    return {
        "preference records": float(pairs),
        "keywords": float(keywords),
        "bytes per preference record": size / pairs,
        "bytes per generation": path.stat().st_size / generations,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
