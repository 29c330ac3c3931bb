"""How long a question about five hundred LoRAs takes, compared with a recommendation, after five thousand images."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.loras import LoraCandidate
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

IMAGES, COMPARISONS, LORAS, TIMED = 5_000, 300, 500, 60
_WORDS, _OF_A_PROMPT, _TAGS = 2_000, 30, 50
BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def table() -> str:
    """One line per question, in milliseconds and in recommendations."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Path(folder))
        try:
            times = runtime.run_blocking(_times)
        finally:
            runtime.close()
    one = times["a recommendation of one of three checkpoints"]
    rows = [f"| {name} | {1000 * seconds:.1f} | {seconds / one:.2f} |" for name, seconds in times.items()]
    return "\n".join(["| median of sixty | ms | recommendations |", "|---|---|---|", *rows])


async def _times(service: PreferenceService) -> dict[str, float]:
    rng = random.Random(1)  # noqa: S311 - no secret
    names = [f"style{number}/Lora{number}Name.safetensors" for number in range(LORAS)]
    files = [
        LoraCandidate(name, (f"trig{number}",), {f"w{rng.randrange(_WORDS)}": rng.random() for _ in range(_TAGS)})
        for number, name in enumerate(names)
    ]
    recipes = [
        Recipe(
            model="a",
            positive=_prompt(rng),
            steps=20,
            loras=tuple((name, 0.8, 0.8) for name in rng.sample(names, rng.choice([0, 1, 1, 2]))),
            made_at=BORN + timedelta(minutes=10 * number),
        )
        for number in range(IMAGES)
    ]
    await service.import_recipes([(recipe, None) for recipe in recipes], batch="before")
    for _ in range(COMPARISONS):
        await _judge(service, rng, names)
    await service.recommend_loras(_prompt(rng), "a", files)
    rows = []
    for _ in range(TIMED):
        checkpoints = await _timed(lambda: service.recommend(_prompt(rng), ["a", "b", "c"]))
        other = await _timed(lambda: service.recommend_loras(_prompt(rng), "a", files))
        await _judge(service, rng, names)
        after = await _timed(lambda: service.recommend_loras(_prompt(rng), "a", files))
        rows.append((checkpoints, other, after))
    medians = map(statistics.median, zip(*rows, strict=True))
    return dict(
        zip(
            (
                "a recommendation of one of three checkpoints",
                "two of 500 LoRAs, for another prompt",
                "the same after a verdict",
            ),
            medians,
            strict=True,
        )
    )


async def _judge(service: PreferenceService, rng: random.Random, names: list[str]) -> None:
    """Two images, one with a LoRA, of which one is kept."""
    recommendation = await service.recommend(_prompt(rng), ["a"])
    recipes = [Recipe(steps=20, loras=((rng.choice(names), 0.8, 0.8),)), Recipe(steps=20, loras=())]
    generation = await service.log_generation(recommendation, {"a": 2}, recipes=recipes)
    kept = rng.randrange(2)
    await service.record_feedback(generation, selected_images=[kept], rejected_images=[1 - kept])


def _prompt(rng: random.Random) -> str:
    """Words that are the rarer the higher their number."""
    return ", ".join(f"w{int(_WORDS ** rng.random()) - 1}" for _ in range(_OF_A_PROMPT))


async def _timed(action: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await action()
    return time.perf_counter() - began
