"""Two servers, the command line, an import and scripts on one file at once: nobody is turned away.

`tests/learning/test_durability.py` does it with eight of one kind, and longer.
"""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from context_checkpoint.learning import PreferenceService

from .conftest import NAMES, CommandLine

EACH = 12
"""Generations for each to judge; the command line takes a process for each verdict."""
BY_COMMAND = 4


async def logged(database: Path, count: int) -> list[str]:
    service = await PreferenceService.open(database)
    ids = []
    for number in range(count):
        recommendation = await service.recommend(f"anime girl, place {number}", NAMES, stage="draft")
        ids.append(await service.log_generation(recommendation, dict.fromkeys(NAMES, 1)))
    await service.close()
    return ids


async def judged_by_script(database: Path, ids: list[str], keep: int) -> None:
    service = await PreferenceService.open(database)
    for generation_id in ids:
        await service.record_feedback(generation_id, selected_images=[keep])
        await service.recommend("anime girl", NAMES)
    await service.close()


def judged_over_http(address: str, ids: list[str], keep: int) -> None:
    for generation_id in ids:
        body = json.dumps({"generation_id": generation_id, "selected_images": [keep]}).encode()
        request = urllib.request.Request(  # noqa: S310 - this machine's
            f"{address}context_checkpoint/feedback", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            assert answer.status == 200


def judged_by_command(run: CommandLine, database: Path, ids: list[str], keep: int) -> None:
    for generation_id in ids:
        at = ("--database", str(database))
        done = run("feedback", generation_id, "--selected-images", str(keep), *at)
        assert (done.status, done.err) == (0, "")


def test_all_kinds_of_programs_write_one_file_at_once(run: CommandLine, database: Path, tmp_path: Path) -> None:
    """Every verdict that was answered is there, an import is whole, and the sums are those of all."""
    other = tmp_path / "other.db"
    asyncio.run(logged(other, 60))
    assert run("export", str(tmp_path / "other.jsonl"), "--database", str(other)).status == 0
    ids = asyncio.run(logged(database, 5 * EACH))
    shares = [ids[start::5] for start in range(5)]
    shares[4] = shares[4][:BY_COMMAND]
    kept = {generation_id: place % 3 for place, share in enumerate(shares) for generation_id in share}

    def imported() -> None:
        done = run("import", str(tmp_path / "other.jsonl"), "--database", str(database))
        assert (done.status, done.err) == (0, "")

    with run.served(database) as one, run.served(database) as two, ThreadPoolExecutor() as threads:
        together = threading.Barrier(6)
        work: list[Callable[[], object]] = [
            lambda: judged_over_http(one, shares[0], 0),
            lambda: judged_over_http(two, shares[1], 1),
            lambda: asyncio.run(judged_by_script(database, shares[2], 2)),
            lambda: asyncio.run(judged_by_script(database, shares[3], 0)),
            lambda: judged_by_command(run, database, shares[4], 1),
            imported,
        ]

        def begun(what: Callable[[], object]) -> object:
            together.wait(30)
            return what()

        for done in [threads.submit(begun, what) for what in work]:
            done.result(timeout=120)

    async def look() -> None:
        service = await PreferenceService.open(database)
        assert (await service.overview()).generations == len(ids) + 60
        for generation_id, keep in kept.items():
            images = (await service.generation(generation_id)).images
            assert [image.position for image in images if image.verdict == "selected"] == [keep]
        assert (await service.rebuild()).corrected == 0
        await service.close()

    asyncio.run(look())
