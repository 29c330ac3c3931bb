"""What all advice for one new prompt takes: a checkpoint, its six settings, and two of five hundred LoRAs.

Separate from `measures`, whose history knows no settings: here the newest images are of somebody who changes them, and
who compares LoRAs.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.loras import LoraCandidate
from context_checkpoint.recipes import Recipe

from .world import CANDIDATES, keyword_count, prompts, word

IMAGES, COMPARED, LORAS, TAGS, ASKED = 4_500, 300, 500, 50, 100
DEFAULTS = {"steps": 20, "cfg": 7.0, "sampler": "euler", "scheduler": "normal", "size": "512x512", "clip_skip": 1}
_BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
_STEPS, _CFG, _SAMPLERS, _SIZES = (20, 28, 35), (5.0, 6.5, 7.0), ("euler", "dpmpp_2m"), ((832, 1216), (1024, 1024))

Times = tuple[float, float]
"""Milliseconds waited, and milliseconds of computing."""

PARTS = ("a checkpoint", "its six settings", "two of 500 LoRAs")


def measure(address: str, generations: int) -> dict[str, float]:
    """Milliseconds by name, waited and computed; `address` is a file's path or a server's."""
    return asyncio.run(_measured(address, generations))


async def _measured(address: str, generations: int) -> dict[str, float]:
    rng = random.Random(1)  # noqa: S311 - no secret
    service = await PreferenceService.open(address)
    files = [_file(number, keyword_count(generations), rng) for number in range(LORAS)]
    texts = prompts(generations, IMAGES + COMPARED + 2 * ASKED + 1, seed=4)
    await service.import_recipes(
        [(_recipe(text, number, files, rng), None) for number, text in enumerate(texts[:IMAGES])], batch="before"
    )
    for text in texts[IMAGES : IMAGES + COMPARED]:
        await _judge(service, text, files, rng)
    rest = iter(texts[IMAGES + COMPARED :])
    await _advice(service, next(rest), files)
    new: list[list[Times]] = []
    after: list[list[Times]] = []
    verdicts: list[list[Times]] = []
    for _ in range(ASKED):
        new.append(await _advice(service, next(rest), files))
        text = next(rest)
        verdicts.append([await _judge(service, text, files, rng)])
        after.append(await _advice(service, text, files))
    await service.close()
    values = _medians("all advice", new)
    for place, part in enumerate(PARTS):
        values |= _medians(f"of it, {part}", [times[place : place + 1] for times in new])
    return values | _medians("all advice after a verdict", after) | _medians("verdict on LoRAs and steps", verdicts)


async def _advice(service: PreferenceService, text: str, files: list[LoraCandidate]) -> list[Times]:
    """Ask as the nodes do, one after the other."""
    checkpoint = CANDIDATES[0]
    return [
        await _timed(lambda: service.recommend(text, CANDIDATES)),
        await _timed(lambda: service.recommend_parameters(text, DEFAULTS, checkpoint)),
        await _timed(lambda: service.recommend_loras(text, checkpoint, files)),
    ]


async def _judge(service: PreferenceService, text: str, files: list[LoraCandidate], rng: random.Random) -> Times:
    """Three images, with a LoRA, without one and with other steps, of which one is kept."""
    checkpoint = rng.choice(CANDIDATES)
    recommendation = await service.recommend(text, [checkpoint])
    lora = ((rng.choice(files).name, 0.8, 0.8),)
    recipes = [
        Recipe(steps=steps, cfg=7.0, sampler="euler", scheduler="normal", loras=loras)
        for steps, loras in ((20, lora), (20, ()), (28, ()))
    ]
    generation = await service.log_generation(recommendation, {checkpoint: 3}, recipes=recipes)
    kept = rng.randrange(3)
    others = [place for place in range(3) if place != kept]
    return await _timed(lambda: service.record_feedback(generation, selected_images=[kept], rejected_images=others))


def _file(number: int, words: int, rng: random.Random) -> LoraCandidate:
    tags = {word(rng.randrange(words)): rng.random() for _ in range(TAGS)}
    return LoraCandidate(f"style{number}/Lora{number}Name.safetensors", (f"trig{number}",), tags)


def _recipe(text: str, number: int, files: list[LoraCandidate], rng: random.Random) -> Recipe:
    width, height = rng.choice(_SIZES)
    return Recipe(
        model=rng.choice(CANDIDATES),
        positive=text,
        steps=rng.choice(_STEPS),
        cfg=rng.choice(_CFG),
        sampler=rng.choice(_SAMPLERS),
        scheduler="karras",
        width=width,
        height=height,
        loras=tuple((file.name, 0.8, 0.8) for file in rng.sample(files, rng.choice([0, 1, 1, 2]))),
        made_at=_BEGIN + timedelta(minutes=10 * number),
    )


async def _timed(action: Callable[[], Awaitable[Any]]) -> Times:
    began, computed = time.perf_counter(), time.process_time()
    await action()
    return (time.perf_counter() - began) * 1e3, (time.process_time() - computed) * 1e3


def _medians(name: str, rows: list[list[Times]]) -> dict[str, float]:
    sums = np.array(rows).sum(axis=1)
    return {
        f"{name} p50": float(np.median(sums[:, 0])),
        f"{name} p50, computing": float(np.median(sums[:, 1])),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
