"""What a caller waits for, measured in a process of its own that imports one version of the pack.

Separate from `compare`, which starts it with that version on the path: nothing else of this folder may be
imported here, because it would be of another version.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

TIMED, WARM_UP = 200, 40
CANDIDATES = [f"style/checkpoint_{number:03}.safetensors" for number in range(12)]
"""The first of `scale.world`."""


async def measure(address: str, prompts: list[str]) -> dict[str, float]:
    """Milliseconds of each action: the median of what is waited for, and the mean of what is computed."""
    began = time.perf_counter()
    from context_checkpoint.learning import PreferenceService

    medians = {"import of learning": (time.perf_counter() - began) * 1e3}
    times: dict[str, list[tuple[float, float]]] = {"recommendation": [], "generation logged": [], "verdict": []}
    service = await PreferenceService.open(address)
    for place, prompt in enumerate(prompts):
        recommendation, recommending = await _timed(lambda p=prompt: service.recommend(p, CANDIDATES))
        images = dict.fromkeys(recommendation.checkpoints, 1)
        generation_id, logging = await _timed(lambda r=recommendation, i=images: service.log_generation(r, i))
        _, judging = await _timed(lambda g=generation_id: service.record_feedback(g, selected_images=[0]))
        if place >= WARM_UP:
            for name, took in zip(times, (recommending, logging, judging), strict=True):
                times[name].append(took)
    await service.close()
    for name, rows in times.items():
        waited, computed = zip(*rows, strict=True)
        medians |= {name: statistics.median(waited), f"{name}, computing": statistics.mean(computed)}
    return medians


async def _timed(action: Callable[[], Awaitable[Any]]) -> tuple[Any, tuple[float, float]]:
    began, computed = time.perf_counter(), time.process_time()
    outcome = await action()
    return outcome, ((time.perf_counter() - began) * 1e3, (time.process_time() - computed) * 1e3)


if __name__ == "__main__":
    task = json.load(sys.stdin)
    sys.stdout.write(json.dumps(asyncio.run(measure(task["address"], task["prompts"]))))
