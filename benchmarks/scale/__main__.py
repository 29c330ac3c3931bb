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
from .server import programs, server
from .tables import fill_file, fill_server

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SERVER_SIZES = (10_000, 100_000)
"""Of these a PostgreSQL is measured too, where there is one."""
_DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, PICTURE = _DOCS / "scale.md", _DOCS / "images" / "scale.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
REBUILD_BEGIN, REBUILD_END = "<!-- measured beside: begin -->", "<!-- measured beside: end -->"

MOST = {
    "recommend 12 p50": 3.0,
    "recommend 12 p99": 10.0,
    "recommend 12 again, same seed p50": 1.0,
    "verdict p50": 4.0,
    "all advice p50": 6.0,
    "verdict on LoRAs and steps p50": 4.0,
    "open": 200.0,
    "bytes per preference record": 100.0,
    "memory": 150.0,
    "memory that the pack adds": 150.0,
}
MOST_PANEL_MS = 200.0
UNITS = {
    "preference records": "",
    "keywords": "",
    "bytes per preference record": "bytes",
    "bytes per generation": "bytes",
}


def main(arguments: list[str] | None = None) -> int:
    """Exit with 1 if a target is missed at any size."""
    parser = argparse.ArgumentParser(prog="run.py bench scale", description="Measure what docs/scale.md tells.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="GENERATIONS")
    parser.add_argument("--server-sizes", type=int, nargs="*", default=SERVER_SIZES, metavar="GENERATIONS")
    parser.add_argument(
        "--rebuild",
        type=int,
        nargs="+",
        metavar="GENERATIONS",
        help="measure what somebody waits for while the statistics are recomputed, and ComfyUI's memory",
    )
    parser.add_argument("--write", action="store_true", help="put the results into docs/scale.md")
    chosen = parser.parse_args(arguments)
    began = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if chosen.rebuild:
        sizes = sorted(chosen.rebuild)
        columns = {f"{size:,}": _in_its_own_process("rebuilding", "file", size) for size in sizes}
        columns[f"{sizes[-1]:,}"] |= _in_its_own_process("rebuilding", "comfyui", sizes[-1])
        return _print(columns, began, chosen.write, REBUILD_BEGIN, REBUILD_END)
    columns = {f"{size:,}": _measured(size, on_server=False) for size in sorted(chosen.sizes)}
    if programs() is not None:
        columns |= {f"{size:,}, PostgreSQL": _measured(size, on_server=True) for size in sorted(chosen.server_sizes)}
    if chosen.write:
        PICTURE.write_text(draw({size: columns[f"{size:,}"] for size in sorted(chosen.sizes)}), "utf-8")
    return _print(columns, began, chosen.write, BEGIN, END)


def _print(columns: Mapping[str, Mapping[str, float]], load: float, write: bool, begin: str, end: str) -> int:
    """Print a table, and write it between two marks of the page; 1 if a target is missed."""
    day = datetime.now(timezone.utc).date().isoformat()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("SQLAlchemy", "aiosqlite", "asyncpg", "numpy"))
    text = (
        f"{day}, {os.cpu_count()} CPU cores, {platform.system()}, load {load:.1f} before; Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}.\n\n{_table(columns)}"
    )
    print(text)
    if write:
        before, _, rest = PAGE.read_text("utf-8").partition(begin)
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")
    return 0 if all(_met(name, value) for values in columns.values() for name, value in values.items()) else 1


def _measured(size: int, *, on_server: bool) -> dict[str, float]:
    if on_server:
        where = programs()
        assert where is not None
        with server(where) as address:
            asyncio.run(fill_server(address, size))
            return _in_its_own_process("measures", address, size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "preferences.db"
        asyncio.run(fill_file(path, size))
        values = _in_its_own_process("measures", str(path), size)
        return values | _in_its_own_process("advice", str(path), size)


def _in_its_own_process(module: str, address: str, size: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.scale.{module}", address, str(size)],
        stdout=subprocess.PIPE,
        check=True,
    )
    values: dict[str, float] = json.loads(done.stdout)
    return values


def _most(name: str) -> float | None:
    return MOST_PANEL_MS if name.startswith("panel") else MOST.get(name)


def _met(name: str, value: float) -> bool:
    most = _most(name)
    return most is None or value <= most


def _unit(name: str) -> str:
    return "MB" if name.startswith("memory") else UNITS.get(name, "ms")


def _table(columns: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"| generations | {' | '.join(columns)} | target |", f"|---|{'---|' * (len(columns) + 1)}"]
    for name in dict.fromkeys(name for values in columns.values() for name in values):
        unit = _unit(name)
        cells = [
            _cell(values[name], unit) + ("" if _met(name, values[name]) else " **missed**") if name in values else "-"
            for values in columns.values()
        ]
        most = _most(name)
        lines.append(f"| {name} | {' | '.join(cells)} | {'-' if most is None else f'at most {most:g} {unit}'} |")
    return "\n".join(lines)


def _cell(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or not unit else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
