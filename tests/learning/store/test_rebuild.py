"""All statistics are recomputed beside the work: whatever comes in between counts once, whoever is killed."""

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
    FITS,
    TREND_COLUMNS,
    checkpoints,
    generation_logs,
    keyword_sums_anew,
    keywords,
    learned_state,
    pair_statistics,
    pair_statistics_anew,
)
from context_checkpoint.learning.maintenance import rebuild_task as renewal
from context_checkpoint.learning.model import sufficient_statistics as statistics
from context_checkpoint.learning.store import generations as log_store
from context_checkpoint.learning.store import rebuild as recomputation
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
        found: dict[object, list[str]] = {
            (row[0], row[1]): bits((UNITS * row[4:]).tolist()) for row in map(tuple, pairs)
        }
        heard = await connection.execute(select(keywords))
        found |= {
            row["text"]: bits(sums)
            for row in heard.mappings()
            if any(sums := [row[name] for name in ("rounds", *FITS, *TREND_COLUMNS)])
        }
        return found

    return await service._database.read(read)


async def of_the_log(service: PreferenceService) -> dict[object, list[str]]:
    """The same, added up in memory from nothing but the log."""

    async def read(connection: AsyncConnection) -> dict[object, list[str]]:
        change = Change()
        for logged in await log_store.judged_after(connection, 0, 1_000_000):
            change.add(logged.judged_round(logged.marks))
        found: dict[object, list[str]] = {pair: bits(sums) for pair, sums in change.pairs.items() if any(sums)}
        nothing = [0.0] * len(TREND_COLUMNS)
        for word, share in change.rounds.items():
            fits = change.fits if word == "" else [0.0] * len(FITS)
            found[word] = bits([share, *fits, *change.keyword_trends.get(word, nothing)])
        return found

    return await service._database.read(read)


def bits(numbers: list[float]) -> list[str]:
    return [(number + 0.0).hex() for number in numbers]


async def assert_all_is_counted_once(service: PreferenceService) -> None:
    assert await stored(service) == await of_the_log(service)

    async def left(connection: AsyncConnection) -> list[object]:
        tables = (pair_statistics_anew, keyword_sums_anew)
        rows = [(await connection.execute(select(table))).all() for table in tables]
        return [row for found in rows for row in found]

    assert await service._database.read(left) == []
    assert (await service.overview()).recomputing is None


async def make_former(service: PreferenceService, *, bases: bool = False) -> None:
    """As an older version left it: other sums and, where its bases were others too, none that can be read."""

    async def age(connection: AsyncConnection) -> None:
        await connection.execute(update(learned_state).values(formula=statistics.FORMULA - 1))
        await connection.execute(update(pair_statistics).values(score=pair_statistics.c.score * 2))
        if bases:
            changed = "CAST(X'01' || SUBSTR(basis, 2) AS BLOB)"
            if connection.dialect.name == "postgresql":
                changed = "SET_BYTE(basis, 0, 1)"
            await connection.execute(update(generation_logs).values(basis=text(changed)))

    await service._database.write(age)


async def one_step(
    service: PreferenceService, *, rounds: int = 2, rows: int = 3, worker: str = "me", now: datetime = NOW
) -> Step:
    return await service._database.write(
        lambda connection: recomputation.step(connection, worker, now, rounds=rounds, rows=rows)
    )


async def recompute(service: PreferenceService, **how: int) -> int:
    pages = 1
    while not (await one_step(service, **how)).done:
        pages += 1
    return pages


@pytest.mark.parametrize("bases", [False, True])
async def test_page_by_page_gives_what_the_log_says(service: PreferenceService, bases: bool) -> None:
    """Also where what was known of each round must be taken anew: the same as all at once, to the bit."""
    await lived(service, random.Random(1), 25)  # noqa: S311 - not for secrets
    await make_former(service, bases=bases)
    assert await stored(service) != await of_the_log(service)

    pages = await recompute(service)
    found = await stored(service)
    await make_former(service, bases=bases)
    await recompute(service, rounds=1000, rows=1000)

    assert pages > 8
    assert found == await stored(service)
    await assert_all_is_counted_once(service)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("former", [False, True])
