"""`python run.py chaos`: break things for a while, and print what was acknowledged, found and lost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

from . import damage, kills, outages
from .results import Trial

TRIALS: Mapping[str, Callable[[int], Trial]] = {"kills": kills.run, "outages": outages.run, "damage": damage.run}


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py chaos", description=__doc__)
    parser.add_argument("trials", nargs="*", choices=[*TRIALS, []], help="which; all of them if none is named")
    parser.add_argument("--seconds", type=float, default=300.0, help="for how long, all together (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="of the first trial; each further one adds 1")
    chosen = parser.parse_args()
    names = chosen.trials or [*TRIALS]
    sums, counts = dict.fromkeys(names, Trial()), dict.fromkeys(names, 0)
    end, seed = time.monotonic() + chosen.seconds, chosen.seed
    while time.monotonic() < end:
        for name in names:
            try:
                sums[name] += TRIALS[name](seed)
            except RuntimeError as error:
                print(f"{name}: not tried. {error}")
                continue
            counts[name] += 1
        seed += 1
    print("| trial | times | acknowledged | found | lost |\n|---|---|---|---|---|")
    for name, trial in sums.items():
        print(f"| {name} | {counts[name]} | {trial.acknowledged} | {trial.found} | {len(trial.lost)} |")
    for name, trial in sums.items():
        for lost in trial.lost:
            print(f"{name}: {lost}")
    return 1 if any(trial.lost for trial in sums.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
