"""`keep_prompts` off: no text of a prompt comes in, whichever way."""

# ruff: noqa: ASYNC240 - what else runs in these loops may wait for a file
from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from context_checkpoint.cli.app import main
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import utc_now
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.runtime.runtime import Runtime
from tests.learning.database.files.test_integrity import root_page, spoil_page

SECRET = "zebrafinch by candlelight"  # noqa: S105 - words of a prompt
KEEP, KEEP_NONE = LearningSettings(backups_kept=3), LearningSettings(backups_kept=3, keep_prompts=False)


async def teach(path: Path, rounds: int = 1) -> None:
    service = await PreferenceService.open(path, settings=KEEP)
    for _ in range(rounds):
        recommendation = await service.recommend(SECRET, ["a", "b"], stage="draft")
        await service.record_feedback(await service.log_generation(recommendation, {"a": 1, "b": 1}), {"a": 1})
    await service.close()


async def stored_prompts(path: Path) -> list[str]:
    service = await PreferenceService.open(path, settings=KEEP_NONE)
    prompts = [generation.prompt for generation in await service.generations()]
    await service.close()
    return prompts


async def test_an_import_stores_none(database_file: Path, tmp_path: Path) -> None:
    """The file has them; its keywords are learned."""
    await teach(tmp_path / "other.db")
    other = await PreferenceService.open(tmp_path / "other.db")
    service = await PreferenceService.open(database_file, settings=KEEP_NONE)
    await service.import_lines([line async for line in other.export()])
    pairs, _ = await service.pairs("zebrafinch")
    await other.close()
    await service.close()

    assert await stored_prompts(database_file) == [""]
    assert pairs
    assert SECRET.encode() not in database_file.read_bytes()


async def test_a_copy_stores_none(database_file: Path, tmp_path: Path) -> None:
    """The settings beside the database that is copied to decide."""
    await teach(database_file)
    target = tmp_path / "person" / "preferences.db"
    Runtime(target.parent).change_settings(keep_prompts=False)

    # In a thread: the command line has a loop of its own.
    assert await asyncio.to_thread(main, ["copy", str(database_file), str(target)]) == 0
    assert await stored_prompts(target) == [""]


@pytest.mark.parametrize("ruined", ["the first page", "pair_statistics"])
async def test_a_restored_copy_and_what_is_read_of_the_damaged_file_have_none(database_file: Path, ruined: str) -> None:
    """The copy was made while prompts were stored."""
    await teach(database_file, rounds=2)
    backups.make(database_file, utc_now() - timedelta(hours=1), kept=3)
    await teach(database_file, rounds=2)
    spoil_page(database_file, 1 if ruined == "the first page" else root_page(database_file, ruined))

    prompts = await stored_prompts(database_file)
    assert len(prompts) >= 2
    assert set(prompts) == {""}
