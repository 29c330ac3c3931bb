"""Copies are made without anybody thinking of them, and a damaged database comes back from the newest."""

# ruff: noqa: ASYNC240 - what else runs in these loops may wait for a file
from __future__ import annotations

import shutil
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database import backup_schedule, migrations, upgrade
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.database.schema import REVISION
from context_checkpoint.learning.service.settings import LearningSettings
from tests.learning.database.test_faults import judged, judged_in, teach

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def opened(path: Path, clock: Clock, kept: int = 7) -> AsyncIterator[PreferenceService]:
    settings = LearningSettings(backups_kept=kept)
    service = await PreferenceService.open(path, clock=clock, settings=settings)
    try:
        yield service
    finally:
        await service.close()


async def used_for_days(path: Path, clock: Clock, days: int, kept: int = 7) -> None:
    """One round a day, each in a process of its own."""
    for _ in range(days):
        async with opened(path, clock, kept) as service:
            await teach(service)
        clock.now += timedelta(days=1)


def spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def names(path: Path) -> list[str]:
    return [backup.path.name for backup in backups.listed(path)]


class TestDaily:
    async def test_a_day_of_use_leaves_one_copy_and_the_newest_seven_are_kept(self, database_file: Path) -> None:
        """Each a whole database of its own, with what was taught by then."""
        await used_for_days(database_file, Clock(), days=10)

        copies = backups.listed(database_file)
        assert [backup.made_at for backup in copies] == [NOON + timedelta(days=day) for day in range(9, 2, -1)]
        # Made while the day's first writes go on: with or without that day's own round.
        counts = [judged_in(backup.path) for backup in copies]
        assert all(rounds - 1 <= count <= rounds for count, rounds in zip(counts, range(10, 3, -1), strict=True))
        assert {path.suffix for path in backups.folder_of(database_file).iterdir()} == {".db"}

    async def test_within_a_day_there_is_no_second_copy(self, database_file: Path) -> None:
        """However often it is opened and taught."""
        clock = Clock()
        for _ in range(3):
            async with opened(database_file, clock) as service:
                await teach(service, rounds=2)
            clock.now += timedelta(hours=7)

        assert names(database_file) == ["preferences-20260131-120000.db"]

    async def test_a_clock_set_back_does_not_end_the_copies(self, database_file: Path) -> None:
        """A copy from the future is a day away too."""
        clock = Clock()
        await used_for_days(database_file, clock, days=1)
        clock.now = NOON - timedelta(days=400)
        await used_for_days(database_file, clock, days=1)

        assert len(names(database_file)) == 2

    async def test_a_clock_that_was_ahead_once_costs_no_older_day(self, database_file: Path) -> None:
        """Its copy, dated ten years ahead, is neither the newest for ever nor a reason to copy each hour."""
        clock = Clock()
        await used_for_days(database_file, clock, days=8)
        clock.now += timedelta(days=3650)
        await used_for_days(database_file, clock, days=1)
        clock.now = NOON + timedelta(days=8)
        for _ in range(9):
            async with opened(database_file, clock) as service:
                await teach(service)
            clock.now += timedelta(hours=1)

        copies = backups.listed(database_file, clock.now)
        assert [backup.made_at for backup in copies] == [NOON + timedelta(days=day) for day in range(8, 1, -1)]

    async def test_none_is_made_where_none_is_wanted_or_nothing_was_learned(self, database_file: Path) -> None:
        """Reading alone makes none either."""
        await used_for_days(database_file, Clock(), days=2, kept=0)
        async with opened(database_file, Clock()) as service:
            await service.recommend("anime girl", ["a", "b"])

        assert not backups.folder_of(database_file).exists()

    async def test_what_is_learned_first_is_copied_soon(
        self, database_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There is nothing worth a copy when the first round is logged; an hour later would be late."""
        monkeypatch.setattr(backup_schedule, "_LOOK_SOON_S", 0.0)
        async with opened(database_file, Clock()) as service:
            for _ in range(100):
                await teach(service)
                if names(database_file):
                    break

            assert names(database_file) == ["preferences-20260131-120000.db"]

    async def test_other_files_in_the_folder_are_left_alone(self, database_file: Path) -> None:
        """A person's own copies are not counted and never deleted."""
        folder = backups.folder_of(database_file)
        folder.mkdir()
        own = [folder / "mine.db", folder / "preferences-old.db", folder / "other-20200101-000000.db"]
        for path in own:
            path.write_text("mine")

        await used_for_days(database_file, Clock(), days=4, kept=1)

        assert len(names(database_file)) == 1
        assert [path.read_text() for path in own] == ["mine"] * 3

    async def test_where_it_cannot_be_made_a_verdict_is_stored_all_the_same(
        self, database_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file lies where the folder should be: it is logged, and nothing else happens."""
        backups.folder_of(database_file).write_text("in the way")

        async with opened(database_file, Clock()) as service:
            await teach(service, rounds=2)

        assert judged_in(database_file) == 2
        assert "No backup of" in caplog.text

    async def test_a_copy_made_while_others_write_is_sound(self, database_file: Path) -> None:
        """SQLite's backup sees one state of the database, whatever goes on."""
        async with opened(database_file, Clock()) as service:
            await teach(service, rounds=30)

        [copy] = backups.listed(database_file)
        assert backups.problem_of(copy.path) == ""
        assert 0 <= judged_in(copy.path) <= 30


class TestBeforeMigrating:
    async def test_an_older_database_is_copied_before_it_is_migrated(
        self, database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Under a name that says why; a revision 9999 is added to the real ones for this."""
        async with opened(database_file, Clock(), kept=0) as service:
            await teach(service, rounds=3)
        folder = tmp_path / "migrations"
        shutil.copytree(Path(migrations.__file__).parent, folder)
        (folder / "versions" / "9999_more.py").write_text(
            f'revision, down_revision = "9999", "{REVISION}"\n\n'
            'def upgrade(operations):\n    operations.execute("CREATE TABLE more (id INTEGER)")\n'
        )
        monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
        for module in (upgrade, migrations):
            monkeypatch.setattr(module, "REVISION", "9999")

        async with opened(database_file, Clock()) as service:
            assert await judged(service) == 3

        assert names(database_file) == ["preferences-20260131-120000-before-9999.db"]
        assert "more" in tables(database_file)
        assert "more" not in tables(backups.listed(database_file)[0].path)

    async def test_a_new_database_is_not_copied(self, database_file: Path) -> None:
        """There is nothing in it."""
        async with opened(database_file, Clock()):
            pass

        assert names(database_file) == []


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    finally:
        connection.close()


class TestDamaged:
    async def test_the_newest_sound_copy_takes_its_place_and_it_is_logged(
        self, database_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What is damaged is kept with its date; a copy that is damaged too is passed over."""
        clock = Clock()
        await used_for_days(database_file, clock, days=3)
        spoil(database_file)
        spoil(backups.listed(database_file)[0].path)

        async with opened(database_file, clock) as service:
            restored = await judged(service)
            await teach(service)

        assert restored in (1, 2)
        assert judged_in(database_file) == restored + 1
        [aside] = backups.damaged(database_file)
        assert aside.name == "preferences.damaged-20260203-120000.db"
        assert "was damaged" in caplog.text
        assert "preferences-20260201-120000.db restored" in caplog.text

    @pytest.mark.parametrize("content", [b"not a database\n" * 500, b"SQLite format 3\x00" + bytes(5000)])
    async def test_a_file_that_became_something_else_is_damaged_too(self, database_file: Path, content: bytes) -> None:
        """A disk that filled it with nonsense, a tool that wrote over it."""
        await used_for_days(database_file, Clock(), days=1)
        database_file.write_bytes(content)

        async with opened(database_file, Clock()) as service:
            assert await judged(service) == 1

        assert backups.damaged(database_file)[0].read_bytes() == content

    async def test_a_copy_that_is_dated_ahead_is_restored_last(self, database_file: Path) -> None:
        """A clock that was ahead made it before those of the days since, whatever its name says."""
        clock = Clock()
        clock.now = NOON + timedelta(days=3650)
        await used_for_days(database_file, clock, days=1)
        clock.now = NOON
        await used_for_days(database_file, clock, days=3)
        spoil(database_file)

        restored = backups.restore(database_file, clock.now)

        assert restored is not None
        assert restored.source == database_file.parent / "backups" / "preferences-20260202-120000.db"

    async def test_a_sound_database_is_not_touched(self, database_file: Path) -> None:
        """The look at the start changes nothing."""
        await used_for_days(database_file, Clock(), days=1)

        async with opened(database_file, Clock()) as service:
            assert await judged(service) == 1

        assert backups.damaged(database_file) == []

    async def test_restoring_takes_no_memory_for_the_files_bytes(self, database_file: Path) -> None:
        """A database of a million generations is larger than many a machine's memory."""
        clock = Clock()
        await used_for_days(database_file, clock, days=2)
        with closing(sqlite3.connect(backups.listed(database_file)[0].path)) as copy:
            copy.execute("CREATE TABLE large (content)")
            copy.execute("INSERT INTO large VALUES (zeroblob(40000000))")
            copy.commit()
        spoil(database_file)

        tracemalloc.start()
        restored = backups.restore(database_file, clock.now)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert restored is not None
        assert database_file.stat().st_size > 40_000_000
        assert peak < 4_000_000

    async def test_a_locked_database_is_not_taken_for_damaged(self, database_file: Path) -> None:
        """Whoever writes just now has it whole."""
        await used_for_days(database_file, Clock(), days=1)
        other = sqlite3.connect(database_file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        assert backups.problem_of(database_file) == ""
        other.close()

    async def test_a_damaged_database_is_never_copied_over_a_sound_copy(
        self, database_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The copy is looked through before it gets its name, and before an older one goes."""
        await used_for_days(database_file, Clock(), days=1, kept=1)
        spoil(database_file)

        with pytest.raises(sqlite3.DatabaseError):
            backups.make(database_file, NOON + timedelta(days=1), kept=1)

        assert names(database_file) == ["preferences-20260131-120000.db"]
        assert {path.suffix for path in backups.folder_of(database_file).iterdir()} == {".db"}
