"""What the file system does to a database, done for real: each fault is reported, and nothing learned is lost."""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC240 - what else runs in these loops may wait for a file or a program
from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.errors import LearningError, StoreUnavailable
from tests.conftest import PostgresServer, no_file_larger_than, posix_only, without_privileges

CANDIDATES = ["a", "b", "c"]


@asynccontextmanager
async def opened(path: Path | str, **how: float) -> AsyncIterator[PreferenceService]:
    service = await PreferenceService.open(path, **how)
    try:
        yield service
    finally:
        await service.close()


async def teach(service: PreferenceService, rounds: int = 1, winner: str = "a") -> None:
    for _ in range(rounds):
        recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
        await service.record_feedback(generation_id, {winner: 1})


async def judged(service: PreferenceService) -> int:
    return (await service.statistics()).overview.judged


def judged_in(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM generation_logs WHERE judged_at NOT NULL").fetchone()[0])
    finally:
        connection.close()


def kill_in_the_middle(program: str, *arguments: str) -> None:
    """Run a program until it says that it is in the middle of it, and kill it there (`kill -9`)."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.kill()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that `nobody` can enter and write; pytest's own is private to its user."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@posix_only
class TestReadOnly:
    async def test_a_read_only_file_still_recommends_and_a_verdict_is_refused(self, open_folder: Path) -> None:
        """Permissions taken away: reading goes on, a lost verdict is reported."""
        path = open_folder / "preferences.db"
        async with opened(path) as service:
            await teach(service, rounds=12)
            generation_id = (await service.generations(limit=1))[0].id
        path.chmod(0o444)

        with without_privileges():
            async with opened(path) as service:
                recommendation = await service.recommend("anime girl", CANDIDATES)
                with pytest.raises(StoreUnavailable, match="try again") as raised:
                    await service.record_feedback(generation_id, {"b": 1})

        assert recommendation.checkpoints[0] == "a"
        assert recommendation.confidence > 0.3
        assert raised.value.code == "store_read_only"
        assert judged_in(path) == 12

    async def test_a_read_only_folder_still_recommends_and_writes_again_once_it_is_mended(
        self, open_folder: Path
    ) -> None:
        """SQLite cannot put its log next to the file, which is read as it is until that is mended."""
        path = open_folder / "preferences.db"
        async with opened(path) as service:
            await teach(service, rounds=12)
            generation_id = (await service.generations(limit=1))[0].id
        path.chmod(0o666)
        open_folder.chmod(0o555)

        with without_privileges():
            async with opened(path) as service:
                recommendation = await service.recommend("anime girl", CANDIDATES)
                with pytest.raises(StoreUnavailable) as raised:
                    await service.record_feedback(generation_id, {"b": 1})
                again = await service.recommend("anime girl", CANDIDATES)
                os.seteuid(os.getuid())
                open_folder.chmod(0o777)
                corrected = await service.record_feedback(generation_id, {"b": 1})

        assert (recommendation.checkpoints[0], again.checkpoints[0]) == ("a", "a")
        assert raised.value.code in ("store_read_only", "store_unreachable")
        assert "try again" in raised.value.message
        assert [image.verdict for image in corrected.images] == [None, "selected", None]

    async def test_a_folder_in_which_nothing_can_be_made_is_reported(self, open_folder: Path) -> None:
        """No database there and none to be made."""
        open_folder.chmod(0o555)

        with without_privileges(), pytest.raises(StoreUnavailable, match=str(open_folder)) as raised:
            await PreferenceService.open(open_folder / "deeper" / "preferences.db")

        assert raised.value.code in ("store_read_only", "store_unreachable")


class TestLocked:
    async def test_a_write_that_waits_too_long_is_reported_and_may_be_sent_again(self, database_file: Path) -> None:
        """Another program holds the write lock: recommending goes on, the verdict comes to no harm."""
        async with opened(database_file, busy_timeout_s=0.2) as service:
            await teach(service, rounds=2)
            generation_id = (await service.generations(limit=1))[0].id
            other = sqlite3.connect(database_file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(StoreUnavailable, match="locked for too long") as raised:
                await service.record_feedback(generation_id, {"b": 1})
            recommendation = await service.recommend("anime girl", CANDIDATES)
            other.execute("ROLLBACK")
            other.close()
            corrected = await service.record_feedback(generation_id, {"b": 1})

        assert raised.value.code == "store_locked"
        assert recommendation.checkpoints[0] == "a"
        assert corrected.images[1].verdict == "selected"

    async def test_a_write_waits_for_a_short_lock(self, database_file: Path) -> None:
        """Within the busy timeout nobody notices."""
        async with opened(database_file, busy_timeout_s=5) as service:
            await teach(service)
            other = sqlite3.connect(database_file, isolation_level=None, check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")

            await teach(service)

            assert await judged(service) == 2
            other.close()


class TestDeletedWhileRunning:
    async def test_the_file_is_restored_with_all_that_was_learned(
        self, database_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The open connection would go on writing into a file without a name, and all of it would be lost."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            database_file.unlink()

            await teach(service, rounds=2)

            assert judged_in(database_file) == 5
            assert await judged(service) == 5
            assert await service.rebuild()
        assert judged_in(database_file) == 5
        assert "was deleted or replaced while in use. It was restored" in caplog.text

    @pytest.mark.parametrize("also", ["-wal", "-shm"])
    async def test_its_log_may_be_deleted_too(self, database_file: Path, also: str) -> None:
        """`rm preferences.db*`, or only a part of it."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            database_file.unlink()
            Path(f"{database_file}{also}").unlink()

            await teach(service, rounds=1)

        assert judged_in(database_file) == 4

    async def test_the_whole_folder_may_be_deleted(self, tmp_path: Path) -> None:
        """It is made again."""
        path = tmp_path / "data" / "preferences.db"
        async with opened(path) as service:
            await teach(service, rounds=3)
            shutil.rmtree(path.parent)

            await teach(service, rounds=1)

        assert judged_in(path) == 4

    async def test_it_is_restored_on_closing_too(self, database_file: Path) -> None:
        """Nothing was written after it was deleted, and still nothing is lost."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            database_file.unlink()

        assert judged_in(database_file) == 3
        assert [path.name for path in database_file.parent.glob("*.db*")] == ["preferences.db"]

    async def test_a_file_put_in_its_place_is_used_and_the_old_one_kept(
        self, database_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Somebody restored a backup under a running ComfyUI: theirs counts, ours is kept next to it."""
        backup = tmp_path / "backup.db"
        async with opened(backup) as service:
            await teach(service, rounds=1, winner="c")
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            for leftover in ("", "-wal", "-shm"):
                Path(f"{database_file}{leftover}").unlink()
            backup.rename(database_file)

            await teach(service, rounds=1)

            assert await judged(service) == 2
        kept = list(tmp_path.glob("preferences.before-*.db"))
        assert [judged_in(path) for path in kept] == [3]
        assert str(kept[0]) in caplog.text

    @pytest.mark.parametrize("looking", [True, False])
    async def test_the_former_files_log_is_not_replayed_into_a_file_put_in_its_place(
        self, database_file: Path, tmp_path: Path, looking: bool
    ) -> None:
        """Whoever moves one file over another leaves SQLite's sidecar files."""
        backup = tmp_path / "backup.db"
        async with opened(backup) as service:
            await teach(service, rounds=40, winner="c")
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            backup.replace(database_file)

            assert await judged(service) == 40 if looking else await teach(service) is None

        assert judged_in(database_file) == 40 + (not looking)
        assert [judged_in(path) for path in tmp_path.glob("preferences.before-*.db")] == [3]
        with closing(sqlite3.connect(database_file)) as database:
            assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]

    async def test_a_file_put_in_its_place_with_a_log_of_its_own_keeps_that(
        self, database_file: Path, tmp_path: Path
    ) -> None:
        """Copied from a ComfyUI that runs, with its sidecar files."""
        async with opened(tmp_path / "other" / "preferences.db") as theirs:
            await teach(theirs, rounds=5, winner="c")
            async with opened(database_file) as service:
                await teach(service, rounds=3)
                for part in ("-wal", "-shm", ""):
                    copy = tmp_path / f"copy{part}"
                    shutil.copy(tmp_path / "other" / f"preferences.db{part}", copy)
                    copy.replace(Path(f"{database_file}{part}"))

                assert await judged(service) == 5
        assert judged_in(database_file) == 5

    async def test_reading_puts_it_back_too_and_never_begins_an_empty_one(self, database_file: Path) -> None:
        """Several reads at once open new connections, which must not find or make another file."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            database_file.unlink()

            counts = await asyncio.gather(*(judged(service) for _ in range(10)))

            assert counts == [3] * 10
            assert judged_in(database_file) == 3

    @pytest.mark.parametrize("delay_ms", [0, 1, 2, 3, 4])
    async def test_deleted_in_the_middle_of_many_reads_none_fails(self, database_file: Path, delay_ms: int) -> None:
        """Whether a connection was open, being opened or not yet, each sees all that was learned."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            reads = [asyncio.ensure_future(judged(service)) for _ in range(6)]
            await asyncio.sleep(delay_ms / 1000)
            for part in ("", "-wal", "-shm"):
                Path(f"{database_file}{part}").unlink()
            reads += [asyncio.ensure_future(judged(service)) for _ in range(6)]

            assert await asyncio.gather(*reads) == [3] * 12
        assert judged_in(database_file) == 3

    async def test_a_deleted_file_behind_a_link_is_restored_where_it_was(self, tmp_path: Path) -> None:
        """The link stays a link."""
        (tmp_path / "elsewhere").mkdir()
        real, link = tmp_path / "elsewhere" / "real.db", tmp_path / "preferences.db"
        link.symlink_to(real)
        async with opened(link) as service:
            await teach(service, rounds=2)
            real.unlink()

            await teach(service)

        assert link.is_symlink()
        assert judged_in(real) == 3

    async def test_two_processes_agree_on_the_restored_file(self, database_file: Path) -> None:
        """The first that writes restores it, the second finds the restored file and uses it."""
        async with opened(database_file) as one, opened(database_file) as two:
            await teach(one, rounds=2)
            await teach(two, rounds=2)
            database_file.unlink()

            await teach(one)
            await teach(two)
            await teach(one)

            assert await judged(one) == await judged(two) == 7


