"""`python run.py bench`: measure, print, and with `--write` bring docs/benchmarks.md up to date."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from context_checkpoint.demo.comfy_installation import ComfyInstallation, find_comfyui

from . import import_time, learning_core, many_generations, workflows
from .results import table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="run.py bench", description="Measure what docs/benchmarks.md tells."
    )
    parser.add_argument("--write", action="store_true", help="put the results into docs/benchmarks.md")
    parser.add_argument("--core-only", action="store_true", help="only what needs no ComfyUI")
    chosen = parser.parse_args()
    installation = None if chosen.core_only else find_comfyui()

    began = _load()
    results = learning_core.measure() + many_generations.measure()
    if installation is None:
        print("No ComfyUI: workflows and import time are not measured.")
    else:
        results += import_time.measure(installation)
        results += workflows.measure(installation)
    text = f"{_circumstances(installation)} Load {began} before, {_load()} after.\n\n{table(results)}"
    print(text)
    if chosen.write:
        _write(text)
    return 0 if all(result.met for result in results) else 1


def _circumstances(installation: ComfyInstallation | None) -> str:
    day = datetime.now(timezone.utc).date().isoformat()
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in ("SQLAlchemy", "aiosqlite", "numpy")]
    if installation:
        versions.append(f"ComfyUI {installation.version} (`--cpu`, default cache)")
    return f"{day}, {os.cpu_count()} CPU cores, {platform.system()}; {', '.join(versions)}."


def _load() -> str:
    """How many programs wanted a core in the last minute; more than the measured one blur the clock."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _write(text: str) -> None:
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    print(f"Wrote {PAGE}.")


if __name__ == "__main__":
    sys.exit(main())
