"""A program that logs and judges as fast as it can, and prints what was acknowledged: one JSON object a line.

`python -m benchmarks.chaos.worker DATABASE FOLDER IDS SEED`. In the file IDS all workers write the ids of their
generations, so that each also judges what others made. It ends with its input, once nothing waits in its outbox.
"""

# ruff: noqa: ASYNC110 - nothing tells when all has been delivered
from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from pathlib import Path

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import StoreUnavailable, UnknownGeneration
from context_checkpoint.learning.values import Recommendation

CHECKPOINTS = ("a", "b", "c")
_REST_S = 0.02
_LAST_DELIVERY_S = 60.0


async def main(database: str, folder: Path, ids: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    service = await PreferenceService.open(database, outbox=folder, busy_timeout_s=0.5)
    recommendation = await service.recommend("anime girl, night", CHECKPOINTS, stage="draft")
    _tell({"ready": database})
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        with contextlib.suppress(StoreUnavailable, UnknownGeneration):  # it was not acknowledged
            await _step(service, recommendation, ids, chance)
        await asyncio.sleep(_REST_S * chance.random())
    deadline = asyncio.get_running_loop().time() + _LAST_DELIVERY_S
    while await service.waiting() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.1)
    await service.close()


async def _step(service: PreferenceService, recommendation: Recommendation, ids: Path, chance: random.Random) -> None:
    known = ids.read_text("ascii").split() if ids.exists() else []  # noqa: ASYNC240 - a short file
    if known and chance.random() < 0.5:
        generation_id = chance.choice(known[-30:])
    else:
        generation_id = await service.log_generation(recommendation, dict.fromkeys(CHECKPOINTS, 1))
        _tell({"logged": generation_id})
        with ids.open("a", encoding="ascii") as file:
            file.write(f"{generation_id}\n")
    winner = chance.randrange(len(CHECKPOINTS))
    judged = await service.record_feedback(generation_id, selected_images=[winner])
    marks = "".join("+" if image.verdict == "selected" else "." for image in judged.images)
    assert judged.judged_at is not None
    _tell({"judged": generation_id, "marks": marks, "at": judged.judged_at.isoformat()})


def _tell(entry: dict[str, str]) -> None:
    print(json.dumps(entry), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
