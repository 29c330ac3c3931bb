"""`context-checkpoint profiles`: show the settings of checkpoints, and set some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe

from .conftest import Done

Call = Callable[..., Done]
LIGHTNING = "dream_lightning_4step.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint file that no format can be read of, and a sidecar beside it."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "plain.ckpt").write_bytes(b"\x80\x02")
    (models / "plain.metadata.json").write_text(json.dumps({"usage_tips": '{"steps": 25}', "civitai": 1}))
    return models


def test_a_setting_is_set_shown_and_taken_back(call: Call, database: Path) -> None:
    """Each value with its source."""
    place = ("--database", str(database))
    words = ("--set", "cfg=1.5", "sampler=DPM++ SDE Karras", "before=score_9, best")
    changed = call("profiles", LIGHTNING, *words, *place)
    shown = call("profiles", *place, "--json")
    less = call("profiles", LIGHTNING, "--set", "cfg=", *place)
    cleared = call("profiles", LIGHTNING, "--clear", *place)

    assert (changed.status, changed.err) == (0, "")
    lines = [" ".join(line.split()) for line in changed.out.splitlines()]
    assert lines == [
        LIGHTNING,
        "steps 4 (its name)",
        "cfg 1.5 (you set it)",
        "sampler dpmpp_sde (you set it)",
        "scheduler karras (you set it)",
        "before score_9, best (you set it)",
    ]
    (profile,) = shown.json["profiles"]
    assert profile["set"]["cfg"] == 1.5
    assert "cfg        1 " in less.out
    assert "you set it" not in cleared.out


def test_files_and_their_sidecars_are_read_from_a_folder(call: Call, database: Path, folder: Path) -> None:
    """Without ComfyUI."""
    done = call("profiles", "--folder", str(folder), "--database", str(database))

    assert "plain.ckpt" in done.out
    assert "25" in done.out
    assert "(its sidecar file plain.metadata.json)" in done.out


def test_what_kept_images_used_is_shown(call: Call, database: Path, folder: Path) -> None:
    """Before what the sidecar says; a database that cannot be opened takes only this away."""

    async def learn() -> None:
        service = await PreferenceService.open(database)
        try:
            plan = await service.recommend("a castle", ["plain.ckpt"])
            generation = await service.log_generation(plan, {"plain.ckpt": 4}, recipes=[Recipe(steps=12)] * 4)
            await service.record_feedback(generation, selected_images=list(range(4)), rejected_images=[])
        finally:
            await service.close()

    asyncio.run(learn())
    learned = call("profiles", "--folder", str(folder), "--database", str(database))
    without = call("profiles", "--folder", str(folder), "--database", str(folder / "plain.ckpt" / "x.db"))

    assert [" ".join(line.split()) for line in learned.out.splitlines()] == [
        "plain.ckpt",
        "steps 12 (your kept images)",
    ]
    assert (without.status, "25" in without.out) == (0, True)


def test_nothing_set_is_said(call: Call, database: Path) -> None:
    """With what to do next."""
    assert "--folder DIR" in call("profiles", "--database", str(database)).out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--set", "steps=4"), "Name the checkpoint"),
        (("a.ckpt", "--set", "steps"), "is not NAME=VALUE"),
        (("a.ckpt", "--set", "vae=x"), "The names are: steps, cfg"),
        (("a.ckpt", "--set", "steps=many"), "steps is 'many'; choose a whole number from 1 to 10000."),
        (("a.ckpt", "--set", "steps=2.5"), "steps is 2.5"),
        (("a.ckpt", "--set", "cfg=nan"), "cfg is nan"),
        (("a.ckpt", "--set", "width=832"), "give width and height"),
        (("--folder", "no such folder"), "is not a folder"),
    ],
)
def test_wrong_use_is_told(call: Call, database: Path, words: tuple[str, ...], problem: str) -> None:
    """Exit status 2, and nothing is changed."""
    done = call("profiles", *words, "--database", str(database))

    assert done.status == 2
    assert problem in done.err
    assert "No checkpoint has settings" in call("profiles", "--database", str(database)).out
