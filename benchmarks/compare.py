"""Two versions of the pack, measured in turn on the same database: `python -m benchmarks.compare OTHER_TREE`.

Separate from the other measurements because a busy machine blurs what one run says of one version. Here both
versions are measured in the same minutes, several times in turn, and what counts is the ratio. Computing time
of the process, which other programs blur less, stands next to the time that a caller waits. It asks for nothing
but the public `PreferenceService`, so that any version can be compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from .latency import TIMED, WARM_UP
from .scale.server import programs, server
from .scale.tables import fill_file, fill_server
from .scale.world import prompts

ROOT = Path(__file__).resolve().parent.parent
GENERATIONS, TURNS = 10_000, 5
Times = Mapping[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description="Measure two versions in turn.")
    parser.add_argument("other", type=Path, help="the folder of the other version, the one of before")
    parser.add_argument("--generations", type=int, default=GENERATIONS)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--server", action="store_true", help="on a PostgreSQL of its own, not in a file")
    chosen = parser.parse_args()
    trees = {"before": chosen.other.resolve(), "now": ROOT}
    rounds: dict[str, list[Times]] = {name: [] for name in trees}
    with tempfile.TemporaryDirectory() as folder:
        packages = {name: _package(Path(folder) / name, tree) for name, tree in trees.items()}
        words = prompts(chosen.generations, WARM_UP + TIMED, seed=1)
        with _database(Path(folder), chosen.generations, on_server=chosen.server) as fresh:
            for _ in range(chosen.turns):
                for name, package in packages.items():
                    with fresh() as address:
                        rounds[name].append(_in_its_own_process(package, address, words))
    print(_table(rounds))
    return 0


def _package(folder: Path, tree: Path) -> Path:
    """A folder in which the tree is the package `context_checkpoint`."""
    folder.mkdir()
    (folder / "context_checkpoint").symlink_to(tree, target_is_directory=True)
    return folder


@contextmanager
def _database(folder: Path, generations: int, *, on_server: bool) -> Iterator[Callable[[], Any]]:
    """Fill a database; what it gives makes a copy of that for one turn."""
    if on_server:
        where = programs()
        assert where is not None, "There is no PostgreSQL here."
        with server(where) as address:
            asyncio.run(fill_server(address, generations))
            yield lambda: nullcontext(address)
        return
    path = folder / "filled.db"
    asyncio.run(fill_file(path, generations))

    @contextmanager
    def copy() -> Iterator[str]:
        with tempfile.TemporaryDirectory() as place:
            yield str(shutil.copy(path, place))

    yield copy


def _in_its_own_process(package: Path, address: str, words: list[str]) -> Times:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("latency.py")],
        env={**os.environ, "PYTHONPATH": str(package)},
        input=json.dumps({"address": address, "prompts": words}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    times: Times = json.loads(done.stdout)
    return times


def _table(rounds: Mapping[str, list[Times]]) -> str:
    """The least of all turns for each version, which other programs blurred least, and the median of the ratios."""
    lines = [f"| what | {' | '.join(rounds)} | ratio |", "|---|---|---|---|"]
    before, now = rounds.values()
    for name in before[0]:
        ratio = statistics.median(new[name] / old[name] for old, new in zip(before, now, strict=True))
        cells = [f"{min(turn[name] for turn in turns):.2f} ms" for turns in (before, now)]
        lines.append(f"| {name} | {' | '.join(cells)} | {ratio:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
