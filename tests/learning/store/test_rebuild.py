"""All statistics are recomputed in the background: whatever comes between counts once, whichever process is killed."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.scale.tables import fill_file
from benchmarks.scale.world import prompts
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.schema import (
    LOG_LIKELIHOOD_COLUMNS,
    TREND_COLUMNS,
    checkpoints,
    generation_logs,
    keyword_sums_shadow,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_shadow,
    rebuild_state,
)
from context_checkpoint.learning.maintenance import rebuild_task
from context_checkpoint.learning.model import sufficient_statistics
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.learning.store import rebuild
from context_checkpoint.learning.store.generations import judged_after
from context_checkpoint.learning.store.rebuild import Step
from context_checkpoint.learning.store.statistics import UNITS, Change

from .test_rollups import NAMES, judge, lived

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


async def stored(service: PreferenceService) -> dict[object, list[str]]:
    """All sums in use, to the bit."""

    async def read(connection: AsyncConnection) -> dict[object, list[str]]:
        pairs = await connection.execute(
            select(keywords.c.text, checkpoints.c.name, pair_statistics).select_from(
                pair_statistics.join(keywords).join(checkpoints)
            )
        )
        sums: dict[object, list[str]] = {
            (row[0], row[1]): bits((UNITS * row[4:]).tolist()) for row in map(tuple, pairs)
        }
        rows = await connection.execute(select(keywords))
        sums |= {
            row["text"]: bits(numbers)
            for row in rows.mappings()
            if any(numbers := [row[name] for name in ("rounds", *LOG_LIKELIHOOD_COLUMNS, *TREND_COLUMNS)])
        }
        return sums

    return await service._database.read(read)


async def of_the_log(service: PreferenceService) -> dict[object, list[str]]:
    """The same, added up in memory from nothing but the log."""

    async def read(connection: AsyncConnection) -> dict[object, list[str]]:
        change = Change()
        for logged in await judged_after(connection, 0, 1_000_000):
            change.add(logged.comparison(logged.marks))
        sums: dict[object, list[str]] = {pair: bits(numbers) for pair, numbers in change.pairs.items() if any(numbers)}
        nothing = [0.0] * len(TREND_COLUMNS)
        for word, share in change.rounds.items():
            fits = change.log_likelihoods if word == "" else [0.0] * len(LOG_LIKELIHOOD_COLUMNS)
            sums[word] = bits([share, *fits, *change.trends.get(word, nothing)])
        return sums

    return await service._database.read(read)


def bits(numbers: list[float]) -> list[str]:
    return [(number + 0.0).hex() for number in numbers]


async def assert_all_is_counted_once(service: PreferenceService) -> None:
    assert await stored(service) == await of_the_log(service)

    async def left(connection: AsyncConnection) -> list[object]:
        tables = (pair_statistics_shadow, keyword_sums_shadow)
        rows = [(await connection.execute(select(table))).all() for table in tables]
        return [row for table in rows for row in table]

    assert await service._database.read(left) == []
    assert (await service.overview()).recomputing is None


async def make_outdated(service: PreferenceService, *, bases: bool = False) -> None:
    """As an older version left it: with other sums and, where `bases`, with bases that this one cannot read."""

    async def age(connection: AsyncConnection) -> None:
        await connection.execute(update(learned_state).values(formula=sufficient_statistics.FORMULA - 1))
        await connection.execute(update(pair_statistics).values(score=pair_statistics.c.score * 2))
        if bases:
            changed = "CAST(X'01' || SUBSTR(basis, 2) AS BLOB)"
            if connection.dialect.name == "postgresql":
                changed = "SET_BYTE(basis, 0, 1)"
            await connection.execute(update(generation_logs).values(basis=text(changed)))

    await service._database.write(age)


async def one_step(
    service: PreferenceService, *, generations: int = 2, pairs: int = 3, worker: str = "me", now: datetime = NOW
) -> Step:
    return await service._database.write(
        lambda connection: rebuild.step(connection, worker, now, generations=generations, pairs=pairs)
    )


async def recompute(service: PreferenceService, **how: int) -> int:
    pages = 1
    while not (await one_step(service, **how)).done:
        pages += 1
    return pages


@pytest.mark.parametrize("bases", [False, True])
async def test_page_by_page_gives_what_the_log_says(service: PreferenceService, bases: bool) -> None:
    """Also where each generation gets a new basis: the same as all at once, to the bit."""
    await lived(service, random.Random(1), 25)  # noqa: S311 - not for secrets
    await make_outdated(service, bases=bases)
    assert await stored(service) != await of_the_log(service)

    pages = await recompute(service)
    sums = await stored(service)
    await make_outdated(service, bases=bases)
    await recompute(service, generations=1000, pairs=1000)

    assert pages > 8
    assert sums == await stored(service)
    await assert_all_is_counted_once(service)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("outdated", [False, True])
async def test_whatever_comes_between_two_pages_counts_once(
    service: PreferenceService, outdated: bool, seed: int
) -> None:
    """Verdicts given, replaced and withdrawn, generations logged and forgotten, keywords, imports, a join."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    generation_ids = await lived(service, chance, 20)
    exported = [line async for line in service.export()]
    if outdated:
        await make_outdated(service, bases=seed % 2 == 1)
    await service._database.write(lambda connection: rebuild.begin(connection, "me", NOW))

    async def forget() -> None:
        forgotten = generation_ids.pop(chance.randrange(len(generation_ids)))
        await service.forget_generation(forgotten)

    async def bring_back() -> None:
        await service.import_lines(exported)

    async def log_and_judge() -> None:
        generation_ids.extend(await lived(service, chance, 1))

    async def judge_again() -> None:
        await judge(service, chance, chance.choice(generation_ids))

    actions = [log_and_judge, judge_again, judge_again, judge_again, forget, bring_back]
    words = ["castle", "forest", "night"]
    phases = set()
    for page in range(10_000):
        step = await one_step(service, generations=1, pairs=2)
        if step.done:
            break
        phases.add(step.generations > 0)
        for _ in range(chance.randint(0, 2)):
            await chance.choice(actions)()
        if page in (3, 8):
            await service.forget_keyword(words.pop(chance.randrange(len(words))))

    assert phases == {True, False}
    assert page > 8
    await assert_all_is_counted_once(service)
    assert (await service.rebuild()).corrected == 0


