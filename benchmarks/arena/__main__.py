"""`python -m benchmarks.arena`: play what is missing, print the tables, draw the curves."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from .players import PLAYERS
from .results_file import ResultsFile, default_path
from .table import against_figures, grouped, world_table
from .tournament import PROCESSES, missing, run
from .worlds import WORLDS

SEEDS, QUICK_SEEDS = 20, 4


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    logging.getLogger("context_checkpoint").setLevel(logging.WARNING)
    worlds = asked.world or list(WORLDS)
    players = asked.player or list(PLAYERS)
    seeds = range(asked.seeds or (QUICK_SEEDS if asked.quick else SEEDS))
    results = ResultsFile(asked.results)
    run(missing(worlds, players, seeds, results.cells(), data=asked.data), results, asked.processes)
    wanted = {key: cell for key, cell in results.cells().items() if key[0] in worlds and key[2] in seeds}
    for name, held in grouped(wanted, players).items():
        print(f"\n{name}: {WORLDS[name].told}, {len(seeds)} seeds\n\n{world_table(WORLDS[name], held)}")
        for line in against_figures(WORLDS[name], held):
            print(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.arena", description=__doc__)
    add = parser.add_argument
    add("--world", action="append", choices=list(WORLDS), metavar="NAME", help=f"one of {', '.join(WORLDS)}")
    add(
        "--player",
        action="append",
        choices=list(PLAYERS),
        metavar="NAME",
        help=f"one of {', '.join(PLAYERS)}",
    )
    add("--seeds", type=int, default=0, help=f"how many, from 0 (default {SEEDS}, quick {QUICK_SEEDS})")
    add("--data", type=Path, default=None, metavar="DIR", help="folder of the real prompts and ratings")
    add(
        "--results",
        type=Path,
        default=default_path(),
        metavar="FILE",
        help="finished cells (default %(default)s)",
    )
    add("--processes", type=int, default=PROCESSES)
    add("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
