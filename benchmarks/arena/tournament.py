"""Many matches: which cells are missing, two processes that play them, and a file that remembers them.

One job is one world with one seed, because there the default policy plays first: it sets the pace (how many
checkpoints the peers may show for each prompt).
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from context_checkpoint.learning.policies import DEFAULT_POLICY

from .match import Cell, play
from .players import PLAYERS
from .results_file import ResultsFile
from .worlds import WORLDS

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Job:
    """The missing players of one world and seed; `pace` is the default policy's counts if it has played."""

    world: str
    seed: int
    players: tuple[str, ...]
    pace: str
    data: Path | None
    prompts: int | None


def missing(
    worlds: Sequence[str],
    players: Sequence[str],
    seeds: Sequence[int],
    done: dict[tuple[str, str, int], Cell],
    *,
    data: Path | None = None,
    prompts: int | None = None,
) -> list[Job]:
    """What is still to be played. The default policy is added where a player needs its pace."""
    jobs = []
    for seed in seeds:
        for world in worlds:
            able = [name for name in players if not PLAYERS[name].worlds or world in PLAYERS[name].worlds]
            left = [name for name in able if (world, name, seed) not in done]
            paced = [name for name in left if PLAYERS[name].paced]
            leader = done.get((world, DEFAULT_POLICY, seed))
            if paced and leader is None and DEFAULT_POLICY not in left:
                left.append(DEFAULT_POLICY)
            if left:
                pace = leader.counts if leader else ""
                jobs.append(Job(world, seed, tuple(left), pace, data, prompts))
    return jobs


def run(jobs: Sequence[Job], results: ResultsFile, processes: int = PROCESSES) -> None:
    """Play all jobs, and keep every cell as soon as its world and seed are done."""
    began, total = time.monotonic(), len(jobs)
    for number, cells in enumerate(_played(jobs, processes), start=1):
        results.add(cells)
        if sys.stderr.isatty() or number in {total, *range(0, total, 20)}:
            spent = time.monotonic() - began
            print(f"{number}/{total} worlds played, {spent:.0f} s", file=sys.stderr, flush=True)


def _played(jobs: Sequence[Job], processes: int) -> Iterator[list[Cell]]:
    if processes < 2 or len(jobs) < 2:
        yield from map(play_job, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(min(processes, len(jobs))) as pool:
        yield from pool.imap_unordered(play_job, jobs)


def play_job(job: Job) -> list[Cell]:
    """Play one world and seed, the default policy first."""
    world = WORLDS[job.world]
    pace = tuple(map(int, job.pace))
    cells = []
    for name in sorted(job.players, key=lambda name: name != DEFAULT_POLICY):
        cell = play(world, PLAYERS[name], job.seed, data=job.data, pace=pace, prompts=job.prompts)
        if name == DEFAULT_POLICY:
            pace = tuple(map(int, cell.counts))
        cells.append(cell)
    return cells
