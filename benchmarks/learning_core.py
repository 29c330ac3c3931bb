"""How long a prompt's keywords take, a recommendation and a verdict after 1,000 judged generations, and their
room on disk."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from context_checkpoint.demo.person import SUBJECTS, Person
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.values import Recommendation
from context_checkpoint.runtime.runtime import Runtime

from .results import Result

GENERATIONS = 1_000
CHECKPOINTS = [f"style/checkpoint_{number:02}.safetensors" for number in range(12)]
TIMED = 200

DETAILS = (
    "masterpiece",
    "best quality",
    "highly detailed",
    "golden hour",
    "rim light",
    "bokeh",
    "film grain",
    "low angle",
    "symmetrical",
    "vivid colours",
    "muted palette",
    "volumetric light",
    "rain",
    "snow",
    "fog",
    "neon signs",
    "brick wall",
    "red scarf",
    "blue eyes",
    "long hair",
    "freckles",
    "leather jacket",
    "tattoo",
    "wide brim hat",
    "glass dome",
    "paper lanterns",
    "stone bridge",
    "cherry blossoms",
    "old tram",
    "rusty ship",
)  # fmt: skip - words, not a list to edit

LONG_PROMPT = """(masterpiece:1.2), cinematic oil painting of a red-haired woman with long flowing hair in
heavy rain at night, standing under neon signs of a narrow street, wearing a worn leather jacket and a wide
brim hat, volumetric fog, film grain, rim light, shallow depth of field, sharp focus, muted colours, loose
brush strokes, intricate details"""


def measure() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(Path(folder))
        try:
            _teach(runtime)
            recommend_ms, verdict_ms = _latencies(runtime)
        finally:
            runtime.close()
        pair_bytes, pairs, file_bytes = _sizes(Path(folder) / "preferences.db")
    after = f"{TIMED} times after {GENERATIONS:,} judged generations, {len(CHECKPOINTS)} candidates"
    return [
        Result("keywords of a prompt", _keywords_ms(), " ms", 0.2, "quickest of 50, about 75 tokens"),
        Result("recommendation, median", statistics.median(recommend_ms), " ms", 10, after),
        Result("recommendation, 95 % within", _within(recommend_ms), " ms", None, "the same"),
        Result("verdict, median", statistics.median(verdict_ms), " ms", 10, f"{after}, committed to disk"),
        Result("verdict, 95 % within", _within(verdict_ms), " ms", None, "the same"),
        Result("one preference record", pair_bytes, " bytes", 100, f"mean of {pairs:,} pairs, index included"),
        Result(
            "database per generation",
            file_bytes / GENERATIONS,
            " bytes",
            None,
            "whole file: prompts, images, verdicts, statistics, indexes",
        ),
    ]


def _keywords_ms() -> float:
    """The fastest of many, since other programs only make it slower; each prompt is new, though most of its words
    are not, as in use."""
    took = []
    for number in range(50):
        prompt = f"{LONG_PROMPT}, unseen{number}"
        started = time.perf_counter()
        extract_keywords.__wrapped__(prompt)  # anew: the last ones are kept
        took.append((time.perf_counter() - started) * 1000)
    return min(took)


def prompts(count: int) -> list[tuple[str, str]]:
    """Prompts of four kinds with details of their own, as people write them: kind and text."""
    generator = np.random.default_rng(0)
    kinds = list(SUBJECTS)
    rows = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        subject = generator.choice(SUBJECTS[kind])
        details = generator.choice(DETAILS, 6, replace=False)
        rows.append((kind, ", ".join([subject, *details])))
    return rows


def _teach(runtime: Runtime) -> None:
    person = Person(CHECKPOINTS, seed=1)
    for number, (kind, prompt) in enumerate(prompts(GENERATIONS)):
        _recommend_and_judge(runtime, person, kind, prompt, number)


def _recommend_and_judge(runtime: Runtime, person: Person, kind: str, prompt: str, seed: int) -> None:
    async def play(service: PreferenceService) -> None:
        recommendation = await service.recommend(prompt, CHECKPOINTS, seed=seed)
        shown = dict.fromkeys(recommendation.checkpoints, 1)
        generation_id = await service.log_generation(recommendation, shown)
        verdict = person.judge(kind, recommendation.checkpoints)
        await service.record_feedback(generation_id, selected_images=verdict.selected, rejected_images=verdict.rejected)

    runtime.run_blocking(play)


def _latencies(runtime: Runtime) -> tuple[list[float], list[float]]:
    """In milliseconds, as a node or a route waits for them: into the owner's thread and back included."""
    recommend_ms, verdict_ms = [], []
    for number, (_, prompt) in enumerate(prompts(GENERATIONS + TIMED)[GENERATIONS:]):

        async def recommend(service: PreferenceService, prompt: str = prompt, seed: int = number) -> Recommendation:
            return await service.recommend(prompt, CHECKPOINTS, seed=seed)

        took, recommendation = _timed(lambda work=recommend: runtime.run_blocking(work))
        recommend_ms.append(took)
        images = dict.fromkeys(recommendation.checkpoints, 1)
        generation_id = runtime.run_blocking(
            lambda service, recommendation=recommendation, images=images: service.log_generation(recommendation, images)
        )
        took, _ = _timed(
            lambda name=generation_id: runtime.run_blocking(
                lambda service: service.record_feedback(name, selected_images=[0])
            )
        )
        verdict_ms.append(took)
    return recommend_ms, verdict_ms


def _timed(action: Callable[[], Recommendation]) -> tuple[float, Recommendation]:
    started = time.perf_counter()
    outcome = action()
    return (time.perf_counter() - started) * 1000, outcome


def _within(values: list[float]) -> float:
    return float(np.percentile(values, 95))


def _sizes(database: Path) -> tuple[float, int, int]:
    """Bytes per pair of the statistics' table with its index, number of pairs, bytes of the whole file."""
    with closing(sqlite3.connect(database)) as connection:
        (pairs,) = connection.execute("SELECT count(*) FROM pair_statistics").fetchone()
        (size,) = connection.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN "
            "(SELECT name FROM sqlite_master WHERE tbl_name = 'pair_statistics')"
        ).fetchone()
    return size / pairs, pairs, database.stat().st_size