async def test_whatever_comes_between_two_pages_counts_once(
    service: PreferenceService, former: bool, seed: int
) -> None:
    """Verdicts given, replaced and withdrawn, generations logged and forgotten, keywords, imports, a join."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    made = await lived(service, chance, 40)
    exported = [line async for line in service.export()]
    if former:
        await make_former(service, bases=seed % 2 == 1)
    await service._database.write(lambda connection: recomputation.begin(connection, "me", NOW))

    async def forget() -> None:
        gone = made.pop(chance.randrange(len(made)))
        await service.forget_generation(gone)

    async def bring_back() -> None:
        await service.import_lines(exported)

    async def log_and_judge() -> None:
        made.extend(await lived(service, chance, 1))

    async def judge_anew() -> None:
        await judge(service, chance, chance.choice(made))

    deeds = [log_and_judge, judge_anew, judge_anew, judge_anew, forget, bring_back]
    words = ["castle", "forest", "night"]
    phases = set()
    for page in range(10_000):
        done = await one_step(service, rounds=1, rows=2)
        if done.done:
            break
        phases.add(done.rounds > 0)
        for _ in range(chance.randint(0, 2)):
            await chance.choice(deeds)()
        if page in (5, 12):
            await service.forget_keyword(words.pop(chance.randrange(len(words))))

    assert phases == {True, False}
    assert page > 12
    await assert_all_is_counted_once(service)
    assert (await service.rebuild()).corrected == 0


async def test_joined_or_all_forgotten_in_the_middle(service: PreferenceService) -> None:
    """What changes everything begins it anew, or leaves nothing to recompute."""
    exported: list[str] = []

    async def join() -> None:
        await service.join_checkpoints(NAMES[0], NAMES[1])

    async def forget() -> None:
        await service.forget_everything()

    async def bring_back() -> None:
        await service.import_lines(exported)

    for deed in (join, forget, bring_back):
        await lived(service, random.Random(2), 20)  # noqa: S311 - not for secrets
        exported += [] if exported else [line async for line in service.export()]
        await make_former(service)
        for _ in range(4):
            await one_step(service)
        await deed()
        await recompute(service)
        await assert_all_is_counted_once(service)


async def test_former_sums_are_used_as_they_are_until_the_new_ones_take_their_place(
    service: PreferenceService,
) -> None:
    """Numbers of this formula are never taken from another's; what was said meanwhile counts afterwards."""
    chance = random.Random(3)  # noqa: S311 - not for secrets
    made = await lived(service, chance, 20)
    await make_former(service)
    former = await stored(service)
    await one_step(service, rounds=5)
    for _ in range(5):
        await judge(service, chance, chance.choice(made))
    generation_id = (await lived(service, chance, 3))[0]
    await judge(service, chance, generation_id)

    assert await stored(service) == former
    assert (await service.recommend("castle, snow", NAMES)).checkpoints
    told = (await service.overview()).recomputing
    assert told is not None
    assert (5 <= told.done < 23, told.of) == (True, 23)
    await recompute(service)
    await assert_all_is_counted_once(service)


async def test_with_the_same_formula_verdicts_teach_at_once(service: PreferenceService) -> None:
    """`doctor --rebuild` of sums that are right already: nobody notices."""
    chance = random.Random(4)  # noqa: S311 - not for secrets
    made = await lived(service, chance, 20)
    await service._database.write(lambda connection: recomputation.begin(connection, "me", NOW))
    await one_step(service, rounds=5)
    for _ in range(5):
        await judge(service, chance, chance.choice(made))
        assert await stored(service) == await of_the_log(service)
        await one_step(service)
    await recompute(service)
    await assert_all_is_counted_once(service)


async def test_one_at_a_time_and_another_once_that_one_is_not_heard_of(service: PreferenceService) -> None:
    """Two processes that open at once share nothing out; whoever outlives the other goes on."""
    await lived(service, random.Random(5), 20)  # noqa: S311 - not for secrets
    await make_former(service)
    first = await one_step(service, worker="one")
    soon, late = NOW + timedelta(seconds=5), NOW + timedelta(seconds=recomputation.LEASE_S + 5)

    assert (await one_step(service, worker="two", now=soon)).others
    assert (await one_step(service, worker="two", now=late)).rounds == first.rounds == 2
    assert (await one_step(service, worker="one", now=late)).others
    while not (await one_step(service, worker="two", now=late)).done:
        pass
    await assert_all_is_counted_once(service)


