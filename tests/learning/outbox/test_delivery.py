"""A database that cannot be used for a while: what is taught meanwhile is on the disk, and arrives once."""

# ruff: noqa: ASYNC110 - nothing tells when a database can be used again
from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database import database as database_module
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.outbox import delivery
from context_checkpoint.learning.outbox.delivery import outbox_of
from context_checkpoint.learning.outbox.file import OutboxFile
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.learning.values import Generation, ImageFile, Recommendation
from tests.conftest import PostgresServer, posix_only, without_privileges
from tests.learning.database.test_faults import CANDIDATES, judged, open_folder, teach

__all__ = ["open_folder"]


@pytest.fixture(autouse=True)
def _tries_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (database_module, delivery):
        monkeypatch.setattr(module, "TRY_EVERY_S", 0.05)


@asynccontextmanager
async def worker(database: str | Path, folder: Path, **how: object) -> AsyncIterator[PreferenceService]:
    service = await PreferenceService.open(database, outbox=folder, **how)  # type: ignore[arg-type]
    try:
        yield service
    finally:
        await service.close()


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def delivered(service: PreferenceService) -> None:
    while await service.waiting():
        await asyncio.sleep(0.02)


async def logged(service: PreferenceService) -> str:
    recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
    return await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))


def selected(generation: Generation) -> list[str]:
    return [image.file.checkpoint for image in generation.images if image.verdict == "selected"]


async def count(url: str, table: str) -> int:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text(f"SELECT COUNT(*) FROM {table}"))).scalar_one())  # noqa: S608
    finally:
        await engine.dispose()


