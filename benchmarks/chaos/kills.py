"""Two programs write one SQLite file, and are killed at random moments (`kill -9`)."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from context_checkpoint.learning import PreferenceService

from .results import Trial
from .workers import Told, compared, entries, start

WORKERS = 2


def run(seed: int, kills: int = 4) -> Trial:
    """So many times, start the programs and kill them within a second or two."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_trial(Path(folder), random.Random(seed), kills))  # noqa: S311 - nothing secret


async def _trial(folder: Path, chance: random.Random, kills: int) -> Trial:
    database, told = str(folder / "preferences.db"), Told()
    await (await PreferenceService.open(database)).close()
    for _ in range(kills):
        workers = [await start(database, folder, number) for number in range(WORKERS)]
        reading = [asyncio.ensure_future(entries(worker)) for worker in workers]
        for worker in workers:
            await asyncio.sleep(chance.random())
            worker.kill()
            await worker.wait()
        told += [entry for each in await asyncio.gather(*reading) for entry in each]
    for number in range(WORKERS):  # what waits because the other one held the file
        await (await PreferenceService.open(database, outbox=folder / f"worker{number}")).close()
    return await compared(database, told)
