"""A long log is counted in the background: who looks meanwhile waits for no more than a page of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scale.tables import fill_file
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.reports import Progress
from context_checkpoint.learning.store import overview, rollup_task, rollups

GENERATIONS = 3_000


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand generations are a long log, and a page is a small part of it."""
    monkeypatch.setattr(rollup_task, "MANY", 200)
    monkeypatch.setattr(rollups, "_BLOCKS_AT_ONCE", 2)
    monkeypatch.setattr(rollups, "FEWEST", 100)
    monkeypatch.setattr(rollup_task, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(rollup_task, "_REST", 3.0)


async def test_a_look_meanwhile_is_answered_with_what_has_been_counted(database_file: Path) -> None:
    """And is shown how much that is; in the end all of it is counted, and no part is mentioned."""
    await fill_file(database_file, GENERATIONS)
    service = await PreferenceService.open(database_file)
    first = await service.overview()
    series, shown = await service.series(10), await service.images_shown()
    pairs, _ = await service.pairs(limit=5)
    later = first
    for _ in range(2_000):
        if (later := await service.overview()).counting is None:
            break
        await asyncio.sleep(0.01)
    exact = await service._database.read(lambda connection: overview.overview(connection, exact=True))

    assert first.counting is not None
    assert 0 <= first.counting.done < first.counting.of == GENERATIONS
    assert first.generations <= first.counting.done
    assert first.generations <= sum(point.generations for point in series) < GENERATIONS
    assert first.images <= sum(shown.values()) < exact.images
    assert later.average_confidence == pytest.approx(exact.average_confidence)
    assert replace(later, average_confidence=None) == replace(exact, average_confidence=None)
    assert sum(point.generations for point in await service.series(10)) == GENERATIONS
    assert (await service.pairs(limit=5))[0] == pairs
    await service.close()


async def test_it_is_counted_by_itself_after_opening(database_file: Path) -> None:
    """So that whoever looks later does not wait at all."""
    await fill_file(database_file, GENERATIONS)
    service = await PreferenceService.open(database_file)
    for _ in range(2_000):
        if not await service._database.read(rollups.remaining):
            break
        await asyncio.sleep(0.01)
    assert await service._database.read(rollups.behind) is False
    await service.close()


async def test_closing_ends_it(database_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one that opens it goes on."""
    monkeypatch.setattr(rollup_task, "_REST", 50.0)
    await fill_file(database_file, GENERATIONS)
    service = await PreferenceService.open(database_file)
    await service.overview()
    await asyncio.wait_for(service.close(), 5)
    service = await PreferenceService.open(database_file)
    left = await service._database.read(rollups.progress)
    await service.close()

    assert 0 < left.done < left.of


async def test_an_import_keeps_the_sums_up_to_date(
    database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks right afterwards waits for nothing."""
    monkeypatch.setattr(rollup_task, "MANY", 100_000)
    generations = 2 * rollups.BLOCK + 1
    await fill_file(tmp_path / "from.db", generations)
    source = await PreferenceService.open(tmp_path / "from.db")
    service = await PreferenceService.open(database_file)
    await service.import_lines(source.export())

    assert await service._database.read(rollups.behind) is False
    assert await service._database.read(rollups.progress) == Progress(2 * rollups.BLOCK, generations)
    assert (await service.overview()).judged == (await source.overview()).judged
    await service.close()
    await source.close()