class TestFullDisk:
    async def fill(self, path: Path, budget: int) -> None:
        """Teach until the disk is full, and see that everything acknowledged is there afterwards."""
        async with opened(path) as service:
            await teach(service, rounds=2)
            with no_file_larger_than(Path(f"{path}-wal").stat().st_size + budget):
                with pytest.raises(StoreUnavailable, match="space") as raised:
                    await teach(service, rounds=2000)
                acknowledged = await judged(service)
                recommendation = await service.recommend("anime girl", CANDIDATES)
                assert recommendation.checkpoints[0] == "a"
            assert raised.value.code in ("store_full", "store_unreachable")

            await teach(service)
            assert (await service.rebuild()).corrected == 0
        assert judged_in(path) == acknowledged + 1

    async def test_a_file_that_may_not_grow_is_reported_and_goes_on_later(self, database_file: Path) -> None:
        """The operating system refuses to make it larger."""
        await self.fill(database_file, 300_000)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
    async def test_a_small_disk_that_is_full_is_reported_and_goes_on_later(self, tmp_path: Path) -> None:
        """A real one, of one megabyte, filled by another program."""
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
        try:
            async with opened(disk / "preferences.db") as service:
                await teach(service, rounds=2)
                filler = disk / "filler"
                with pytest.raises(OSError, match="No space"):
                    filler.write_bytes(bytes(2_000_000))
                with pytest.raises(StoreUnavailable, match="Free some space") as raised:
                    await teach(service, rounds=100)
                known = await judged(service)
                recommendation = await service.recommend("anime girl", CANDIDATES)
                filler.unlink()
                await teach(service)
                assert await judged(service) == known + 1
            assert raised.value.code == "store_full"
            assert recommendation.checkpoints[0] == "a"
            assert judged_in(disk / "preferences.db") == known + 1
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
    async def test_a_database_on_a_full_disk_still_opens_to_recommend(self, tmp_path: Path) -> None:
        """SQLite finds no room for its log; what was learned is read as it stands."""
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
        try:
            async with opened(disk / "preferences.db") as service:
                await teach(service, rounds=12)
            with pytest.raises(OSError, match="No space"):
                (disk / "filler").write_bytes(bytes(4_000_000))

            async with opened(disk / "preferences.db") as service:
                recommendation = await service.recommend("anime girl", CANDIDATES)
                with pytest.raises(StoreUnavailable, match="Free some space") as raised:
                    await teach(service)
                (disk / "filler").unlink()
                await teach(service)

            assert raised.value.code == "store_full"
            assert recommendation.checkpoints[0] == "a"
            assert recommendation.confidence > 0.3
            assert judged_in(disk / "preferences.db") == 13
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
    @pytest.mark.parametrize(
        ("options", "fill", "code"),
        [
            ("size=2m", "bytes", "store_full"),
            ("size=2m,nr_inodes=3", "nothing", "store_full"),
            ("size=2m", "read-only", "store_read_only"),
        ],
        ids=["no bytes", "no more files", "read-only"],
    )
    @pytest.mark.parametrize("is_there", [True, False])
    async def test_what_keeps_a_database_from_opening_is_called_by_its_name(
        self, tmp_path: Path, options: str, fill: str, code: str, is_there: bool
    ) -> None:
        """Whether there is one already or none: SQLite says of most of these that it cannot open the file."""
        path, disk = tmp_path / "before" / "preferences.db", tmp_path / "disk"
        disk.mkdir()
        async with opened(path) as service:
            await teach(service)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
        try:
            (disk / "folder").mkdir()
            if is_there:
                shutil.copy(path, disk / "folder" / path.name)
            elif "nr_inodes" in options:
                (disk / "another").touch()
            if fill == "bytes":
                with pytest.raises(OSError, match="No space"):
                    (disk / "folder" / "filler").write_bytes(bytes(4_000_000))
            elif fill == "read-only":
                subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

            with pytest.raises(StoreUnavailable) as raised:
                async with opened(disk / "folder" / path.name) as service:
                    await teach(service)
            assert raised.value.code == code
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize(
    "name",
    [
        *("my preferences.db", "100%.db", "a#b.db", "好み.db", "x&mode=ro.db", "no suffix"),
        *(pytest.param(name, marks=posix_only) for name in ("what?.db", "a:b.db")),
    ],
)
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    """SQLite gets an address, in which some characters would mean something else."""
    async with opened(tmp_path / name) as service:
        await teach(service)
    async with opened(tmp_path / name) as service:
        assert await judged(service) == 1

    assert [path.name for path in tmp_path.iterdir()] == [name]