async def test_joined_or_all_forgotten_in_the_middle(service: PreferenceService) -> None:
    """What changes everything starts it again, or leaves nothing to recompute."""
    exported: list[str] = []

    async def join() -> None:
        await service.join_checkpoints(NAMES[0], NAMES[1])

    async def forget() -> None:
        await service.forget_everything()

    async def bring_back() -> None:
        await service.import_lines(exported)

    for action in (join, forget, bring_back):
        await lived(service, random.Random(2), 20)  # noqa: S311 - not for secrets
        exported += [] if exported else [line async for line in service.export()]
        await make_outdated(service)
        for _ in range(4):
            await one_step(service)
        await action()
        await recompute(service)
        await assert_all_is_counted_once(service)


async def test_former_sums_are_used_as_they_are_until_the_new_ones_take_their_place(
    service: PreferenceService,
) -> None:
    """Numbers of this formula are never taken from another's; verdicts given meanwhile count afterwards."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    generation_ids = await lived(service, chance, 20)
    await make_outdated(service)
    former = await stored(service)
    await one_step(service, generations=5)
    for _ in range(5):
        await judge(service, chance, chance.choice(generation_ids))
    generation_id = (await lived(service, chance, 3))[0]
    await judge(service, chance, generation_id)

    assert await stored(service) == former
    assert (await service.recommend("castle, snow", NAMES)).checkpoints
    progress = (await service.overview()).recomputing
    assert progress is not None
    assert (5 <= progress.done < 23, progress.of) == (True, 23)
    await recompute(service)
    await assert_all_is_counted_once(service)


async def test_with_the_same_formula_verdicts_teach_at_once(service: PreferenceService) -> None:
    """`doctor --rebuild` of sums that are right already: nobody notices."""
    chance = random.Random(4)  # noqa: S311 - not for secrets
    generation_ids = await lived(service, chance, 20)
    await service._database.write(lambda connection: rebuild.begin(connection, "me", NOW))
    await one_step(service, generations=5)
    for _ in range(5):
        await judge(service, chance, chance.choice(generation_ids))
        assert await stored(service) == await of_the_log(service)
        await one_step(service)
    await recompute(service)
    await assert_all_is_counted_once(service)


async def test_one_process_at_a_time_and_another_once_that_one_has_stopped(service: PreferenceService) -> None:
    """Of two processes that open at once one works; the other goes on once its lease has ended."""
    await lived(service, random.Random(5), 20)  # noqa: S311 - not for secrets
    await make_outdated(service)
    first = await one_step(service, worker="one")
    soon, late = NOW + timedelta(seconds=5), NOW + timedelta(seconds=rebuild.LEASE_S + 5)

    assert (await one_step(service, worker="two", now=soon)).others
    assert (await one_step(service, worker="two", now=late)).generations == first.generations == 2
    assert (await one_step(service, worker="one", now=late)).others
    while not (await one_step(service, worker="two", now=late)).done:
        pass
    await assert_all_is_counted_once(service)


async def test_recomputing_for_another_formula_starts_again(
    service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pack was updated once more in the middle."""
    await lived(service, random.Random(6), 20)  # noqa: S311 - not for secrets
    await make_outdated(service)
    await one_step(service)
    monkeypatch.setattr(sufficient_statistics, "FORMULA", sufficient_statistics.FORMULA + 1)

    assert await recompute(service) > 10
    await assert_all_is_counted_once(service)


