"""A short run of each trial of `run.py chaos`, and that a trial sees what is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.chaos import kills, outages
from benchmarks.chaos.workers import compared
from context_checkpoint.learning import PreferenceService


def test_nothing_is_lost_by_kills() -> None:
    """Two programs on one file, killed twice."""
    trial = kills.run(seed=1, kills=2)
    assert trial.acknowledged > 10
    assert trial.lost == ()


@pytest.mark.postgres
def test_nothing_is_lost_by_outages() -> None:
    """One of each kind, under three workers."""
    trial = outages.run(seed=1)
    assert trial.acknowledged > 10
    assert trial.lost == ()


async def test_what_is_lost_is_seen(tmp_path: Path) -> None:
    """A generation that is not there, an older verdict than the one that was acknowledged, sums that do not fit."""
    database = str(tmp_path / "preferences.db")
    service = await PreferenceService.open(database)
    generation_id = await service.log_generation(await service.recommend("a cat", ["a", "b"]), {"a": 1, "b": 1})
    judged = await service.record_feedback(generation_id, {"a": 1})
    await service.close()
    assert judged.judged_at is not None
    told = [{"logged": generation_id}, {"judged": generation_id, "marks": "+.", "at": judged.judged_at.isoformat()}]
    assert (await compared(database, json.loads(json.dumps(told)))).lost == ()

    newer = {"judged": generation_id, "marks": ".+", "at": "2999-01-01T00:00:00+00:00"}
    trial = await compared(database, [*told, {"logged": "0" * 32}, newer])
    assert [line[:32] for line in trial.lost] == [generation_id, "0" * 32]
