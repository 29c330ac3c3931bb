"""Worker programs: started, listened to, and what they were told compared with the database."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from context_checkpoint.learning import PreferenceService

from .results import Trial

ROOT = Path(__file__).resolve().parent.parent.parent
Told = list[dict[str, str]]


async def start(address: str, folder: Path, number: int) -> asyncio.subprocess.Process:
    """Start a worker and return when it is ready; its output and its outbox are in `folder`."""
    with (folder / f"worker{number}.log").open("wb") as log:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            *(
                "-m",
                "benchmarks.chaos.worker",
                address,
                str(folder / f"worker{number}"),
                str(folder / "ids"),
                str(number),
            ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert worker.stdout is not None
    await worker.stdout.readline()
    return worker


async def entries(worker: asyncio.subprocess.Process) -> Told:
    """What the worker was told, until it ends."""
    assert worker.stdout is not None
    return [json.loads(line) async for line in worker.stdout]


async def compared(address: str, told: Told) -> Trial:
    """Every generation must be there, with the newest of its verdicts or a newer one, and the statistics must fit."""
    logged = {entry["logged"] for entry in told if "logged" in entry}
    verdicts = [entry for entry in told if "judged" in entry]
    newest: dict[str, tuple[str, str]] = {}
    for entry in verdicts:
        verdict = entry["at"], entry["marks"]
        newest[entry["judged"]] = max(verdict, newest.get(entry["judged"], verdict))
    service = await PreferenceService.open(address)
    lost = []
    async for line in service.export():
        stored = json.loads(line)
        if "id" not in stored:
            continue
        logged.discard(stored["id"])
        expected = newest.pop(stored["id"], None)
        verdict = stored.get("verdict", {})
        there = verdict.get("at", "").replace("Z", "+00:00"), verdict.get("marks", "")
        if expected is not None and there < expected:
            lost.append(f"{stored['id']}: {expected} was acknowledged, {there} is stored")
    lost += [f"{generation_id}: logged, and not there" for generation_id in sorted(logged)]
    lost += [f"{generation_id}: judged, and not there" for generation_id in sorted(newest)]
    report = await service.rebuild()
    await service.close()
    if report.corrected:
        lost.append(f"{report.corrected} statistics do not follow from the log")
    return Trial(len(told), tuple(lost))
