"""`python -m benchmarks.arena`: play what is missing, print the tables, draw the curves."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from context_checkpoint.learning.policies import POLICIES

from .figures import DECISION_AIM_MS, DECISION_MS
from .picture import draw
from .players import PLAYERS
from .results_file import ResultsFile, default_path
from .table import boosters_cost, grouped, report
from .timing import decision_ms
from .tournament import PROCESSES, missing, run
from .worlds import WORLDS

SEEDS, QUICK_SEEDS = 20, 4

_DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, PICTURE = _DOCS / "arena.md", _DOCS / "images" / "arena.svg"
BEGIN, END = "<!-- played: begin -->", "<!-- played: end -->"


def main(arguments: list[str] | None = None) -> int:
    """Exit with 1 if there is nothing that could be played."""
    options = _parser().parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # small matrices: threads only get in the way
        os.environ.setdefault(name, "1")
    worlds = _playable({name: WORLDS[name].missing(options.data) for name in options.world or WORLDS})
    players = _playable({name: PLAYERS[name].missing for name in options.player or PLAYERS})
    seeds = range(options.seeds or (QUICK_SEEDS if options.quick else SEEDS))
    results = ResultsFile(options.results)
    run(missing(worlds, players, seeds, results.cells(), data=options.data), results, options.processes)
    wanted = {key: cell for key, cell in results.cells().items() if key[0] in worlds and key[2] in seeds}
    played = grouped(wanted, players)
    text = "\n\n".join(report(WORLDS[name], players) for name, players in played.items())
    if cost := boosters_cost(played):
        text += "\n\n### Boosters against none\n\n" + "\n".join(f"- {line}" for line in cost)
    if not options.quick and (policies := [name for name in players if name in POLICIES]):
        text += "\n\n### Time\n\n" + "\n".join(_decisions(policies))
    print(text)
    if options.write and played:
        PICTURE.write_text(draw(played), "utf-8")
        _write(text)
    elif options.picture:
        options.picture.write_text(draw(played), "utf-8")
    return 0 if played else 1


def _decisions(policies: list[str]) -> list[str]:
    aim = f"[{DECISION_MS:g} ms, aim {DECISION_AIM_MS:g} ms]"
    return [
        f"- one decision of {policy}, 200 candidates, 30 keywords: {decision_ms(policy):.2f} ms {aim}"
        for policy in policies
    ]


def _write(text: str) -> None:
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")
    print(f"\nWrote {PAGE} and {PICTURE}.")


def _playable(reasons: dict[str, str]) -> list[str]:
    """Those that nothing keeps from playing; the others are named loudly."""
    for name, reason in reasons.items():
        if reason:
            print(f"NOT PLAYED: {name}: needs {reason}", file=sys.stderr)
    return [name for name, reason in reasons.items() if not reason]


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
    add("--results", type=Path, default=default_path(), metavar="FILE", help="finished cells: %(default)s")
    add("--picture", type=Path, default=None, metavar="FILE", help="draw the curves as an SVG")
    add("--write", action="store_true", help="update docs/arena.md and its picture")
    add("--processes", type=int, default=PROCESSES)
    add("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds, no timing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