async def test_a_relative_path_is_taken_from_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another working directory later makes no second database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    async with opened("preferences.db") as service:
        await teach(service)
        monkeypatch.chdir(tmp_path / "other")
        await asyncio.gather(*(judged(service) for _ in range(5)))
        await teach(service)

    assert judged_in(tmp_path / "preferences.db") == 2
    assert list((tmp_path / "other").iterdir()) == []


class TestNotADatabase:
    @pytest.mark.parametrize(
        "content", [b"this is a letter, not a database\n" * 100, b"SQLite format 3\x00" + bytes(5000)]
    )
    async def test_another_file_is_left_alone_and_reported(self, database_file: Path, content: bytes) -> None:
        """It is never overwritten."""
        database_file.write_bytes(content)

        with pytest.raises(StoreUnavailable, match="Move it away") as raised:
            await PreferenceService.open(database_file)

        assert raised.value.code == "store_damaged"
        assert database_file.read_bytes() == content

    @posix_only
    @pytest.mark.parametrize("place", ["pipe", "socket", "loop", "in a loop", "device", "long", "NUL"])
    async def test_what_no_file_can_be_is_reported_at_once(self, tmp_path: Path, place: str) -> None:
        """SQLite would wait for a pipe for ever, and Python has no error of its own for a loop of links."""
        path = _no_file(tmp_path, place)

        with pytest.raises(StoreUnavailable, match="choose another place") as raised:
            await asyncio.wait_for(PreferenceService.open(path), 10)

        assert raised.value.code == "store_unreachable"
        assert "not a file" in raised.value.message

    async def test_a_pipe_put_in_its_place_while_it_is_open_is_replaced(
        self, database_file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SQLite would wait for it for ever. A pipe holds nothing, so what was learned takes its place again."""
        async with opened(database_file) as service:
            await teach(service, rounds=3)
            database_file.unlink()
            os.mkfifo(database_file)
            await asyncio.wait_for(teach(service), 10)

        assert judged_in(database_file) == 4
        assert "was deleted or replaced while in use. It was restored" in caplog.text

    async def test_a_folder_is_reported(self, tmp_path: Path) -> None:
        """`--database` names a folder."""
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            await PreferenceService.open(tmp_path)

    async def test_a_damaged_database_is_reported(self, database_file: Path) -> None:
        """Pages overwritten with rubbish are noticed at the latest when they are read."""
        async with opened(database_file) as service:
            await teach(service, rounds=30)
        size = database_file.stat().st_size
        with database_file.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))

        with pytest.raises(StoreUnavailable, match="Move it away") as raised:
            await PreferenceService.open(database_file)

        assert raised.value.code == "store_damaged"

    @pytest.mark.parametrize(
        "address",
        ["mysql://root@localhost/x", "http://example.org/", "postgresql://painter:secret@host:port/x", "://"],
    )
    async def test_an_address_that_cannot_be_used_says_which_can(self, address: str) -> None:
        """Only SQLite files and PostgreSQL."""
        with pytest.raises(StoreUnavailable, match="postgresql://") as raised:
            await PreferenceService.open(address)

        assert "secret" not in raised.value.message
        assert raised.value.code == "store_address"

    async def test_a_server_that_cannot_be_reached_is_reported_without_the_password(self) -> None:
        """The message may end up in a log or a screenshot."""
        pytest.importorskip("asyncpg")

        with pytest.raises(StoreUnavailable, match="cannot be used") as raised:
            await PreferenceService.open("postgresql://painter:secret@127.0.0.1:9/none")

        assert "secret" not in raised.value.message
        assert raised.value.code == "store_unreachable"

    async def test_another_applications_tables_are_kept(self, database_file: Path) -> None:
        """Pointed at another program's database by mistake, it only adds its own tables."""
        with sqlite3.connect(database_file) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
            connection.execute("INSERT INTO alembic_version VALUES ('0006_add_loader_path')")
        connection.close()

        async with opened(database_file) as service:
            await teach(service)

        with sqlite3.connect(database_file) as connection:
            assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("0006_add_loader_path",)]
        connection.close()