async def test_a_long_log_is_recomputed_in_the_background_and_logged(
    database_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Recommending and judging go on, one line at the beginning and one at the end."""
    await fill_file(database_file, 1_000)
    monkeypatch.setattr(rebuild_task, "_REST", 1.0)
    service = await PreferenceService.open(database_file)
    await make_outdated(service)
    await service.close()

    with caplog.at_level(logging.INFO, logger=rebuild_task.__name__):
        service = await PreferenceService.open(database_file)
        progress = []
        for prompt in prompts(1_000, 15, seed=2):
            progress.append((await service.overview()).recomputing)
            recommendation = await service.recommend(prompt, NAMES, stage="draft")
            generation_id = await service.log_generation(recommendation, dict.fromkeys(NAMES[:3], 1))
            await service.record_feedback(generation_id, selected_images=[0])
        await asyncio.wait_for(service.recomputed(), 60)

    seen = [each for each in progress if each is not None]
    assert len(seen) > 5
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert 0 < seen[0].done < seen[-1].done <= seen[-1].of
    assert [record.getMessage()[:14] for record in caplog.records] == ["The statistics", "The statistics"]
    await assert_all_is_counted_once(service)
    await service.close()


async def test_two_names_of_a_long_log_are_joined_in_the_background(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it; meanwhile the sums of both are used; a process that ends leaves the rest."""
    await fill_file(database_file, 1_000)
    monkeypatch.setattr(rebuild_task, "_REST", 1.0)
    service = await PreferenceService.open(database_file)
    first, second, *others = await service.checkpoints()
    names = [row.checkpoint for row in (first, second, *others[:4])]

    await service.join_checkpoints(first.checkpoint, second.checkpoint)
    progress = (await service.overview()).recomputing
    of_both = {row.checkpoint: row.total for row in await service.checkpoints()}
    for prompt in prompts(1_000, 10, seed=3):
        recommendation = await service.recommend(prompt, names[1:], stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys(names[1:4], 1))
        await service.record_feedback(generation_id, selected_images=[0])
    await service.close()
    until = left_by_a_dead_worker(database_file)
    service = await PreferenceService.open(database_file)
    await asyncio.wait_for(service.recomputed(), 60)

    assert progress is not None
    assert progress.done < progress.of == 1_000
    assert of_both[second.checkpoint] == first.total + second.total
    assert first.checkpoint not in of_both
    assert until < 1_010
    assert {row.checkpoint: row.total for row in await service.checkpoints()}[second.checkpoint] == (
        first.total + second.total + 10
    )
    await assert_all_is_counted_once(service)
    await service.close()


def left_by_a_dead_worker(file: Path) -> int:
    """No process has been at it for long; returns the generation that it has come up to."""
    with closing(sqlite3.connect(file)) as connection, connection:
        (until,) = connection.execute("SELECT generation FROM recomputation").fetchone()
        connection.execute("UPDATE recomputation SET seen_at = '2020-01-01 00:00:00.000000'")
    return int(until)


async def test_closing_does_not_wait_for_it_and_the_next_goes_on(database_file: Path) -> None:
    """A command that opens the database for a moment must not stay for minutes."""
    await fill_file(database_file, 1_000)
    service = await PreferenceService.open(database_file)
    await make_outdated(service)
    await service.close()

    service = await PreferenceService.open(database_file)
    await service.close()
    until = left_by_a_dead_worker(database_file)
    service = await PreferenceService.open(database_file)
    await asyncio.wait_for(service.recomputed(), 60)

    assert 100 < until < 1_000
    await assert_all_is_counted_once(service)
    await service.close()


RECOMPUTING = """
import asyncio, sys
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.maintenance import rebuild_task
from context_checkpoint.learning.store import rebuild
rebuild.LEASE_S, rebuild_task._LOOK_EVERY_S = 0.5, 0.1
rebuild.GENERATIONS, rebuild.PAIRS, rebuild_task._REST = 2, 20, 2.0

async def recompute(path):
    service = await PreferenceService.open(path)
    print("opened", flush=True)
    await service.recomputed()
    print("done", flush=True)
    await service.close()

asyncio.run(recompute(sys.argv[1]))
"""

JUDGING = """
import asyncio, random, sys
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.store import rebuild
rebuild.LEASE_S = 1e9  # it leaves that to the others

async def judge(path, seed):
    service = await PreferenceService.open(path)
    chance = random.Random(seed)
    ids = [each.id for each in await service.generations(limit=2000)]
    while True:
        generation_id = chance.choice(ids)
        count = len((await service.generation(generation_id)).images)
        marks = [chance.choice("+-.") for _ in range(count)]
        selected, rejected = ([place for place in range(count) if marks[place] == mark] for mark in "+-")
        await service.record_feedback(generation_id, selected_images=selected, rejected_images=rejected)
        print(generation_id, "".join(marks), flush=True)
        await asyncio.sleep(0.02)

asyncio.run(judge(sys.argv[1], sys.argv[2]))
"""


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], line: Callable[[str], bool]) -> list[str]:
    assert process.stdout is not None
    lines = []
    while not lines or not line(lines[-1]):
        lines.append(process.stdout.readline())
        assert process.stderr is not None
        assert lines[-1], process.stderr.read()
    return lines


