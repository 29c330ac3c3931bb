"""What was learned of settings: which checkpoints are asked about, and which answers count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe, Settings
from context_checkpoint.runtime.learned_settings import ask_about_settings, learned_settings
from context_checkpoint.runtime.runtime import Runtime

USED = Recipe(steps=30, cfg=4.5, sampler="dpmpp_2m", scheduler="karras", width=832, height=1216, clip_skip=2)
FAMILIES = {"a.ckpt": "sdxl", "new.ckpt": "sdxl"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Runtime]:
    one = Runtime(tmp_path / "data")
    yield one
    one.close()


async def log(service: PreferenceService, *steps: int) -> None:
    """One image for each number of steps, of which the first is kept."""
    plan = await service.recommend("a castle", ["a.ckpt"])
    recipes = [replace(USED, steps=each) for each in steps]
    generation = await service.log_generation(plan, {"a.ckpt": len(steps)}, recipes=recipes)
    await service.record_feedback(generation, selected_images=[0], rejected_images=list(range(1, len(steps))))


async def learned(home: Runtime, prompt: str = "") -> dict[str, Settings]:
    known = dict.fromkeys(FAMILIES, Settings(steps=4))
    return learned_settings(await ask_about_settings(home, prompt, known, lambda: FAMILIES))


async def test_a_value_counts_once_it_is_sure(home: Runtime) -> None:
    """One kept image is too little, four are enough, for each setting; with a prompt and without."""
    await home.run(lambda service: log(service, 30))
    assert await learned(home) == {"a.ckpt": Settings()}

    for _ in range(3):
        await home.run(lambda service: log(service, 30))

    every = Settings(30, 4.5, "dpmpp_2m", "karras", 832, 1216, 2)
    assert await learned(home) == await learned(home, "a castle") == {"a.ckpt": every}


async def test_verdicts_on_other_checkpoints_say_nothing_of_one_that_was_never_used(home: Runtime) -> None:
    """However sure they are: its name may say four steps."""
    for _ in range(20):
        await home.run(lambda service: log(service, 30, 12))

    answers = await learned(home)
    assert (list(answers), answers["a.ckpt"].steps) == (["a.ckpt"], 30)


async def test_where_nothing_can_be_read_nothing_was_learned(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says why."""
    (tmp_path / "file").write_text("no folder")
    home = Runtime(tmp_path / "data", database=str(tmp_path / "file" / "preferences.db"))
    try:
        assert await learned(home) == {}
    finally:
        home.close()
    assert "What was learned of settings cannot be used" in caplog.text
