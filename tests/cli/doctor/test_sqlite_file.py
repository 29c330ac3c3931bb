"""What the doctor says of each state that a database can be in, without changing it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from context_checkpoint.cli.doctor.report import Check
from context_checkpoint.cli.doctor.sqlite_file import check_sqlite
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.schema import REVISION, VERSION_TABLE
from tests.cli.conftest import CommandLine
from tests.conftest import posix_only, without_privileges


def checked(path: Path) -> dict[str, Check]:
    checks = list(check_sqlite(path, revision=REVISION, version_table=VERSION_TABLE))
    assert all(check.mend for check in checks if check.state == "bad")
    return {check.name: check for check in checks}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not `tmp_path`: an ordinary user must be able to enter it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def path(folder: Path) -> Path:
    """A database with one generation."""
    path = folder / ("with space & ü#.db" if os.name == "nt" else "with space & ü?#.db")

    async def fill() -> None:
        service = await PreferenceService.open(path)
        recommendation = await service.recommend("portrait", ["a", "b"])
        await service.log_generation(recommendation, {"a": 1})
        await service.close()

    asyncio.run(fill())
    return path


def test_a_sound_database_is_counted_and_left_alone(path: Path) -> None:
    """Nothing but its own file is there afterwards, and that as it was."""
    before = path.read_bytes()

    checks = checked(path)

    assert {check.state for check in checks.values()} == {"good"}
    assert checks["schema"].found == f"revision {REVISION}"
    assert checks["generations"].found == "1"
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_one_that_is_not_there_is_not_made(folder: Path) -> None:
    """The first round makes it; until then its folder must be writable."""
    checks = checked(folder / "deeper" / "preferences.db")

    assert checks["file"].state == "note"
    assert checks["folder"].state == "good"
    assert list(folder.iterdir()) == []


@posix_only
def test_a_folder_that_cannot_be_written_is_bad(folder: Path) -> None:
    """The first round would be lost."""
    folder.chmod(0o555)

    with without_privileges():
        checks = checked(folder / "preferences.db")

    assert checks["folder"].state == "bad"


@posix_only
@pytest.mark.parametrize("locked_folder", [False, True])
def test_a_read_only_database_is_read_and_reported(path: Path, locked_folder: bool) -> None:
    """What was learned serves on; verdicts cannot be saved."""
    path.chmod(0o444)
    if locked_folder:
        path.parent.chmod(0o555)

    with without_privileges():
        checks = checked(path)

    assert checks["generations"].found == "1"
    assert checks["writable"].state == "bad"


def test_one_that_is_being_written_is_only_noted(path: Path) -> None:
    """A verdict takes milliseconds; try again."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        checks = checked(path)

    assert checks["writable"].state == "note"
    assert checks["generations"].state == "good"


def test_damage_inside_is_found(path: Path) -> None:
    """`quick_check` reads every page."""
    content = bytearray(path.read_bytes())
    content[8192:24576] = b"\xff" * 16384
    path.write_bytes(content)

    checks = checked(path)

    assert "bad" in {check.state for check in checks.values()}


def test_a_file_that_is_no_database_is_bad(folder: Path) -> None:
    """Another file by mistake."""
    (folder / "notes.txt").write_text("no database " * 100)

    assert checked(folder / "notes.txt")["opens"].state == "bad"


def test_a_folder_in_its_place_is_bad(folder: Path) -> None:
    """`--database` takes a file."""
    assert checked(folder)["opens"].state == "bad"


def test_somebody_elses_database_is_bad(folder: Path) -> None:
    """Ours would be mixed into it."""
    with closing(sqlite3.connect(folder / "comfyui.db")) as other, other:
        other.execute("CREATE TABLE assets (id)")

    checks = checked(folder / "comfyui.db")

    assert checks["schema"].state == "bad"
    assert "assets" in checks["schema"].found


def test_statistics_that_are_being_recomputed_are_noted(path: Path) -> None:
    """So that nobody wonders why the newest verdicts do not count yet."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO recomputation VALUES (1, 3, 1, 9, -1, 'me', '2026-01-01 00:00:00')")

    check = checked(path)["statistics"]

    assert check.state == "note"
    assert "generations; until then recommendations use the former ones" in check.found


@pytest.mark.parametrize(("found_revision", "state"), [("0000", "note"), ("9999", "bad")])
def test_an_older_schema_is_noted_and_a_newer_one_is_bad(path: Path, found_revision: str, state: str) -> None:
    """Older ones are migrated when they are opened; newer ones need a newer pack."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE {VERSION_TABLE} SET version_num = ?", (found_revision,))  # noqa: S608

    assert checked(path)["schema"].state == state


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
class TestFullDisk:
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        """A disk of one megabyte with a database, and no room for more."""
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
        yield disk
        subprocess.run(["umount", str(disk)], check=True)

    @staticmethod
    def fill(disk: Path) -> None:
        with pytest.raises(OSError, match="No space"):
            (disk / "filler").write_bytes(bytes(2_000_000))

    @pytest.mark.parametrize("in_use", [True, False])
    def test_nothing_can_be_saved(self, disk: Path, path: Path, in_use: bool) -> None:
        """The lock is free all the same, also where SQLite's log is there already."""
        file = disk / "preferences.db"
        shutil.copy(path, file)
        with closing(sqlite3.connect(file)) as other:
            if in_use:
                other.execute("SELECT count(*) FROM keywords").fetchone()
            self.fill(disk)
            writable = checked(file)["writable"]

        assert (writable.state, writable.found) == ("bad", "No space left on device")
        assert "Free some space" in writable.mend

    def test_none_can_be_made_there(self, disk: Path) -> None:
        """The folder may be written, which is no help."""
        self.fill(disk)

        folder = checked(disk / "data" / "preferences.db")["folder"]

        assert (folder.state, folder.found) == ("bad", "No space left on device")

    def test_so_it_is_with_the_settings_where_the_database_is_elsewhere(self, disk: Path, run: CommandLine) -> None:
        """A server's standby file goes there too."""
        data = disk / "context_checkpoint"
        data.mkdir()
        self.fill(disk)
        environment = {"XDG_DATA_HOME": str(disk), "COMFYUI_PATH": ""}

        done = subprocess.run(
            run.arguments("doctor", "--database", str(run.home / "preferences.db")),
            env=run.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert f"Free some space on the disk of {data}" in done.stdout


@pytest.mark.parametrize("what", ["pipe", "loop", "folder"])
def test_what_is_no_file_is_said_at_once(folder: Path, run: CommandLine, what: str) -> None:
    """A pipe would be waited for; of a loop of links SQLite says nothing."""
    path = folder / "preferences.db"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(path)

    done = run("doctor", "--database", str(path))
    refused = run("stats", "--database", str(path))

    assert (done.status, refused.status) == (1, 1)
    assert f"! opens: {path}" in done.out
    assert "Move away what is there" in done.out
    assert "Traceback" not in done.err + refused.err
    assert "cannot be opened" in refused.err