def _no_file(folder: Path, place: str) -> Path:
    """What is in a database's place, or a place that cannot be."""
    path = folder / "preferences.db"
    if place == "pipe":
        os.mkfifo(path)
    elif place == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif place in ("loop", "in a loop"):
        path.symlink_to(folder / "other.db")
        (folder / "other.db").symlink_to(path)
        return path / "preferences.db" if place == "in a loop" else path
    places = {"device": Path("/dev/null"), "long": folder / ("x" * 300), "NUL": folder / "a\0b.db"}
    return places.get(place, path)


_INNER_STATE = re.compile(r"asyncpg|sqlalchemy|<class|Errno|Error\b|connection_|underlying|operation|Connect call|\(\)")


@pytest.mark.postgres
class TestServerGone:
    """Without a standby file: what a person reads is what happened, not what the driver was doing."""

    async def test_it_is_said_at_opening_and_in_the_middle(
        self, postgres_url: str, postgres_server: PostgresServer
    ) -> None:
        """The server stops between two statements, while many run, and is away."""
        database = await Database.open(postgres_url)
        errors: list[StoreUnavailable] = []

        async def slow(connection: AsyncConnection) -> None:
            await connection.execute(text("SELECT pg_sleep(20)"))

        try:
            running = [asyncio.ensure_future(work(slow)) for work in (database.read, database.write) * 3]
            await asyncio.sleep(1)
            postgres_server.stop()
            errors += await asyncio.gather(*running, return_exceptions=True)  # type: ignore[arg-type]
            for work in (database.read, database.write, database.read):
                with pytest.raises(StoreUnavailable) as raised:
                    await work(slow)
                errors.append(raised.value)
            with pytest.raises(StoreUnavailable) as raised:
                await Database.open(postgres_url)
            errors.append(raised.value)
        finally:
            postgres_server.start()
            await database.close()

        for error in errors:
            assert isinstance(error, StoreUnavailable)
            assert error.code == "store_unreachable"
            assert "try again" in error.message
            assert not _INNER_STATE.search(error.message), error.message

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("postgresql://painter:secret@127.0.0.1:9/none", "no server runs there"),
            ("postgresql://painter:secret@no-such-machine.invalid/none", "no machine has this name"),
            ("{server}", "does not exist"),
        ],
    )
    async def test_an_address_that_is_wrong_is_told_from_an_outage(
        self, postgres_url: str, address: str, told: str
    ) -> None:
        """The server's own words where it has some."""
        with pytest.raises(StoreUnavailable, match=told) as raised:
            await Database.open(address.format(server=postgres_url.rpartition("/")[0] + "/no_such_database"))

        assert not _INNER_STATE.search(raised.value.message), raised.value.message