async def test_recomputing_for_another_formula_begins_anew(
    service: PreferenceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pack was updated once more in the middle."""
    await lived(service, random.Random(6), 20)  # noqa: S311 - not for secrets
    await make_former(service)
    await one_step(service)
    monkeypatch.setattr(statistics, "FORMULA", statistics.FORMULA + 1)

    assert await recompute(service) > 10
    await assert_all_is_counted_once(service)


async def test_a_long_log_is_recomputed_beside_the_work_and_told(
    database_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Recommending and judging go on, one line at the beginning and one at the end."""
    await fill_file(database_file, 1_000)
    monkeypatch.setattr(renewal, "_REST", 1.0)
    service = await PreferenceService.open(database_file)
    await make_former(service)
    await service.close()

    with caplog.at_level(logging.INFO, logger=renewal.__name__):
        service = await PreferenceService.open(database_file)
        told = []
        for prompt in prompts(1_000, 15, seed=2):
            told.append((await service.overview()).recomputing)
            made = await service.recommend(prompt, NAMES, stage="draft")
            generation_id = await service.log_generation(made, dict.fromkeys(NAMES[:3], 1))
            await service.record_feedback(generation_id, selected_images=[0])
        await asyncio.wait_for(service.recomputed(), 60)

    seen = [each for each in told if each is not None]
    assert len(seen) > 5
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert 0 < seen[0].done < seen[-1].done <= seen[-1].of
    assert [record.getMessage()[:14] for record in caplog.records] == ["The statistics", "The statistics"]
    await assert_all_is_counted_once(service)
    await service.close()


async def test_two_names_of_a_long_log_are_joined_beside_the_work(
    database_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it; meanwhile the sums of both are used; a process that ends leaves the rest."""
    await fill_file(database_file, 1_000)
    monkeypatch.setattr(renewal, "_REST", 1.0)
    service = await PreferenceService.open(database_file)
    first, second, *others = await service.checkpoints()
    names = [row.checkpoint for row in (first, second, *others[:4])]

    await service.join_checkpoints(first.checkpoint, second.checkpoint)
    told = (await service.overview()).recomputing
    of_both = {row.checkpoint: row.total for row in await service.checkpoints()}
    for prompt in prompts(1_000, 10, seed=3):
        made = await service.recommend(prompt, names[1:], stage="draft")
        generation_id = await service.log_generation(made, dict.fromkeys(names[1:4], 1))
        await service.record_feedback(generation_id, selected_images=[0])
    await service.close()
    until = left_by_a_dead_worker(database_file)
    service = await PreferenceService.open(database_file)
    await asyncio.wait_for(service.recomputed(), 60)

    assert told is not None
    assert told.done < told.of == 1_000
    assert of_both[second.checkpoint] == first.total + second.total
    assert first.checkpoint not in of_both
    assert until < 1_010
    assert {row.checkpoint: row.total for row in await service.checkpoints()}[second.checkpoint] == (
        first.total + second.total + 10
    )
    await assert_all_is_counted_once(service)
    await service.close()


def left_by_a_dead_worker(file: Path) -> int:
    """Nobody has been seen at it for long; gives the generation that it has come up to."""
    with closing(sqlite3.connect(file)) as connection, connection:
        (until,) = connection.execute("SELECT generation FROM recomputation").fetchone()
        connection.execute("UPDATE recomputation SET seen_at = '2020-01-01 00:00:00.000000'")
    return int(until)


async def test_closing_does_not_wait_for_it_and_the_next_goes_on(database_file: Path) -> None:
    """A command that opens the database for a moment must not stay for minutes."""
    await fill_file(database_file, 1_000)
    service = await PreferenceService.open(database_file)
    await make_former(service)
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
from context_checkpoint.learning.maintenance import rebuild_task as renewal
from context_checkpoint.learning.store import rebuild as recomputation
recomputation.LEASE_S, renewal._LOOK_EVERY_S = 0.5, 0.1
recomputation.ROUNDS, recomputation.ROWS, renewal._REST = 3, 20, 2.0

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
from context_checkpoint.learning.store import rebuild as recomputation
recomputation.LEASE_S = 1e9  # it leaves that to the others

async def judge(path, seed):
    service = await PreferenceService.open(path)
    chance = random.Random(seed)
    ids = [each.id for each in await service.generations(limit=2000)]
    while True:
        generation_id = chance.choice(ids)
        count = len((await service.generation(generation_id)).images)
        marks = [chance.choice("+-.") for _ in range(count)]
        said = [[place for place in range(count) if marks[place] == mark] for mark in "+-"]
        await service.record_feedback(generation_id, selected_images=said[0], rejected_images=said[1])
        print(generation_id, "".join(marks), flush=True)

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


async def test_killed_again_and_again_while_two_are_at_it_and_a_third_judges(database: str) -> None:
    """`kill -9` in the middle of a page or between two: the next go on, and each verdict counts once."""
    chance = random.Random(8)  # noqa: S311 - not for secrets
    service = await PreferenceService.open(database)
    await lived(service, chance, 250)
    await make_former(service, bases=True)
    await service._database.write(lambda connection: recomputation.begin(connection, "nobody", NOW))
    judging = [started(JUDGING, database, str(seed)) for seed in range(2)]
    for process in judging:
        until(process, bool)
    kills, state = 0, select(recomputation.recomputation.c.generation)
    at = []
    while True:
        pair = [started(RECOMPUTING, database) for _ in range(2)]
        until(pair[0], lambda line: line == "opened\n")
        await asyncio.sleep(chance.uniform(0.1, 0.7))
        for process in pair:
            process.kill()
        outs = [process.communicate()[0] for process in pair]
        if "done\n" in "".join(outs):
            break
        kills += 1
        at.append((await service._database.read(lambda held: held.execute(state))).scalar())
        assert kills < 100
    said: dict[str, str] = {}
    for process in judging:
        process.kill()
        out, _ = process.communicate()
        said |= dict(line.split() for line in out.splitlines() if len(line.split()) == 2)

    assert kills >= 2, at
    assert len(said) > 50
    assert await stored(service) == await of_the_log(service)
    assert (await service.rebuild()).corrected == 0
    await service.close()


async def test_a_rebuild_takes_over_from_whoever_is_at_it(service: PreferenceService) -> None:
    """Somebody asked for it, and gets the whole report."""
    await lived(service, random.Random(9), 20)  # noqa: S311 - not for secrets
    await make_former(service)
    await one_step(service, worker="somebody else", now=datetime.now(timezone.utc))

    report = await service.rebuild()
    judged = (await service.overview()).judged

    assert report.generations == judged
    assert report.corrected > 0
    assert (await one_step(service, worker="somebody else")).done
    await assert_all_is_counted_once(service)


async def test_a_copy_with_former_sums_that_is_restored_in_use_is_recomputed_too(database_file: Path) -> None:
    """It was made before that was done, and nobody opens the database anew."""
    service = await PreferenceService.open(database_file, backups_kept=1)
    await lived(service, random.Random(12), 20)  # noqa: S311 - not for secrets
    await make_former(service)

    assert service._database.after_restoring is not None
    await service._database.after_restoring()
    await service.recomputed()

    await assert_all_is_counted_once(service)
    await service.close()


async def test_new_sums_renew_the_identity_that_copies_follow(service: PreferenceService) -> None:
    """What stands in for a server while it is away holds the former sums: it is to take the new ones."""
    await lived(service, random.Random(10), 20)  # noqa: S311 - not for secrets
    identity = select(learned_state.c.identity)
    before = (await service._database.read(lambda held: held.execute(identity))).scalar()
    await service.rebuild()
    rebuilt = (await service._database.read(lambda held: held.execute(identity))).scalar()
    await make_former(service)
    await recompute(service)
    after = (await service._database.read(lambda held: held.execute(identity))).scalar()

    assert before == rebuilt
    assert after != before


async def test_pairs_that_came_from_nowhere_are_gone_afterwards(sqlite_service: PreferenceService) -> None:
    """Rows that a hand added, and one it removed."""
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
