"""What a person takes back is gone: from what is recommended, from the file, and from every copy of it."""

# ruff: noqa: ASYNC240 - what else runs in these loops may wait for a file
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.database import TRY_EVERY_S
from context_checkpoint.learning.database.files import backups
from context_checkpoint.learning.errors import InvalidRequest, StoreUnavailable, UnknownGeneration
from context_checkpoint.learning.reports import Forgotten
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.learning.store import erasure
from context_checkpoint.learning.values import ImageFile
from tests.conftest import PostgresServer

SECRET = "zebrafinch"  # noqa: S105 - a word of a prompt
PROMPT = f"oil painting of a {SECRET}, by candlelight"
FILE = "unmistakable_00001_.png"
CHECKPOINTS = ["a", "b", "c"]


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def opened(path: Path, clock: Clock, **chosen: Any) -> AsyncIterator[PreferenceService]:
    """A service with a week of backups, where nothing else is chosen."""
    settings = LearningSettings(**{"backups_kept": 7, **chosen})
    service = await PreferenceService.open(path, clock=clock, settings=settings)
    try:
        yield service
    finally:
        await service.close()


async def judged(service: PreferenceService) -> int:
    return (await service.overview()).judged


async def teach(
    service: PreferenceService, prompt: str, winner: str = "a", *, filename: str = "", session: str = ""
) -> str:
    recommendation = await service.recommend(prompt, CHECKPOINTS, stage="draft")
    files = [ImageFile(name, filename, "", "output") for name in CHECKPOINTS]
    generation_id = await service.log_generation(recommendation, files, session_id=session)
    await service.record_feedback(generation_id, {winner: 1})
    return generation_id


def holds(folder: Path, *words: str) -> list[str]:
    """The files below a folder in whose bytes one of the words is."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [file.name for file in files if any(word.encode() in file.read_bytes() for word in words)]


async def taught(path: Path, clock: Clock) -> str:
    """A database with a backup, one that a killed process began, and a quarantined file: all hold the secret."""
    async with opened(path, clock, backups_kept=0) as service:
        for number in range(40):
            await teach(service, f"anime girl, place {number}")
        secret = await teach(service, PROMPT, "c", filename=FILE, session="nightly")
    backups.make(path, clock(), kept=7)
    quarantined = path.with_name(f"{path.stem}.damaged-20250101-000000{path.suffix}")
    quarantined.write_bytes(path.read_bytes())
    unfinished = backups.folder_of(path) / f"{path.stem}-20250101-000000{path.suffix}.4711.part"
    unfinished.write_bytes(path.read_bytes())
    return secret


Erase = Callable[[PreferenceService, str], Awaitable[Forgotten]]
ERASURES: dict[str, Erase] = {
    "a generation": lambda service, secret: service.forget_generation(secret),
    "a keyword": lambda service, _: service.forget_keyword(SECRET),
    "everything": lambda service, _: service.forget_everything(),
}


@pytest.mark.parametrize("what", ERASURES)
async def test_what_is_forgotten_is_in_no_file_any_more(database_file: Path, what: str) -> None:
    """Not in a free page, not in the log beside the file, not in a backup, not in a quarantined file."""
    clock = Clock()
    secret = await taught(database_file, clock)
    words = [SECRET] if what == "a keyword" else [SECRET, FILE, "nightly"]
    assert len(holds(database_file.parent, *words)) == 4

    async with opened(database_file, clock) as service:
        forgotten = await ERASURES[what](service, secret)
        assert holds(database_file.parent, *words) == []
        assert (await service.rebuild()).corrected == 0
        left = await judged(service)
    assert holds(database_file.parent, *words) == []

    assert forgotten == Forgotten(41 if what == "everything" else 1, ())
    assert left == {"a generation": 40, "a keyword": 41, "everything": 0}[what]


@pytest.mark.parametrize(("kept", "copies"), [(7, 1), (0, 0)])
async def test_one_new_copy_takes_the_place_of_all_others(database_file: Path, kept: int, copies: int) -> None:
    """It is sound and holds what is left; where no copies are kept, none is made."""
    clock = Clock()
    secret = await taught(database_file, clock)
    for day in (1, 2, 3):
        backups.make(database_file, clock() - timedelta(days=day), kept=7)
    clock.now += timedelta(hours=1)

    async with opened(database_file, clock, backups_kept=kept) as service:
        await service.forget_generation(secret)

    made_at = [copy.made_at for copy in backups.listed(database_file)]
    assert made_at == [clock.now] * copies
    for copy in backups.listed(database_file):
        assert backups.problem_of(copy.path) == ""
        async with opened(copy.path, clock, backups_kept=0) as restored:
            assert await judged(restored) == 40
            assert (await restored.rebuild()).corrected == 0


async def test_copies_stay_where_nothing_was_forgotten(database_file: Path) -> None:
    """A mistyped keyword costs no backup; to forget everything leaves none, whatever the database still holds."""
    clock = Clock()
    await taught(database_file, clock)
    files = holds(database_file.parent, SECRET)

    async with opened(database_file, clock) as service:
        with pytest.raises(InvalidRequest):
            await service.forget_keyword("zebrafinsh")
        with pytest.raises(UnknownGeneration):
            await service.forget_generation("0" * 32)
        assert (await service.forget_older(365)).generations == 0
        assert holds(database_file.parent, SECRET) == files
    database_file.unlink()
    async with opened(database_file, clock, backups_kept=0) as service:
        await service.forget_everything()
    assert holds(database_file.parent, SECRET) == []


async def test_a_copy_is_deleted_where_no_new_one_can_be_made(
    database_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Better no copy than one that still knows; the log says so."""
    secret = await taught(database_file, Clock())

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    async with opened(database_file, Clock()) as service:
        monkeypatch.setattr(backups, "make", full)
        await service.forget_generation(secret)
        monkeypatch.undo()

    assert holds(database_file.parent, SECRET) == []
    assert "no new one could be made (No space left on device)" in caplog.text


