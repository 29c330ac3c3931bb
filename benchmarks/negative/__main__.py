"""`python run.py bench negative`: how well negative words are suggested; the tables of docs/arena.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import people, simulated

SEEDS, PROMPTS = 40, 120


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench negative", description=__doc__)
    parser.add_argument("--galleries", type=Path, metavar="FILE", help="galleries of people, JSON lines in gzip")
    galleries = parser.parse_args().galleries
    print(simulated.table(simulated.measure(SEEDS, PROMPTS)))
    if galleries is not None:
        print(people.report(people.measure(galleries)))


if __name__ == "__main__":
    main()