class TestLoopsAndCancellation:
    async def test_a_cancelled_write_is_whole_or_not_at_all(self, sqlite_service: PreferenceService) -> None:
        """Whenever the caller is cancelled, the sums fit the log and the next write works."""
        recommendation = await sqlite_service.recommend("anime girl", CANDIDATES)
        ids = [await sqlite_service.log_generation(recommendation, {"a": 1, "b": 1}) for _ in range(30)]

        for number, generation_id in enumerate(ids):
            writing = asyncio.ensure_future(sqlite_service.record_feedback(generation_id, {"a": 1}))
            await asyncio.sleep(number * 0.0003)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await teach(sqlite_service)

        assert (await sqlite_service.rebuild()).corrected == 0
        assert await judged(sqlite_service) >= 1

    async def test_closing_waits_for_what_is_being_written(self, database_file: Path) -> None:
        """A verdict under way when ComfyUI ends is in the file."""
        service = await PreferenceService.open(database_file)
        recommendation = await service.recommend("anime girl", CANDIDATES)
        generation_id = await service.log_generation(recommendation, {"a": 1})
        writing = asyncio.ensure_future(service.record_feedback(generation_id, {"a": 1}))
        await asyncio.sleep(0)

        await service.close()

        assert (await writing).judged_at is not None
        assert judged_in(database_file) == 1

    async def test_a_closed_service_says_so(self, database_file: Path) -> None:
        """It opens nothing behind its owner's back; closing twice is fine."""
        service = await PreferenceService.open(database_file)
        await service.close()

        with pytest.raises(StoreUnavailable, match="Open it again") as raised:
            await service.learned_version()
        await service.close()

        assert raised.value.code == "store_closed"

    async def test_another_loop_is_refused(self, sqlite_service: PreferenceService) -> None:
        """It would hang for good; the message names the way."""

        def elsewhere() -> None:
            asyncio.run(sqlite_service.learned_version())

        with pytest.raises(RuntimeError, match=r"runtime\.current\(\)\.run"):
            await asyncio.to_thread(elsewhere)