async def after_pages(service: PreferenceService, count: int) -> tuple[int, int] | None:
    """Wait until so many pages have been done; return how far that is, or None once all is."""
    seen = set()
    while True:
        rows = await service._database.read(
            lambda connection: connection.execute(select(rebuild_state.c.generation, rebuild_state.c.keyword))
        )
        reached = rows.one_or_none()
        if reached is None:
            return None
        seen.add(tuple(reached))
        if len(seen) > count:
            return int(reached[0]), int(reached[1])
        await asyncio.sleep(0.005)


async def test_processes_are_killed_again_and_again_while_others_judge(database: str) -> None:
    """`kill -9` in the middle of a page or between two: the next go on, and each verdict counts once."""
    chance = random.Random(8)  # noqa: S311 - not for secrets
    service = await PreferenceService.open(database)
    await lived(service, chance, 120)
    await make_outdated(service, bases=True)
    await service._database.write(lambda connection: rebuild.begin(connection, "nobody", NOW))
    judging = [started(JUDGING, database, str(seed)) for seed in range(2)]
    for process in judging:
        until(process, bool)
    at: list[tuple[int, int]] = []
    while True:
        pair = [started(RECOMPUTING, database) for _ in range(2)]
        until(pair[0], lambda line: line == "opened\n")
        reached = await after_pages(service, 3)
        await asyncio.sleep(chance.uniform(0, 0.1))
        for process in pair:
            process.kill()
        outs = [process.communicate()[0] for process in pair]
        if reached is None or "done\n" in "".join(outs):
            break
        at.append(reached)
        assert len(at) < 100
    verdicts: dict[str, str] = {}
    for process in judging:
        process.kill()
        out, _ = process.communicate()
        verdicts |= dict(line.split() for line in out.splitlines() if len(line.split()) == 2)

    assert len(at) >= 2, at
    assert len(verdicts) > 20
    assert await stored(service) == await of_the_log(service)
    assert (await service.rebuild()).corrected == 0
    await service.close()


