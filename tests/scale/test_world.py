"""The scale benchmark measures databases that living through the same rounds would have made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.scale.tables import fill_file
from context_checkpoint.learning import PreferenceService


async def test_the_statistics_of_a_generated_history_are_those_of_its_log(tmp_path: Path) -> None:
    """Recomputing all of them corrects none, and the service reads and judges what was written."""
    path = tmp_path / "preferences.db"
    await fill_file(path, 400)

    service = await PreferenceService.open(path)
    report = await service.rebuild()
    newest = (await service.generations(limit=1, judged=True))[0]
    again = await service.record_feedback(newest.id, rejected_images=[0])
    await service.close()

    assert report.generations == 295
    assert report.corrected == 0
    assert newest.prompt.count("word") == len(newest.keywords)
    assert again.images[0].verdict == "rejected"


async def test_the_same_seed_makes_the_same_history(tmp_path: Path) -> None:
    """So that two machines measure the same."""
    tables = []
    for name in ("one.db", "other.db"):
        await fill_file(tmp_path / name, 50)
        with closing(sqlite3.connect(tmp_path / name)) as database:
            tables.append(database.execute("SELECT * FROM pair_statistics").fetchall())

    assert tables[0] == tables[1]
    assert len(tables[0]) > 500