_KILLED = """
import asyncio, os, sys
from context_checkpoint.learning import PreferenceService

async def main():
    service = await PreferenceService.open(sys.argv[1])
    while True:
        recommendation = await service.recommend("anime girl", ["a", "b"])
        generation_id = await service.log_generation(recommendation, {"a": 1})
        await service.record_feedback(generation_id, {"a": 1})
        print(generation_id, flush=True)

asyncio.run(main())
"""


async def test_every_acknowledged_verdict_survives_a_kill(database_file: Path, tmp_path: Path) -> None:
    """What was answered is in the file, whatever happens to the process afterwards."""
    import context_checkpoint

    parent = tmp_path / "importable"
    parent.mkdir()
    (parent / "context_checkpoint").symlink_to(Path(context_checkpoint.__file__).resolve().parent)
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(database_file)],
        stdout=subprocess.PIPE,
        text=True,
        env={"SYSTEMROOT": "C:\\Windows", "PYTHONPATH": str(parent), "HOME": str(tmp_path)},
    )
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(20)]
    process.kill()
    acknowledged += process.stdout.read().split()
    process.stdout.close()
    process.wait()

    async with opened(database_file) as service:
        generations = [await service.generation(one) for one in acknowledged if len(one) == 32]
        assert all(generation.judged_at for generation in generations)
        assert (await service.rebuild()).corrected == 0


def test_every_error_has_a_code_and_says_what_to_do() -> None:
    """Programs read the code, people the message."""
    error = StoreUnavailable("store_locked", "Close it, and try again.")

    assert isinstance(error, LearningError)
    assert (error.code, error.message, str(error)) == (
        "store_locked",
        "Close it, and try again.",
        error.message,
    )
