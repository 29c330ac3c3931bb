"""The open files are damaged by another program while verdicts are given: none is acknowledged that is lost.

`CC_DAMAGES=150` in the environment makes as many trials as docs/reliability.md tells.
"""

# ruff: noqa: ASYNC240 - what else runs in these loops may wait for a file
from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.chaos.damage import KINDS, damaged
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.service.settings import LearningSettings

from .files.test_integrity import SPOIL, spoil_page
from .test_faults import judged, opened, teach

DAMAGES = int(os.environ.get("CC_DAMAGES", len(KINDS)))


@pytest.mark.parametrize("seed", range(DAMAGES))
def test_what_is_acknowledged_afterwards_is_there_and_what_could_be_read_then(seed: int) -> None:
    """Each file, cut off, filled with rubbish, deleted and replaced; then `kill -9`. Statistics equal a rebuild."""
    trial = damaged(seed, more_than=60)

    assert trial.lost == (), trial
    if not trial.ended:
        assert len(trial.after) >= 10, trial
    assert trial.ended == 0 or "index" in trial.what
    if "deleted" in trial.what or "replaced" in trial.what:
        assert trial.out_of_reach == ()


@pytest.mark.parametrize("seed", [3, 9, 10, 12])
def test_two_programs_that_share_the_file_agree(seed: int) -> None:
    """Both may be the first to notice it."""
    trial = damaged(seed, programs=2, more_than=60)

    assert trial.lost == (), trial
    assert len(trial.after) >= 20, trial


@pytest.mark.parametrize("part", ["-wal", "-shm"])
@pytest.mark.parametrize("kept", [7, 0])
async def test_a_deleted_log_costs_nothing_even_without_backups(database_file: Path, part: str, kept: int) -> None:
    """The open connection still has it; what it sees is put in a fresh file before anything is acknowledged."""
    settings = LearningSettings(backups_kept=kept)
    async with opened(database_file, settings=settings) as service:
        await teach(service, rounds=20)
        Path(f"{database_file}{part}").unlink()
        await teach(service)
        assert await judged(service) == 21
        assert (await service.rebuild()).corrected == 0
    async with opened(database_file, settings=settings) as service:
        assert await judged(service) == 21
    assert [file.name for file in backups.damaged(database_file) if "-seen" in file.stem] == []


@pytest.mark.parametrize("ends", [False, True])
async def test_what_is_done_to_the_log_during_a_commit_is_found_soon_after(database_file: Path, ends: bool) -> None:
    """It looks like the commit's own work. The log is read again after a while, and before the last connection ends."""
    async with opened(database_file) as service:
        await teach(service, rounds=5)
        await until(lambda: database(service)._log_check is None and not database(service)._tasks)
        spoil_the_middle(Path(f"{database_file}-wal"))
        open_file = database(service)._open_file
        assert open_file is not None
        open_file._log.note()  # as the look after that commit
        await teach(service)
        if not ends:
            await until(lambda: database(service)._open_file not in (None, open_file))
            with closing(sqlite3.connect(database_file)) as other:  # as after `kill -9`
                assert other.execute("SELECT COUNT(*) FROM verdicts").fetchone() == (6,)
    assert backups.damaged(database_file)
    async with opened(database_file) as service:
        assert await judged(service) == 6
        assert (await service.rebuild()).corrected == 0


def spoil_the_middle(log: Path) -> None:
    subprocess.run([sys.executable, "-c", SPOIL, str(log), str(log.stat().st_size // 2), "5000"], check=True)


def database(service: PreferenceService) -> Database:
    return service._database


async def until(is_reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_reached():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_a_file_of_which_there_is_no_copy_yet_is_read_into_a_new_one(database_file: Path) -> None:
    """Within the first minute there is none."""
    settings = LearningSettings(backups_kept=7)
    async with opened(database_file, settings=settings) as service:
        await teach(service, rounds=90)
        assert backups.listed(database_file) == []
        pages = database_file.stat().st_size // 4096
        assert pages > 25
        for page in range(pages - 3, pages + 1):
            spoil_page(database_file, page)
        await teach(service, rounds=3)
        assert await judged(service) > 50
        assert (await service.rebuild()).corrected == 0
