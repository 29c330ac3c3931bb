"""What was acknowledged is there: after `kill -9` at any moment, and with eight processes writing at once.

`CC_KILLS=500` and `CC_WRITERS_S=60` in the environment make both as long as docs/reliability.md tells.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from context_checkpoint.learning import PreferenceService

KILLS = int(os.environ.get("CC_KILLS", "8"))
WRITERS_S = float(os.environ.get("CC_WRITERS_S", "2"))

WRITER = """
import asyncio, sys, time
from context_checkpoint.learning import PreferenceService

async def write(path, seconds, winner):
    service = await PreferenceService.open(path)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        recommendation = await service.recommend(f"anime girl, word {number % 7}", ["a", "b", "c"], stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys("abc", 1))
        for kept in ("c", winner):  # a person who changes their mind
            await service.record_feedback(generation_id, {kept: 1})
        print(generation_id, flush=True)
        number += 1
    await service.close()

asyncio.run(write(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
"""


def writer(path: Path, seconds: float, winner: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), str(seconds), winner]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def missing(service: PreferenceService, acknowledged: dict[str, str]) -> list[str]:
    """The generations whose acknowledged verdict is not the one that is there."""
    lost = []
    for generation_id, winner in acknowledged.items():
        images = (await service.generation(generation_id)).images
        kept = [image.file.checkpoint for image in images if image.verdict == "selected"]
        if kept != [winner]:
            lost.append(generation_id)
    return lost


async def test_a_killed_process_loses_nothing_that_it_acknowledged(database_file: Path) -> None:
    """At random moments, in the middle of whatever it does; the statistics equal a rebuild each time."""
    chance = random.Random(7)  # noqa: S311 - not for secrets
    ever: dict[str, str] = {}
    for kill in range(KILLS):
        winner = chance.choice("ab")
        with writer(database_file, 60, winner) as process:
            assert process.stdout is not None
            acknowledged = {process.stdout.readline().strip(): winner}
            try:
                process.wait(chance.uniform(0, 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
            acknowledged |= {line.strip(): winner for line in process.stdout if line.endswith("\n")}
            assert process.stderr is not None
            assert "" not in acknowledged, process.stderr.read()

        service = await PreferenceService.open(database_file)
        assert await missing(service, acknowledged) == [], f"after kill {kill}"
        assert (await service.rebuild()).corrected == 0, f"after kill {kill}"
        await service.close()
        ever |= acknowledged
    service = await PreferenceService.open(database_file)
    assert await missing(service, ever) == []
    print(f"{KILLS} kills, {len(ever)} acknowledged generations, none lost")  # noqa: T201 - for `pytest -s`
    await service.close()


async def test_eight_processes_write_one_file_and_no_update_is_lost(database_file: Path) -> None:
    """No writer fails because the database is locked, and the sums are those of all verdicts."""
    await (await PreferenceService.open(database_file)).close()
    writers = [(writer(database_file, WRITERS_S, winner), winner) for winner in "ab" * 4]

    acknowledged: dict[str, str] = {}
    for process, winner in writers:
        out, err = process.communicate(timeout=WRITERS_S + 60)
        assert (process.returncode, err) == (0, "")
        acknowledged |= dict.fromkeys(out.split(), winner)

    service = await PreferenceService.open(database_file)
    overview = (await service.statistics()).overview
    assert overview.generations == overview.judged == len(acknowledged) >= 8
    assert await missing(service, acknowledged) == []
    assert (await service.rebuild()).corrected == 0
    print(f"{WRITERS_S:g} s, {2 * len(acknowledged)} acknowledged verdicts, none lost")  # noqa: T201
    await service.close()
