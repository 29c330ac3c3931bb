"""How long a question about a setting takes, compared with a recommendation, after 1,000 judged generations."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe
from context_checkpoint.runtime.runtime import Runtime

from ..learning_core import CHECKPOINTS, GENERATIONS, prompts
from ..results import Result

TIMED = 100
_STEPS = (20, 30, 12)
_DEFAULTS = {"steps": 20, "cfg": 7.0, "sampler": "euler", "scheduler": "normal", "size": "512x512", "clip_skip": 1}


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Path(folder))
        try:
            recommended, other, after, again, six = runtime.run_blocking(_times)
        finally:
            runtime.close()
    how = f"median of {TIMED}, in turn, after {GENERATIONS:,} judged generations of three images with settings"
    return [
        Result("setting, another prompt / recommendation", other / recommended, "", 3, how),
        Result("setting, after a verdict / recommendation", after / recommended, "", None, "the same"),
        Result("six settings, another prompt / recommendation", six / recommended, "", 3, how),
        Result("setting, the same question / recommendation", again / recommended, "", 1, "the same"),
    ]


async def _times(service: PreferenceService) -> tuple[float, ...]:
    """Seconds of a recommendation, and of a question about steps: for another prompt, after a verdict, and again."""
    texts = [prompt for _, prompt in prompts(GENERATIONS + 2 * TIMED)]
    for number, prompt in enumerate(texts[:GENERATIONS]):
        await _judge(service, prompt, number)
    await service.recommend_parameter(texts[0], "steps", 20, CHECKPOINTS[0])
    rows = []
    for number, prompt in enumerate(texts[GENERATIONS:-TIMED]):

        async def recommend(prompt: str = prompt, seed: int = number) -> object:
            return await service.recommend(prompt, CHECKPOINTS, seed=seed)

        async def ask(prompt: str = prompt) -> object:
            return await service.recommend_parameter(prompt, "steps", 20, CHECKPOINTS[0])

        async def ask_other(prompt: str = texts[-1 - number]) -> object:
            return await service.recommend_parameter(prompt, "steps", 20, CHECKPOINTS[0])

        async def ask_six(prompt: str = texts[-1 - number]) -> object:
            return await service.recommend_parameters(prompt, _DEFAULTS, CHECKPOINTS[1])

        await _judge(service, prompt, number)
        after, again, other = await _timed(ask), await _timed(ask), await _timed(ask_other)
        rows.append((await _timed(recommend), other, after, again, await _timed(ask_six)))
    return tuple(map(statistics.median, zip(*rows, strict=True)))


async def _judge(service: PreferenceService, prompt: str, number: int) -> None:
    """Log three images of a checkpoint, every fourth time with other steps each, and keep the first."""
    name = CHECKPOINTS[number % 3]
    recommendation = await service.recommend(prompt, [name], seed=number)
    steps = _STEPS if number % 4 == 0 else _STEPS[:1] * 3
    recipes = [Recipe(steps=each, cfg=7.0, sampler="euler", width=832, height=1216) for each in steps]
    generation_id = await service.log_generation(recommendation, {name: 3}, recipes=recipes)
    await service.record_feedback(generation_id, selected_images=[0], rejected_images=[1, 2])


async def _timed(action: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await action()
    return time.perf_counter() - began