async def test_a_rebuild_takes_over_from_another_process(service: PreferenceService) -> None:
    """Somebody asked for it, and gets the whole report."""
    await lived(service, random.Random(9), 20)  # noqa: S311 - not for secrets
    await make_outdated(service)
    await one_step(service, worker="somebody else", now=datetime.now(timezone.utc))

    report = await service.rebuild()
    judged = (await service.overview()).judged

    assert report.generations == judged
    assert report.corrected > 0
    assert (await one_step(service, worker="somebody else")).done
    await assert_all_is_counted_once(service)


async def test_a_backup_with_outdated_sums_that_is_restored_in_use_is_recomputed_too(database_file: Path) -> None:
    """It was made before they were recomputed, and the database is not opened again."""
    service = await PreferenceService.open(database_file, settings=LearningSettings(backups_kept=1))
    await lived(service, random.Random(12), 20)  # noqa: S311 - not for secrets
    await make_outdated(service)

    assert service._database.after_opening is not None
    await service._database.after_opening()
    await service.recomputed()

    await assert_all_is_counted_once(service)
    await service.close()


async def test_new_sums_renew_the_identity_that_copies_follow(service: PreferenceService) -> None:
    """What stands in for a server while it is away holds the former sums: it is to take the new ones."""
    await lived(service, random.Random(10), 20)  # noqa: S311 - not for secrets
    identity = select(learned_state.c.identity)
    before = (await service._database.read(lambda connection: connection.execute(identity))).scalar()
    await service.rebuild()
    rebuilt = (await service._database.read(lambda connection: connection.execute(identity))).scalar()
    await make_outdated(service)
    await recompute(service)
    after = (await service._database.read(lambda connection: connection.execute(identity))).scalar()

    assert before == rebuilt
    assert after != before


async def test_pairs_that_came_from_nowhere_are_gone_afterwards(sqlite_service: PreferenceService) -> None:
    """Rows that somebody added by hand, and one that was removed."""
    await lived(sqlite_service, random.Random(11), 20)  # noqa: S311 - not for secrets

    async def spoil(connection: AsyncConnection) -> None:
        await connection.execute(text("DELETE FROM pair_statistics WHERE keyword_id = 1"))
        row = dict.fromkeys((column.name for column in pair_statistics.columns), 1.0)
        await connection.execute(insert(keywords), {"id": 900, "text": "nowhere", "rounds": 3.0})
        await connection.execute(insert(pair_statistics), {**row, "keyword_id": 900, "checkpoint_id": 1})

    await sqlite_service._database.write(spoil)
    report = await sqlite_service.rebuild()

    assert report.corrected >= 3
    await assert_all_is_counted_once(sqlite_service)
