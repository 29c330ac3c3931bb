"""A damaged database is noticed at the start or in use, and what it still holds is added to the backup."""

# ruff: noqa: ASYNC110, ASYNC240 - nothing tells of a file that appears, and these loops may wait for one
from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.files import backups, integrity
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.recipes import Recipe
from tests.learning.database.test_faults import CANDIDATES, judged, judged_in, kill_in_the_middle, teach

from .test_backups import Clock, opened

ROUNDS_IN_BACKUP, ROUNDS_SINCE = 3, 40

SPOIL = """
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    file.write(b"\\xa5" * int(sys.argv[3]))
"""


def spoil_page(path: Path, page: int) -> None:
    """By another process: to close the file in this one would take SQLite's locks away."""
    subprocess.run([sys.executable, "-c", SPOIL, str(path), str((page - 1) * 4096), "4096"], check=True)


def root_page(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return int(connection.execute(query, (table,)).fetchone()[0])


async def used(path: Path, clock: Clock) -> str:
    """A backup with some rounds, and more rounds since; the id of one in the backup, judged again since."""
    async with opened(path, clock, kept=0) as service:
        await teach(service, rounds=ROUNDS_IN_BACKUP)
        oldest = (await service.generations())[-1].id
    backups.make(path, clock(), kept=7)
    async with opened(path, clock) as service:
        await teach(service, rounds=ROUNDS_SINCE)
        await service.record_feedback(oldest, {"c": 1})
    return oldest


async def kept(service: PreferenceService, generation_id: str) -> list[str]:
    images = (await service.generation(generation_id)).images
    return [image.file.checkpoint for image in images if image.verdict == "selected"]


@pytest.mark.parametrize(
    "ruined",
    [
        *("pair_statistics", "the first page", "keywords", "checkpoints", "generation_keywords"),
        *("generation_utilities", "verdicts_generation_number", "sqlite_autoindex_generation_logs_1"),
    ],
)
async def test_what_can_be_read_is_added_to_the_backup_exactly_once(
    database_file: Path, ruined: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Newer generations, and newer verdicts on older ones; the sums are recomputed from them."""
    clock = Clock()
    oldest = await used(database_file, clock)
    spoil_page(database_file, 1 if ruined == "the first page" else root_page(database_file, ruined))

    for _ in range(2):
        async with opened(database_file, clock) as service:
            assert await judged(service) == ROUNDS_IN_BACKUP + ROUNDS_SINCE
            assert await kept(service, oldest) == ["c"]
            assert (await service.rebuild()).corrected == 0

    assert f"{ROUNDS_SINCE} of them new, 0 unreadable" in caplog.text
    assert len(backups.damaged(database_file)) == 1
    assert backups.unread(database_file) == []


async def test_a_recovery_that_was_killed_goes_on_at_the_next_start(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of it is in already, and counts once."""
    clock = Clock()
    await used(database_file, clock)
    spoil_page(database_file, root_page(database_file, "pair_statistics"))
    with monkeypatch.context() as killed:
        killed.setattr(backups, "mark_read", _raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            await PreferenceService.open(database_file, clock=clock, settings=LearningSettings(backups_kept=7))
    assert len(backups.unread(database_file)) == 1

    async with opened(database_file, clock) as service:
        assert await judged(service) == ROUNDS_IN_BACKUP + ROUNDS_SINCE
        assert (await service.rebuild()).corrected == 0
    assert backups.unread(database_file) == []


def _raise_interrupt(_path: Path) -> None:
    raise KeyboardInterrupt


RESTORING = """
import sys, time
from datetime import datetime, timezone
from datetime import timedelta
from pathlib import Path
from context_checkpoint.learning.database.files import backups

replace, calls = Path.replace, []

def slowly(self, target):
    calls.append(target)
    if len(calls) == int(sys.argv[2]):
        print("in the middle", flush=True)
        time.sleep(600)
    return replace(self, target)

Path.replace = slowly
backups.restore(Path(sys.argv[1]), datetime(2026, 2, 1, tzinfo=timezone.utc))
print("done", flush=True)
"""


@pytest.mark.parametrize("step", [1, 2, 3])
async def test_a_process_that_is_killed_while_it_restores_leaves_no_empty_database(
    database_file: Path, step: int
) -> None:
    """Before the damaged file is put aside, before its log is, before the copy has its name."""
    clock = Clock()
    async with opened(database_file, clock, kept=0) as service:
        await teach(service, rounds=ROUNDS_IN_BACKUP)
        backups.make(database_file, clock(), kept=7)
        await teach(service, rounds=2)
        files = [Path(f"{database_file}{part}") for part in ("", "-wal", "-shm")]
        as_it_was = {path: path.read_bytes() for path in files}
    for path, data in as_it_was.items():  # as a process that was killed leaves them
        path.write_bytes(data)
    spoil_page(database_file, 1)
    spoil_page(Path(f"{database_file}-wal"), 1)
    kill_in_the_middle(RESTORING, str(database_file), str(step))

    async with opened(database_file, clock) as service:
        assert await judged(service) >= ROUNDS_IN_BACKUP
        assert (await service.rebuild()).corrected == 0
        await teach(service)
    assert len(backups.damaged(database_file)) == 1
    assert backups.unread(database_file) == []
    assert step == 1 or not list(database_file.parent.glob("*.part"))


async def test_what_was_rescued_is_put_in_place_where_the_process_was_killed_before(
    database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody deleted the file in use; the copy of it was made, and had not got its name."""
    clock = Clock()
    async with opened(database_file, clock, kept=0) as service:
        await teach(service, rounds=5)
    database_file.rename(f"{database_file}.rescued-17")
    Path(f"{database_file}.rescued-18").write_bytes(b"cut off")

    async with opened(database_file, clock) as service:
        assert await judged(service) == 5
    assert "a process was killed while it put one there" in caplog.text
    assert not list(database_file.parent.glob("*.rescued-*"))


async def test_a_broken_page_of_the_log_costs_only_what_lay_on_it(database_file: Path) -> None:
    """The rest is read around it."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(database_file, clock) as service:
        await teach(service, rounds=200)
    size = database_file.stat().st_size
    root = root_page(database_file, "generation_logs")
    # The last leaf of the log: the page that the root's rightmost pointer names.
    page = database_file.read_bytes()[(root - 1) * 4096 : root * 4096]
    assert page[0] == 5, "the log is larger than one page"
    rightmost = int.from_bytes(page[8:12], "big")
    assert rightmost * 4096 <= size
    spoil_page(database_file, rightmost)

    async with opened(database_file, clock) as service:
        recovered_rounds = await judged(service)
        assert (await service.rebuild()).corrected == 0
    everything = ROUNDS_IN_BACKUP + ROUNDS_SINCE + 200
    assert everything - 40 < recovered_rounds < everything


@pytest.mark.parametrize("page", [1, 2, 5])
async def test_two_that_share_a_damaged_file_both_go_on(database_file: Path, page: int) -> None:
    """One puts it right; the other, which has the damaged one open, follows, and loses nothing."""
    clock = Clock()
    async with opened(database_file, clock, kept=0) as service:
        await teach(service, rounds=30)
    backups.make(database_file, clock(), kept=7)
    async with opened(database_file, clock) as one, opened(database_file, clock) as two:
        await teach(one)
        await teach(two)
        with closing(sqlite3.connect(database_file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        spoil_page(database_file, page)
        met = 0
        while not backups.damaged(database_file) and met < 30:
            await one.statistics(limit=1000)
            await teach(one)
            met += 1
        await teach(two, rounds=3)
        await teach(one)
        assert await judged(one) == await judged(two) == 30 + 2 + met + 3 + 1
        assert (await one.rebuild()).corrected == 0


@pytest.mark.parametrize("ruined", ["generation_logs", "generation_images"])
async def test_where_a_page_that_leads_to_a_whole_table_is_ruined_there_is_what_the_backup_has(
    database_file: Path, ruined: str, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite finds none of that table's rows; the log says so, and the damaged file is kept."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(database_file, clock) as service:
        await teach(service, rounds=150)
    root = root_page(database_file, ruined)
    assert database_file.read_bytes()[(root - 1) * 4096] in (2, 5), "it leads to other pages"
    spoil_page(database_file, root)

    async with opened(database_file, clock) as service:
        assert await judged(service) == ROUNDS_IN_BACKUP
        assert (await service.rebuild()).corrected == 0
        await teach(service)
    assert "nothing could be read of what its backup lacked" in caplog.text
    assert len(backups.damaged(database_file)) == 1


async def test_where_no_verdict_can_be_read_the_generations_are_added_without(database_file: Path) -> None:
    """Those that were judged since the backup can be judged again."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(database_file, clock) as service:
        await teach(service, rounds=150)
    spoil_page(database_file, root_page(database_file, "verdicts"))

    async with opened(database_file, clock) as service:
        generations = (await service.overview()).generations
        assert generations == ROUNDS_IN_BACKUP + ROUNDS_SINCE + 150
        assert await judged(service) == ROUNDS_IN_BACKUP
        assert (await service.rebuild()).corrected == 0


async def test_a_file_in_which_nothing_is_left_is_logged_as_such(
    database_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The backup is all there is."""
    clock = Clock()
    await used(database_file, clock)
    for page in range(1, database_file.stat().st_size // 4096 + 1):
        spoil_page(database_file, page)

    async with opened(database_file, clock) as service:
        assert await judged(service) == ROUNDS_IN_BACKUP
        assert (await service.rebuild()).corrected == 0
    assert "nothing could be read of what its backup lacked" in caplog.text
    assert "0 unreadable" not in caplog.text
    assert len(backups.damaged(database_file)) == 1


@pytest.mark.parametrize("met_by", ["a recommendation", "a verdict"])
async def test_damage_met_in_use_is_mended_and_the_workflow_goes_on(database_file: Path, met_by: str) -> None:
    """Only the log has an error: the request is answered from the backup."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(database_file, clock) as service:
        await service.recommend("anime girl", CANDIDATES)
        damage_while_open(database_file)

        if met_by == "a verdict":
            await teach(service)
        recommendation = await service.recommend("anime girl", CANDIDATES)
        assert recommendation.checkpoints[0] == "a"
        await recovered(database_file)
        added = met_by == "a verdict"
        assert await judged(service) == ROUNDS_IN_BACKUP + ROUNDS_SINCE + added
        assert (await service.rebuild()).corrected == 0
    assert judged_in(database_file) == ROUNDS_IN_BACKUP + ROUNDS_SINCE + added


def damage_while_open(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE learned_state SET id = id")  # others forget the pages that they have read
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil_page(path, root_page(path, "pair_statistics"))


async def recovered(path: Path) -> None:
    while not backups.damaged(path) or backups.unread(path):
        await asyncio.sleep(0.01)


async def test_a_check_that_takes_too_long_at_the_start_is_finished_in_the_background(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file opens at once; here the check at the start has no time at all."""
    clock = Clock()
    await used(database_file, clock)
    spoil_page(database_file, root_page(database_file, "generation_keywords"))
    monkeypatch.setattr(integrity, "LOOK_WITHIN_S", 0.0)

    async with opened(database_file, clock) as service:
        await recovered(database_file)
        assert await judged(service) >= ROUNDS_IN_BACKUP
        assert (await service.rebuild()).corrected == 0
    assert backups.problem_of(database_file) == ""


def test_a_check_can_be_ended(database_file: Path) -> None:
    """It then returns that it does not know."""
    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute("CREATE TABLE some (number INTEGER)")
    look = backups.IntegrityCheck(database_file)
    look.end()

    assert look.run() is None
    assert backups.IntegrityCheck(database_file).run() == ""


async def test_a_verdict_given_after_the_clock_was_set_back_still_counts_as_the_newer(
    database_file: Path, tmp_path: Path
) -> None:
    """Also where both meet in another database."""
    clock = Clock()
    async with opened(database_file, clock) as service, opened(tmp_path / "other.db", clock) as other:
        await teach(service)
        [generation] = await service.generations()
        await other.import_lines([line async for line in service.export()])
        clock.now = clock.now.replace(year=2020)
        await service.record_feedback(generation.id, {"b": 1})

        await other.import_lines([line async for line in service.export()])

        assert await kept(other, generation.id) == ["b"]


@pytest.mark.parametrize("content", [b"", b"no database\n" * 3000, "a damaged copy"])
async def test_what_was_in_use_is_used_again_where_rubbish_was_put_in_its_place(
    database_file: Path, tmp_path: Path, content: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    """And not the older backup; what is damaged is quarantined."""
    clock = Clock()
    await used(database_file, clock)
    rubbish = tmp_path / "rubbish"
    if isinstance(content, str):
        rubbish.write_bytes(database_file.read_bytes())
        spoil_page(rubbish, root_page(rubbish, "generation_logs"))
    else:
        rubbish.write_bytes(content)
    async with opened(database_file, clock) as service:
        rubbish.replace(database_file)
        await teach(service)
        assert await judged(service) == ROUNDS_IN_BACKUP + ROUNDS_SINCE + 1

    assert judged_in(database_file) == ROUNDS_IN_BACKUP + ROUNDS_SINCE + 1
    assert len(backups.damaged(database_file)) == (content != b"")
    assert list(tmp_path.glob("preferences.before-*")) == []
    assert "with all that had been learned" in caplog.text


@pytest.mark.parametrize("in_the_middle", [True, False])
async def test_the_newest_sound_copy_is_restored_wherever_it_is(
    database_file: Path, tmp_path: Path, in_the_middle: bool
) -> None:
    """What was in use when another file was put in its place is one; what was learned since is read from the file."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(tmp_path / "other" / "preferences.db", clock) as service:
        await teach(service, rounds=2)
    clock.now += timedelta(hours=1)
    async with opened(database_file, clock) as service:
        (tmp_path / "other" / "preferences.db").replace(database_file)
        await teach(service)
        assert await judged(service) == 3
    spoil_page(database_file, root_page(database_file, "pair_statistics") if in_the_middle else 1)

    async with opened(database_file, clock) as service:
        assert await judged(service) == ROUNDS_IN_BACKUP + ROUNDS_SINCE + 3
        assert (await service.rebuild()).corrected == 0


async def test_settings_and_imports_are_read_from_a_damaged_file_too(database_file: Path) -> None:
    """What made an image, and to which import it belongs; a repeated import knows its images."""
    clock = Clock()
    await used(database_file, clock)
    images = [
        (Recipe(model=name, positive=f"boat at dock{name}", steps=7, made_at=clock()), 1.0) for name in ("a", "b")
    ]
    async with opened(database_file, clock) as service:
        await service.import_recipes(images, batch="mine")
        whole = (await service.imports(), [line async for line in service.export()])
    spoil_page(database_file, root_page(database_file, "pair_statistics"))

    async with opened(database_file, clock) as service:
        recovered = (await service.imports(), [line async for line in service.export()])
        again = await service.import_recipes(images, batch="again")

    assert recovered[0] == whole[0]
    assert sorted(line for line in recovered[1] if '"steps":7' in line) == sorted(
        line for line in whole[1] if '"steps":7' in line
    )
    assert len([line for line in recovered[1] if '"steps":7' in line]) == 2
    assert again.added == 0
