"""A PostgreSQL server that is stopped and started: recommending goes on, and what was taught arrives once."""

# ruff: noqa: ASYNC110, ASYNC240 - nothing tells when a server is found to be back
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import Database
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.failover import shared_database
from context_checkpoint.learning.failover.shared_database import SharedDatabase
from context_checkpoint.learning.failover.standby import Server, Standby
from context_checkpoint.learning.maintenance import rebuild_task
from tests.conftest import PostgresServer
from tests.learning.database.files.test_integrity import root_page, spoil_page
from tests.learning.database.test_faults import CANDIDATES, judged, opened, teach

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the server often, so that no test has to wait."""
    for name in ("_TRY_EVERY_S", "_FOLLOW_AFTER_S"):
        monkeypatch.setattr(shared_database, name, 0.05)


@asynccontextmanager
async def worker(url: str, folder: Path) -> AsyncIterator[PreferenceService]:
    service = await PreferenceService.open(url, standby=folder)
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


def shared(service: PreferenceService) -> SharedDatabase:
    database = service._database
    assert isinstance(database, SharedDatabase)
    return database


async def back(service: PreferenceService) -> None:
    while shared(service).absence is not None:
        await asyncio.sleep(0.02)


async def followed(service: PreferenceService) -> None:
    """Until what the server holds is known here too."""
    while await judged_at(shared(service).standby) != await judged(service):
        await asyncio.sleep(0.02)


async def judged_at(standby: Standby) -> int:
    async def count(connection: object) -> int:
        query = text("SELECT COUNT(*) FROM generation_logs WHERE judged_at IS NOT NULL")
        return int((await connection.execute(query)).scalar_one())  # type: ignore[attr-defined]

    return await standby.database.read(count)


async def rows(url: str, query: str) -> int:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text(query))).scalar_one())
    finally:
        await engine.dispose()


async def test_recommending_goes_on_and_verdicts_arrive_once(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """New generations, their verdicts, and one on a generation that the server knew before."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=6)
        await followed(service)
        before = await service.recommend("anime girl", CANDIDATES, seed=5)
        earlier = (await service.generations())[0].id
        with stopped(postgres_server):
            away = await service.recommend("anime girl", CANDIDATES, seed=5)
            await teach(service, rounds=3)
            await service.record_feedback(earlier, {"b": 1})
            with pytest.raises(StoreUnavailable):
                await service.rebuild()
            assert (await service.database_report()).writable is False
        await back(service)
        assert await judged(service) == 9
        after = await service.recommend("anime girl", CANDIDATES, seed=5)

    other = await PreferenceService.open(postgres_url)
    assert away.scores == before.scores
    assert (await other.recommend("anime girl", CANDIDATES, seed=5)).scores == after.scores
    images = (await other.generation(earlier)).images
    assert [image.file.checkpoint for image in images if image.verdict == "selected"] == ["b"]
    assert (await other.rebuild()).corrected == 0
    await other.close()
    assert await rows(postgres_url, "SELECT COUNT(*) FROM generation_logs") == 9
    assert await rows(postgres_url, "SELECT COUNT(*) FROM verdicts") == 10


