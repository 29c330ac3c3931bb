"""`python run.py bench settings`: how well settings are learned; the tables of docs/arena.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import people, simulated

SEEDS, PROMPTS = 20, 80


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench settings", description=__doc__)
    parser.add_argument("--galleries", type=Path, metavar="FILE", help="galleries of people, JSON lines in gzip")
    galleries = parser.parse_args().galleries
    print(simulated.table(simulated.measure(SEEDS, PROMPTS)))
    if galleries is not None:
        print(people.table(people.measure(galleries)))


if __name__ == "__main__":
    main()
