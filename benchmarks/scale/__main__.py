"""`python -m benchmarks.scale`: make a database of each size, measure it, print and draw."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from .picture import draw
from .tables import fill_file

SIZES = (1_000, 10_000, 100_000)
_DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, PICTURE = _DOCS / "scale.md", _DOCS / "images" / "scale.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

MOST = {
    "recommend 12 p50": 2.0,
    "recommend 12 p99": 10.0,
    "verdict p50": 3.0,
    "open": 200.0,
    "bytes per preference record": 100.0,
    "memory": 150.0,
}
MOST_PANEL_MS = 200.0
UNITS = {
    "memory": "MB",
    "preference records": "",
    "keywords": "",
    "bytes per preference record": "bytes",
    "bytes per generation": "bytes",
}


def main(arguments: list[str] | None = None) -> int:
    """Exit with 1 if a target is missed at any size."""
    parser = argparse.ArgumentParser(
        prog="run.py bench scale", description="Measure what docs/scale.md tells."
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="GENERATIONS")
    parser.add_argument("--write", action="store_true", help="put the results into docs/scale.md")
    asked = parser.parse_args(arguments)
    began = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    measured = {size: _measured(size) for size in sorted(asked.sizes)}
    day = datetime.now(timezone.utc).date().isoformat()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("SQLAlchemy", "aiosqlite", "numpy"))
    text = (
        f"{day}, {os.cpu_count()} CPU cores, {platform.system()}, load {began:.1f} before; Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}.\n\n{_table(measured)}"
    )
    print(text)
    if asked.write:
        PICTURE.write_text(draw(measured), "utf-8")
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    return 0 if all(_met(name, value) for found in measured.values() for name, value in found.items()) else 1


def _measured(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preferences.db"
        asyncio.run(fill_file(path, size))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale.measures", str(path), str(size)],
            stdout=subprocess.PIPE,
            check=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _most(name: str) -> float | None:
    return MOST_PANEL_MS if name.startswith("panel") else MOST.get(name)


def _met(name: str, value: float) -> bool:
    most = _most(name)
    return most is None or value <= most


def _table(measured: Mapping[int, Mapping[str, float]]) -> str:
    lines = [
        f"| what | {' | '.join(f'{size:,} generations' for size in measured)} | target |",
        f"|---|{'---|' * (len(measured) + 1)}",
    ]
    for name in next(iter(measured.values())):
        unit = UNITS.get(name, "ms")
        cells = [
            _cell(found[name], unit) + ("" if _met(name, found[name]) else " **missed**")
            for found in measured.values()
        ]
        most = _most(name)
        lines.append(
            f"| {name} | {' | '.join(cells)} | {'-' if most is None else f'at most {most:g} {unit}'} |"
        )
    return "\n".join(lines)


def _cell(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or not unit else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