async def test_a_forgotten_generation_teaches_as_if_it_had_never_been(service: PreferenceService) -> None:
    """To the bit, on every kind of database."""
    await teach(service, "anime girl")
    before = await service.recommend(f"anime girl, {SECRET}", CHECKPOINTS, seed=3)
    secret = await teach(service, f"anime girl, {SECRET}", "c")

    await service.forget_generation(secret)
    after = await service.recommend(f"anime girl, {SECRET}", CHECKPOINTS, seed=3)

    assert after.scores == before.scores
    assert (await service.pairs(SECRET))[1] == 0
    assert (await service.rebuild()).corrected == 0
    with pytest.raises(UnknownGeneration):
        await service.forget_generation(secret)


async def test_a_forgotten_keyword_leaves_what_was_learned_of_the_others(
    service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over more generations than one transaction takes; only the texts that had it go."""
    monkeypatch.setattr(erasure, "PAGE", 10)
    for _ in range(25):
        await teach(service, f"anime girl, {SECRET}")
    await teach(service, "anime boy")
    others = (await service.pairs("anime"))[0]

    forgotten = await service.forget_keyword(SECRET)

    assert forgotten.generations == 25
    assert (await service.pairs("anime"))[0] == others
    assert (await service.pairs(SECRET))[1] == 0
    assert {each.prompt for each in await service.generations(200)} == {"", "anime boy"}
    assert (await service.rebuild()).corrected == 0
    with pytest.raises(InvalidRequest, match="Nothing is known"):
        await service.forget_keyword(SECRET)


@pytest.mark.parametrize(
    ("page", "keywords_at_once"), [(100, 400), (1, 1), (2, 400), (3, 1), (4, 2), (6, 400), (7, 3), (100, 1)]
)
async def test_each_generation_counts_once_whatever_fits_into_a_transaction(
    sqlite_service: PreferenceService, monkeypatch: pytest.MonkeyPatch, page: int, keywords_at_once: int
) -> None:
    """Of six with the word, each has it in several keywords: alone, in a phrase, as a negative one."""
    monkeypatch.setattr(erasure, "PAGE", page)
    monkeypatch.setattr(erasure, "_KEYWORDS_AT_ONCE", keywords_at_once)
    for number in range(6):
        prompt = f"({SECRET}), shy {SECRET} on branch {number}"
        recommendation = await sqlite_service.recommend(prompt, CHECKPOINTS, negative=f"{SECRET}, blurry")
        generation_id = await sqlite_service.log_generation(recommendation, dict.fromkeys(CHECKPOINTS, 1))
        await sqlite_service.record_feedback(generation_id, {"a": 1})
    await teach(sqlite_service, "anime girl")

    forgotten = await sqlite_service.forget_keyword(SECRET)

    assert forgotten.generations == 6
    left = {word.text for each in await sqlite_service.generations() for word in each.keywords}
    assert not any(SECRET in word.lstrip("-").split() for word in left)
    assert (await sqlite_service.rebuild()).corrected == 0
    assert (await sqlite_service.forget_older(-1)).generations == 7


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
async def test_old_generations_texts_and_everything_count_each_generation_once_too(
    sqlite_service: PreferenceService, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Below, at and above the size of a page."""
    monkeypatch.setattr(erasure, "PAGE", 2)
    texts = sqlite_service.forget_prompts
    for forget in (texts, lambda: sqlite_service.forget_older(-1)):
        for _ in range(count):
            await teach(sqlite_service, PROMPT)
        assert (await forget()).generations == count
        left = len(await sqlite_service.generations())
        assert (await sqlite_service.forget_everything()).generations == left == (count if forget == texts else 0)


async def test_phrases_and_negative_keywords_with_the_word_are_forgotten_too(service: PreferenceService) -> None:
    """But not other words that begin alike."""
    await teach(service, f"a shy {SECRET} on a branch")
    recommendation = await service.recommend("anime girl", CHECKPOINTS, negative=f"{SECRET}, blurry")
    await service.log_generation(recommendation, dict.fromkeys(CHECKPOINTS, 1))
    await teach(service, f"{SECRET}s, {SECRET}ery")

    await service.forget_keyword(SECRET)

    left = {word.text for each in await service.generations() for word in each.keywords}
    assert f"{SECRET}ery" in left
    assert not any(SECRET in word.lstrip("-").split() for word in left)
    assert (await service.rebuild()).corrected == 0


async def test_forgotten_prompts_leave_everything_that_was_learned(
    database_file: Path, service: PreferenceService
) -> None:
    """Only the sentence goes; its keywords are what is learned about."""
    await teach(service, PROMPT)
    before = await service.recommend(PROMPT, CHECKPOINTS, seed=3)

    forgotten = await service.forget_prompts()

    assert forgotten.generations == 1
    assert (await service.generations())[0].prompt == ""
    assert (await service.recommend(PROMPT, CHECKPOINTS, seed=3)).scores == before.scores
    assert holds(database_file.parent, "painting of a") == []


async def test_without_prompts_only_keywords_are_stored(database_file: Path) -> None:
    """From the first generation on, no file holds the sentence."""
    async with opened(database_file, Clock(), keep_prompts=False) as service:
        await teach(service, PROMPT)
        assert [word.text for word in (await service.generations())[0].keywords]
    assert holds(database_file.parent, "painting of a") == []


async def test_what_is_older_than_the_retention_is_forgotten_in_the_background(database_file: Path) -> None:
    """With what it taught, in the copies too, when the next generation is logged; to the day."""
    clock = Clock()
    async with opened(database_file, clock) as service:
        await teach(service, PROMPT)
        clock.now += timedelta(days=20)
        await teach(service, "anime girl")
    assert len(holds(database_file.parent, SECRET)) == 2
    clock.now += timedelta(days=10)

    for days, left in ((0, 3), (1, 3)):
        clock.now += timedelta(days=days)
        async with opened(database_file, clock, retention_days=30) as service:
            await teach(service, "anime girl")
        async with opened(database_file, clock) as service:
            assert await judged(service) == left
            assert (await service.rebuild()).corrected == 0
    assert holds(database_file.parent, SECRET) == []


async def test_a_copy_that_another_process_is_making_gets_no_name(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was begun before and knows; its process makes another one later."""
    clock = Clock()
    secret = await taught(database_file, clock)
    [draft] = backups.drafts(database_file)
    listed = backups.listed

    def listed_just_before_it_is_finished(database: Path, now: datetime | None = None) -> list[backups.Backup]:
        copies = listed(database, now)
        if draft.exists():
            draft.replace(draft.with_suffix("").with_suffix(""))
        return copies

    async with opened(database_file, clock, backups_kept=0) as service:
        monkeypatch.setattr(backups, "listed", listed_just_before_it_is_finished)
        await service.forget_generation(secret)
        monkeypatch.undo()

    assert holds(database_file.parent, SECRET) == []


@pytest.mark.postgres
async def test_what_waits_for_a_server_is_forgotten_too(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """It is delivered first; then neither the server nor a file of this machine knows it."""
    service = await PreferenceService.open(postgres_url, outbox=tmp_path)
    recommendation = await service.recommend(PROMPT, CHECKPOINTS, stage="draft")
    postgres_server.stop()
    try:
        await service.log_generation(recommendation, {"a": 1})
        assert holds(tmp_path, SECRET) != []
        with pytest.raises(StoreUnavailable):
            await service.forget_everything()
    finally:
        postgres_server.start()
    await asyncio.sleep(TRY_EVERY_S)  # so long it does not try
    await service.forget_everything()
    await service.close()

    assert holds(tmp_path, SECRET) == []
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        assert await _words(connection) == 0
    await engine.dispose()


@pytest.mark.postgres
async def test_a_verdict_that_waits_does_not_bring_back_what_another_worker_forgot(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """The generation was there when it was judged, and is not when the verdict arrives."""
    one = await PreferenceService.open(postgres_url, outbox=tmp_path / "one")
    two = await PreferenceService.open(postgres_url, outbox=tmp_path / "two")
    secret = await teach(one, PROMPT)
    postgres_server.stop()
    try:
        await one.record_feedback(secret)
    finally:
        postgres_server.start()
    await two.forget_everything()
    await asyncio.sleep(2 * TRY_EVERY_S)

    assert await one.waiting() == 0
    assert (await two.overview()).generations == 0
    await one.close()
    await two.close()


async def _words(connection: AsyncConnection) -> int:
    query = text("SELECT COUNT(*) FROM keywords WHERE text = :word")
    return int((await connection.execute(query, {"word": SECRET})).scalar_one())