@pytest.mark.postgres
class TestServer:
    async def test_what_is_taught_while_it_is_away_arrives_once(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """New generations, their verdicts, and one on a generation that the server had before."""
        async with worker(postgres_url, tmp_path) as service:
            await teach(service, rounds=6)
            recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
            earlier = await logged(service)
            with stopped(postgres_server):
                fresh = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
                verdict = await service.record_feedback(fresh, {"c": 1})
                assert verdict.waiting
                assert selected(verdict) == ["c"]
                assert (await service.record_feedback(earlier, {"b": 1})).waiting
                assert await service.waiting() == 3
                assert service.is_offline
                with pytest.raises(StoreUnavailable):
                    await service.recommend("anime girl", CANDIDATES)
                with pytest.raises(StoreUnavailable):
                    await service.rebuild()
            await delivered(service)
            assert await judged(service) == 8
            assert not service.is_offline
            assert selected(await service.generation(earlier)) == ["b"]
            assert not (await service.generation(fresh)).waiting
            assert (await service.rebuild()).corrected == 0
        assert await count(postgres_url, "generation_logs") == 8
        assert await count(postgres_url, "verdicts") == 8

    async def test_an_older_verdict_that_waited_does_not_replace_a_newer_one(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """It was given first, on a worker that reaches the server last."""
        async with worker(postgres_url, tmp_path / "one") as one:
            generation_id = await logged(one)
            with stopped(postgres_server):
                await one.record_feedback(generation_id, {"a": 1})
            async with worker(postgres_url, tmp_path / "two") as two:
                newer = await two.record_feedback(generation_id, {"b": 1})
                await one.record_feedback(await logged(one), {"c": 1})
                await delivered(one)
                stored = await two.generation(generation_id)
        assert selected(stored) == ["b"]
        assert stored.judged_at == newer.judged_at

    async def test_a_newer_verdict_that_waited_replaces_an_older_one(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """With its own moment."""
        moment = datetime.now(timezone.utc) + timedelta(hours=1)
        one = await PreferenceService.open(postgres_url, outbox=tmp_path / "one", clock=lambda: moment)
        generation_id = await logged(one)
        with stopped(postgres_server):
            await one.record_feedback(generation_id, {"a": 1})
            await one.close()
        async with worker(postgres_url, tmp_path / "two") as two:
            await two.record_feedback(generation_id, {"b": 1})
            async with worker(postgres_url, tmp_path / "one"):
                stored = await two.generation(generation_id)
        assert selected(stored) == ["a"]
        assert stored.judged_at == moment

    async def test_a_worker_that_starts_while_it_is_away_goes_on_and_delivers_later(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """What waits lies on disk, not in memory; a second start delivers nothing twice."""
        async with worker(postgres_url, tmp_path) as service:
            await teach(service, rounds=2)
            recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
        with stopped(postgres_server):
            async with worker(postgres_url, tmp_path) as service:
                generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
            async with worker(postgres_url, tmp_path) as service:
                verdict = await service.record_feedback(generation_id, {"a": 1})
                await service.attach_files(generation_id, [ImageFile("a", "one.png", "folder", "output")])
                assert selected(verdict) == ["a"]
                assert (await service.generation(generation_id)).images[0].file.filename == "one.png"

        for _ in range(2):
            async with worker(postgres_url, tmp_path) as service:
                assert await judged(service) == 3
                stored = await service.generation(generation_id)
                assert (selected(stored), stored.images[0].file.filename) == (["a"], "one.png")
                assert (await service.rebuild()).corrected == 0
        assert await count(postgres_url, "generation_logs") == 3

    async def test_a_worker_that_started_without_it_uses_it_once_it_is_back(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """Nobody has to restart it."""
        async with worker(postgres_url, tmp_path) as service:
            await teach(service, rounds=12)
        with stopped(postgres_server):
            service = await PreferenceService.open(postgres_url, outbox=tmp_path)
        await asyncio.sleep(0.1)
        assert (await service.recommend("anime girl", CANDIDATES)).checkpoints[0] == "a"
        await service.close()

    async def test_names_of_images_that_were_logged_before_arrive_too(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """They were saved after the server had gone."""
        async with worker(postgres_url, tmp_path) as service:
            generation_id = await logged(service)
            with stopped(postgres_server):
                await service.attach_files(generation_id, [ImageFile("a", "one.png", "", "temp")])
            await delivered(service)
            assert (await service.generation(generation_id)).images[0].file.filename == "one.png"

    async def test_a_delivery_that_is_not_noted_is_repeated_without_counting_twice(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed after the server had it, before the file said so."""
        async with worker(postgres_url, tmp_path) as service:
            generation_id = await logged(service)
            with stopped(postgres_server):
                await service.record_feedback(generation_id, {"a": 1})
            with monkeypatch.context() as patched:
                patched.setattr(
                    OutboxFile, "remove", lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("killed"))
                )
                while await judged(service) == 0:
                    await asyncio.sleep(0.02)
                assert await service.waiting() == 1
            await service.record_feedback(await logged(service), {"a": 1})
            await delivered(service)
            assert await judged(service) == 2
            assert (await service.rebuild()).corrected == 0
        assert await count(postgres_url, "verdicts") == 2

    async def test_nothing_acknowledged_is_lost_when_it_goes_in_the_middle_of_writing(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """Also where the server had stored something and did not get to say so."""

        async def write(service: PreferenceService, recommendation: Recommendation) -> None:
            for _ in range(15):
                generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
                await service.record_feedback(generation_id, {"a": 1})
                await asyncio.sleep(0.01)

        async with worker(postgres_url, tmp_path) as service:
            recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
            writing = [asyncio.ensure_future(write(service, recommendation)) for _ in range(4)]
            for _ in range(3):
                await asyncio.sleep(0.1)
                await asyncio.to_thread(postgres_server.stop)
                await asyncio.sleep(0.1)
                await asyncio.to_thread(postgres_server.start)
            await asyncio.gather(*writing)
            await delivered(service)
            assert await judged(service) == 60
            assert (await service.rebuild()).corrected == 0
        assert await count(postgres_url, "verdicts") == 60

    async def test_a_verdict_on_what_is_not_known_here_may_be_sent_again(
        self, postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        """It is no unknown generation: the server, which is away, may well know it."""
        async with worker(postgres_url, tmp_path) as service:
            with stopped(postgres_server), pytest.raises(StoreUnavailable, match="send the verdict again") as raised:
                await service.record_feedback("0" * 32, {"a": 1})
        assert raised.value.code == "store_unreachable"

    async def test_one_that_was_never_reached_is_an_error(self, tmp_path: Path) -> None:
        """Most likely the address is wrong: nothing may wait for it for ever."""
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            await PreferenceService.open("postgresql://painter@127.0.0.1:9/none", outbox=tmp_path)

    async def test_a_mistake_of_ours_is_not_taken_for_one_that_is_away(self, postgres_url: str, tmp_path: Path) -> None:
        """It is told, and the next verdict goes to the server."""
        async with worker(postgres_url, tmp_path) as service:

            async def wrong(connection: object) -> None:
                await connection.execute(text("SELECT nothing FROM nowhere"))  # type: ignore[attr-defined]

            with pytest.raises(StoreUnavailable):
                await service._database.write(wrong)
            assert not service.is_offline
            await teach(service)
            assert await service.waiting() == 0

    async def test_what_waits_in_an_earlier_versions_standby_file_arrives(
        self, postgres_url: str, tmp_path: Path
    ) -> None:
        """All beyond what that had delivered; once."""
        async with worker(postgres_url, tmp_path) as service:
            name = service._database.name
        standby = tmp_path / outbox_of(name, tmp_path).path.name.replace("outbox", "standby")
        async with worker(standby, tmp_path / "elsewhere") as former:
            await teach(former, rounds=3)
        with closing(sqlite3.connect(standby)) as file, file:
            file.execute("CREATE TABLE standby_state (own_generation INTEGER, own_verdict INTEGER)")
            file.execute("INSERT INTO standby_state VALUES (1, 1)")
        for _ in range(2):
            async with worker(postgres_url, tmp_path) as service:
                assert await judged(service) == 2
        assert not standby.exists()


class TestFile:
    @pytest.mark.parametrize("at_start", [False, True])
    async def test_what_is_taught_while_another_program_holds_it_arrives_once(
        self, database_file: Path, tmp_path: Path, at_start: bool
    ) -> None:
        """From the start, or in between; one of two processes of this machine holds what the other judges."""
        async with worker(database_file, tmp_path) as service:
            generation_id = await logged(service)
            if not at_start:
                with locked(database_file):
                    assert (await service.record_feedback(generation_id, {"a": 1})).waiting
                    assert (await service.recommend("anime girl", CANDIDATES)).checkpoints
        async with worker(database_file, tmp_path, busy_timeout_s=0.1) as service:
            if at_start:
                recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
                with locked(database_file):
                    other = await PreferenceService.open(database_file, outbox=tmp_path, busy_timeout_s=0.1)
                    again = await other.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
                    assert (await other.record_feedback(again, {"a": 1})).waiting
                await other.close()
                await service.record_feedback(again, {"a": 1})  # another process has it in the outbox
            await delivered(service)
            assert await judged(service) == 1
            assert (await service.rebuild()).corrected == 0

    @posix_only
    async def test_what_is_taught_while_it_is_read_only_arrives_once(self, open_folder: Path) -> None:
        """File and folder; it can still be read."""
        path, outbox = open_folder / "data" / "preferences.db", open_folder / "outbox"
        outbox.mkdir(mode=0o777)
        outbox.chmod(0o777)
        async with worker(path, outbox) as service:
            await teach(service, rounds=3)
            generation_id = await logged(service)
        for mode, mode_of_folder in ((0o444, 0o555), (0o666, 0o777)):
            path.chmod(mode)
            path.parent.chmod(mode_of_folder)
            if mode == 0o444:
                with without_privileges():
                    async with worker(path, outbox) as service:
                        recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
                        generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
                        assert (await service.record_feedback(generation_id, {"b": 1})).waiting
        async with worker(path, outbox) as service:
            assert await judged(service) == 4
            assert selected(await service.generation(generation_id)) == ["b"]

    async def test_where_nothing_can_wait_the_failure_is_raised(self, database_file: Path, tmp_path: Path) -> None:
        """A folder that is none: the verdict is not acknowledged."""
        (tmp_path / "no folder").write_text("")
        async with worker(database_file, tmp_path / "no folder", busy_timeout_s=0.1) as service:
            generation_id = await logged(service)
            with locked(database_file), pytest.raises(StoreUnavailable, match="locked"):
                await service.record_feedback(generation_id, {"a": 1})
            assert await judged(service) == 0

    async def test_without_stored_prompts_none_arrives(self, database_file: Path, tmp_path: Path) -> None:
        """Also where the setting was changed while it waited."""
        async with worker(database_file, tmp_path, busy_timeout_s=0.1) as service:
            recommendation = await service.recommend("anime girl", CANDIDATES, stage="draft")
            with locked(database_file):
                generation_id = await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1))
                await service.close()
        async with worker(database_file, tmp_path, settings=LearningSettings(keep_prompts=False)) as service:
            assert (await service.generation(generation_id)).prompt == ""

    async def test_an_entry_that_is_not_taken_stays_and_lets_the_others_arrive(
        self, database_file: Path, tmp_path: Path
    ) -> None:
        """A damaged line, or a version that is not known here."""
        async with worker(database_file, tmp_path, busy_timeout_s=0.1) as service:
            generation_id = await logged(service)
            OutboxFile(service.outbox or tmp_path).append("0" * 32, "{}", logs=True)
            with locked(database_file):
                await service.record_feedback(generation_id, {"a": 1})
            await delivered(service)
            assert (await judged(service), await service.refused()) == (1, 1)


class TestOutboxFile:
    @pytest.mark.parametrize("ruined", [0, 4096, 3 * 4096])
    async def test_a_damaged_one_is_replaced_with_what_can_be_read(self, tmp_path: Path, ruined: int) -> None:
        """It goes on taking lines; the damaged one stays for whoever wants to look."""
        file = OutboxFile(tmp_path / "outbox.db")
        for number in range(60):
            file.append(f"{number:032x}", f'{{"id": "{number:032x}", "filling": "{"x" * 900}"}}', logs=True)
        with file.path.open("r+b") as opened:
            opened.seek(ruined)
            opened.write(b"rubbish!" * 512)
        file.append("f" * 32, "{}", logs=True)

        lines = file.first(100)
        assert lines[-1].line == "{}"
        assert len(file.damaged()) == 1
        if ruined == 3 * 4096:
            assert len(lines) > 40

    async def test_several_processes_append_to_one(self, tmp_path: Path) -> None:
        """Each has a connection of its own."""
        file = OutboxFile(tmp_path / "outbox.db")
        await asyncio.gather(
            *(asyncio.to_thread(OutboxFile(file.path).append, f"{number:032x}", "{}", logs=True) for number in range(8))
        )
        assert file.count() == 8
