"""How long a person waits while all statistics are recomputed, and what the pack adds to a ComfyUI's memory.

Separate from `measures`, which asks when nothing else goes on.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from context_checkpoint.demo.comfyui.installation import NoComfyUI
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.learning import PreferenceService

from .measures import memory_mb
from .tables import fill_file
from .world import CANDIDATES, CHECKPOINTS, prompts

_PREFIX = "/context_checkpoint/"
EVERY_S = 1 / 15
JUDGED_EVERY = 5
ASKED = 300
PAGES = (
    "statistics?parts=overview&parts=series",
    "statistics?parts=pairs&limit=50",
    "generations?limit=20",
    "checkpoints",
    "settings",
    "health",
)


async def recomputed(generations: int) -> dict[str, float]:
    """An older version's database is opened, and two of its checkpoints are joined; while the statistics are
    recomputed somebody asks 15 times a second, and logs and judges a generation every third of a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preferences.db"
        await fill_file(path, generations)
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("UPDATE learned_state SET formula = formula - 1")
        service, opening = await _timed(lambda: PreferenceService.open(path))
        values = {"open, an older formula": opening} | await _meanwhile(service, generations, "recomputed")
        _, joining = await _timed(lambda: service.join_checkpoints(CHECKPOINTS[1], CHECKPOINTS[0]))
        values |= {"join": joining} | await _meanwhile(service, generations, "joined")
        assert (await service.rebuild()).corrected == 0
        await service.close()
    return values


async def _meanwhile(service: PreferenceService, generations: int, what: str) -> dict[str, float]:
    recommending: list[float] = []
    judging: list[float] = []
    began = time.perf_counter()
    words = prompts(generations, ASKED, seed=4)
    while await service.is_recomputing():
        prompt = words[len(recommending) % ASKED]
        recommendation, took = await _timed(lambda p=prompt: service.recommend(p, CANDIDATES))  # type: ignore[misc]
        recommending.append(took)
        if len(recommending) % JUDGED_EVERY == 0:

            async def judge(recommendation: Any = recommendation) -> None:
                generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES[:3], 1))
                await service.record_feedback(generation_id, selected_images=[0])

            judging.append((await _timed(judge))[1])
        await asyncio.sleep(EVERY_S)
    times = {"recommend": recommending, "a generation logged and judged": judging}
    return {f"until all is {what}": (time.perf_counter() - began) * 1e3} | {
        f"{name}, until all is {what}, p{share}": float(np.percentile(took, share))
        for name, took in times.items()
        for share in (50, 99)
        if took
    }


async def _timed(action: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    began = time.perf_counter()
    outcome = await action()
    return outcome, (time.perf_counter() - began) * 1e3


def memory_in_comfyui(generations: int) -> dict[str, float]:
    """What a ComfyUI needs without custom nodes, and what the pack adds once all of it was used; nothing
    where there is no ComfyUI."""
    memory: dict[str, float] = {}
    for name, flags in (("without custom nodes", ["--disable-all-custom-nodes"]), ("with the pack", [])):
        with tempfile.TemporaryDirectory() as folder:
            try:
                server = ComfyServer(Path(folder), ["--disable-api-nodes", *flags])
            except NoComfyUI:
                return {}
            if not flags:
                data = Path(folder) / "user" / "__context_checkpoint"
                data.mkdir(parents=True)
                asyncio.run(fill_file(data / "preferences.db", generations))
            with server:
                if not flags:
                    for prompt in prompts(generations, ASKED, seed=5):
                        server.post(f"{_PREFIX}recommend", {"prompt": prompt, "candidates": list(CHECKPOINTS)})
                    for page in PAGES:
                        server.get(_PREFIX + page)
                memory[f"memory of ComfyUI {server.installation.version} {name}"] = memory_mb(server.pid)
    without, with_it = memory.values()
    return memory | {"memory that the pack adds": with_it - without}


if __name__ == "__main__":
    kind, size = sys.argv[1], int(sys.argv[2])
    print(json.dumps(asyncio.run(recomputed(size)) if kind == "file" else memory_in_comfyui(size)))
