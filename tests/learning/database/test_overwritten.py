"""A database file that is written over while it is open: what is taught from then on is not lost with it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.errors import UnknownGeneration
from context_checkpoint.learning.service.settings import LearningSettings

from .test_faults import CANDIDATES, judged, opened, teach

ROUNDS = 90
"""More than SQLite leaves in the write-ahead log: some are in the file, some are not."""


async def taught(service: PreferenceService, rounds: int) -> list[str]:
    """The generations of so many rounds, each of which was acknowledged."""
    ids = []
    for number in range(rounds):
        recommendation = await service.recommend(f"anime girl, place {number}", CANDIDATES, stage="draft")
        ids.append(await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1)))
        await service.record_feedback(ids[-1], {"a": 1})
    return ids


async def missing(service: PreferenceService, ids: list[str]) -> list[str]:
    lost = []
    for each in ids:
        try:
            if (await service.generation(each)).judged_at is None:
                lost.append(each)
        except UnknownGeneration:
            lost.append(each)
    return lost


def write_over(file: Path, content: bytes) -> None:
    """As `cp` does: the same file, emptied and written."""
    with file.open("r+b") as same:
        same.truncate(0)
        same.write(content)


@pytest.mark.parametrize("what", ["an older copy", "another database", "rubbish", "nothing"])
@pytest.mark.parametrize("kept", [7, 0])
async def test_what_is_learned_from_then_on_is_not_lost(
    database_file: Path, tmp_path: Path, what: str, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor what a backup holds; it is logged, and statistics are those of the log. Without backups the file may
    be past using: then a verdict is refused, and none is taken that would be lost."""
    async with opened(database_file, settings=LearningSettings(backups_kept=kept)) as service:
        before = await taught(service, 5)
    if kept:
        assert backups.listed(database_file)
    shutil.copy(database_file, tmp_path / "older")
    async with opened(tmp_path / "another.db") as service:
        await taught(service, 9)
    content = {
        "an older copy": (tmp_path / "older").read_bytes(),
        "another database": (tmp_path / "another.db").read_bytes(),
        "rubbish": b"hello" * 3000,
        "nothing": b"",
    }[what]

    async with opened(database_file, settings=LearningSettings(backups_kept=kept)) as service:
        await taught(service, ROUNDS)
        write_over(database_file, content)
        try:
            after = await taught(service, ROUNDS)
        except Exception:
            if kept:
                raise
            after = []
    assert "was written over while it was open" in caplog.text
    if not kept:
        assert after == [] or what in ("an older copy", "another database")
        return
    async with opened(database_file, settings=LearningSettings(backups_kept=kept)) as service:
        assert await missing(service, before + after) == []
        assert (await service.rebuild()).corrected == 0
        assert await judged(service) >= len(before + after)


async def test_what_others_do_to_the_file_is_not_taken_for_that(
    database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They write, forget, import and rewrite it whole, and SQLite brings their logs into the file."""
    caplog.set_level(logging.WARNING)
    async with opened(database_file) as here, opened(database_file) as there:
        for _ in range(3):
            # While somebody reads, only a part of the log is brought into the file.
            with closing(sqlite3.connect(database_file, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT COUNT(*) FROM generation_logs").fetchone()
                await asyncio.gather(taught(here, 90), taught(there, 30))
            await there.forget_generation((await there.generations(limit=1))[0].id)
            await teach(here)
            await there.forget_keyword("place")
            await teach(here)
            await here.forget_prompts()
        assert (await there.forget_everything()).generations > 100
        await teach(here, rounds=30)
        assert await judged(here) == await judged(there) == 30
        assert (await here.rebuild()).corrected == 0

    assert caplog.text == ""
