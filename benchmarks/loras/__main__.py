"""`python run.py bench loras`: how well LoRAs are learned; the tables of docs/arena.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import latency, people, simulated, together

SEEDS, PROMPTS, PEOPLE = 12, 150, 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench loras", description=__doc__)
    parser.add_argument("--galleries", type=Path, metavar="FILE", help="galleries of people, JSON lines in gzip")
    galleries = parser.parse_args().galleries
    print(simulated.table(simulated.measure(SEEDS, PROMPTS)))
    print(together.table(PEOPLE, PROMPTS))
    print(latency.table())
    if galleries is not None:
        print(people.table(people.measure(galleries)))


if __name__ == "__main__":
    main()