async def test_a_worker_that_is_restarted_meanwhile_goes_on_and_delivers_later(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """What waits lies on disk, not in memory; a second start delivers nothing twice."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=12)
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            recommendation = await service.recommend("anime girl", CANDIDATES)
            await teach(service, rounds=2)
        assert recommendation.checkpoints[0] == "a"
        assert recommendation.confidence > 0.3
        async with worker(postgres_url, tmp_path) as service:
            await teach(service)

    for _ in range(2):
        async with worker(postgres_url, tmp_path) as service:
            assert await judged(service) == 15
            assert (await service.rebuild()).corrected == 0
    assert await rows(postgres_url, "SELECT COUNT(*) FROM verdicts") == 15


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_a_worker_that_is_closed_while_it_follows_has_followed(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, turns: int
) -> None:
    """Wherever it was, the next start can do without the server."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=2)
        for _ in range(turns):
            await asyncio.sleep(0.004)
        known = await judged(service)
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            assert await judged(service) == known == 2


async def test_following_goes_on_after_a_mistake_of_ours(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever went wrong once: else nothing that waits would be delivered until the next start."""
    follow, mistakes = Standby.follow, [AttributeError("a mistake of ours")] * 3

    async def mistaken_once(standby: Standby, server: Server) -> bool:
        if mistakes:
            raise mistakes.pop()
        return await follow(standby, server)

    monkeypatch.setattr(shared_database, "_FOLLOW_EVERY_S", 0.1)

    async with worker(postgres_url, tmp_path) as service:
        await followed(service)
        monkeypatch.setattr(Standby, "follow", mistaken_once)
        await teach(service)
        await followed(service)

    assert not mistakes
    assert caplog.text.count("could not be followed") == 1


async def test_a_delivery_that_is_not_noted_is_repeated_without_counting_twice(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the server had it, before the file said so."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=2)
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            await teach(service, rounds=3)
    async with worker(postgres_url, tmp_path) as service:
        assert await judged(service) == 5
        standby = shared(service).standby
        await standby.database.write(_forget_that_it_arrived)
        assert await standby.waiting()
        await shared(service)._follow()
        assert not await standby.waiting()

        assert await judged(service) == 5
        assert (await service.rebuild()).corrected == 0
    assert await rows(postgres_url, "SELECT COUNT(*) FROM verdicts") == 5


async def _forget_that_it_arrived(connection: object) -> None:
    query = text("UPDATE standby_state SET own_generation = 0, own_verdict = 0")
    await connection.execute(query)  # type: ignore[attr-defined]


async def test_nothing_acknowledged_is_lost_when_the_server_goes_in_the_middle_of_writing(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Also where the server had stored something and did not get to say so."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service)
        await followed(service)
        writing = [asyncio.ensure_future(teach(service, rounds=15)) for _ in range(4)]
        for _ in range(3):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(postgres_server.stop)
            await asyncio.sleep(0.1)
            await asyncio.to_thread(postgres_server.start)
        await asyncio.gather(*writing)
        await back(service)

        assert await judged(service) == 61
        assert (await service.rebuild()).corrected == 0
    assert await rows(postgres_url, "SELECT COUNT(*) FROM verdicts") == 61


async def test_what_was_not_followed_because_the_server_went_just_then_can_be_judged(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news had been read, and before it was taken in something was logged here, to be delivered first."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service)
        await followed(service)
        monkeypatch.setattr(shared_database, "_FOLLOW_AFTER_S", 60.0)
        await teach(service)
        newest = (await service.generations(1))[0].id
        [file] = tmp_path.glob("standby-*.db")
        read, times = shared_database._Direct.read, []

        async def slowly(self: object, work: object) -> object:
            result = await read(self, work)  # type: ignore[arg-type]
            if not times:
                times.append(1)
                async with opened(file) as other:  # as another process of this machine may
                    await teach(other)
            return result

        monkeypatch.setattr(shared_database._Direct, "read", slowly)
        await shared(service)._follow()
        with stopped(postgres_server):
            judged_again = await service.record_feedback(newest, {"c": 1})
        assert [image.verdict for image in judged_again.images].count("selected") == 1


async def test_a_verdict_on_what_is_not_known_here_may_be_sent_again(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """It is no unknown generation: the server, which is away, may well know it."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service)
        await followed(service)
        told = pytest.raises(StoreUnavailable, match="when the server is back")
        with stopped(postgres_server), told as raised:
            await service.record_feedback("0" * 32, {"a": 1})
        assert raised.value.code == "store_unreachable"


async def test_two_names_are_joined_on_the_server_alone(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in for it lacks most of the log, of which nothing may be recomputed there: not even where
    the server goes before that has followed."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=12)
        await followed(service)
        monkeypatch.setattr(shared_database, "_FOLLOW_AFTER_S", 4.0)
        await service.join_checkpoints("b", "c")
        with stopped(postgres_server):
            before = await service.recommend("anime girl", ["a", "c"], seed=1)
            assert (await service.overview()).recomputing is None
            await teach(service, rounds=3, winner="c")
            after = await service.recommend("anime girl", ["a", "c"], seed=1)
            with pytest.raises(StoreUnavailable):
                await service.join_checkpoints("a", "c")
        assert before.scores != after.scores
        await back(service)

        assert "a" in {row.checkpoint for row in await service.checkpoints()}
        assert await judged(service) == 15
        assert (await service.rebuild()).corrected == 0


async def wait_in_a_damaged_file(url: str, folder: Path, ruined: str) -> None:
    """Three verdicts of a worker without its server, then a page of its standby file is ruined."""
    async with worker(url, folder) as service:
        await teach(service, rounds=3, winner="c")
    [file] = folder.glob("standby-*.db")
    spoil_page(file, 1 if ruined == "the first page" else root_page(file, ruined))


@pytest.mark.parametrize("ruined", ["the first page", "keywords", "generation_images", "standby_state"])
async def test_a_damaged_standby_file_is_recreated_and_what_waited_in_it_arrives(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, ruined: str
) -> None:
    """A worker whose own disk fails is not kept from a server that is well."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=12)
        await followed(service)
    with stopped(postgres_server):
        await wait_in_a_damaged_file(postgres_url, tmp_path, ruined)

    for _ in range(2):
        async with worker(postgres_url, tmp_path) as service:
            count = await judged(service)
            # Without the first page nothing leads to the rest, and no image means no verdict.
            assert count == (12 if ruined in ("the first page", "generation_images") else 15)
            assert (await service.rebuild()).corrected == 0
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            assert await judged(service) == count
    assert [path.name for path in tmp_path.glob("standby-*damaged*")] == []


@pytest.mark.parametrize("ruined", ["the first page", "keywords", "generation_images", "standby_state"])
async def test_a_worker_whose_standby_file_is_damaged_starts_without_the_server(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, ruined: str
) -> None:
    """With what waited in it, as far as it can be read; what it is taught then arrives, and so do others'."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=12)
        await followed(service)
    with stopped(postgres_server):
        await wait_in_a_damaged_file(postgres_url, tmp_path, ruined)
        # Without the first page nothing leads to the rest, and no image means no verdict.
        waited = 0 if ruined in ("the first page", "generation_images") else 3
        # What had been delivered is in the state.
        read = 15 if ruined == "standby_state" else waited

        for started in range(2):
            async with worker(postgres_url, tmp_path) as service:
                assert service.is_offline
                assert await judged(service) == read + started
                await teach(service)
                assert await judged(service) == read + started + 1
        assert len([*tmp_path.glob("standby-*.damaged-*.db")]) == 1

    async with worker(postgres_url, tmp_path) as service:
        await back(service)
        assert await judged(service) == 12 + waited + 2
        assert (await service.rebuild()).corrected == 0
        await followed(service)
    assert [*tmp_path.glob("standby-*damaged*")] == []
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            assert await judged(service) == 12 + waited + 2


async def test_what_other_workers_teach_is_known_when_the_server_goes(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Verdicts given elsewhere, new, changed and withdrawn, leave the same sums here."""
    async with worker(postgres_url, tmp_path / "one") as one, worker(postgres_url, tmp_path / "two") as two:
        await teach(one, rounds=3)
        await shared(two)._follow()
        await teach(two, rounds=2, winner="c")
        earlier = (await one.generations())[-1].id
        await two.record_feedback(earlier, {"b": 1})
        await two.record_feedback((await one.generations())[-2].id)
        await shared(one)._follow()
        there = await one.recommend("anime girl", CANDIDATES, seed=3)
        with stopped(postgres_server):
            here = await one.recommend("anime girl", CANDIDATES, seed=3)

        assert here.scores == there.scores


async def test_a_part_of_the_log_is_not_exported_as_if_it_were_all(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Somebody may keep it as the only copy: it is refused until the server is back, also in the middle."""
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=3)
        await followed(service)
        lines = service.export()
        await anext(lines)
        with stopped(postgres_server):
            with pytest.raises(StoreUnavailable):
                await anext(lines)
            with pytest.raises(StoreUnavailable):
                await anext(service.export())
        await back(service)
        assert len([line async for line in service.export()]) == 4


async def test_after_an_update_a_worker_starts_without_the_server_all_the_same(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the new version computes otherwise is recomputed once the server is back."""
    monkeypatch.setattr(rebuild_task, "_LOOK_EVERY_S", 0.1)
    async with worker(postgres_url, tmp_path) as service:
        await teach(service, rounds=12)
        await followed(service)
        older = text("UPDATE learned_state SET formula = formula - 1")
        for database in (shared(service), shared(service).standby.database):
            await Database.write(database, lambda connection: connection.execute(older))
    with stopped(postgres_server):
        async with worker(postgres_url, tmp_path) as service:
            assert (await service.recommend("anime girl", CANDIDATES)).checkpoints
            assert not await service.is_recomputing()
            await teach(service)
    async with worker(postgres_url, tmp_path) as service:
        await service.recomputed()
        assert await judged(service) == 13
        assert (await service.overview()).recomputing is None
        assert (await service.rebuild()).corrected == 0


async def test_a_server_that_was_never_reached_is_an_error(tmp_path: Path) -> None:
    """There is no last state to go on from."""
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        await PreferenceService.open("postgresql://painter@127.0.0.1:9/none", standby=tmp_path)


async def test_a_mistake_of_ours_is_not_taken_for_a_server_that_is_away(postgres_url: str, tmp_path: Path) -> None:
    """It is told, and the next verdict goes to the server."""
    async with worker(postgres_url, tmp_path) as service:

        async def wrong(connection: object) -> None:
            await connection.execute(text("SELECT nothing FROM nowhere"))  # type: ignore[attr-defined]

        with pytest.raises(StoreUnavailable):
            await shared(service).write(wrong)

        assert shared(service).absence is None
