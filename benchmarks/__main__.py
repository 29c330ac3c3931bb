"""`python run.py bench`: measure, print, and with `--write` bring docs/benchmarks.md up to date."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from context_checkpoint.demo.comfyui.installation import ComfyInstallation, find_comfyui

from . import image_files, import_time, in_the_browser, learning_core, many_generations, workflows
from .results import Result, table
from .settings import latency as latency_of_settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
PLACES = {"core": "measured", "files": "measured of files", "browser": "measured in the browser"}
"""Between which comments of the page the results stand."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py bench", description="Measure what docs/benchmarks.md tells.")
    parser.add_argument("--write", action="store_true", help="put the results into docs/benchmarks.md")
    parser.add_argument("--core-only", action="store_true", help="only what needs no ComfyUI")
    parser.add_argument("--browser-only", action="store_true", help="only what is seen in the browser")
    parser.add_argument("--files-only", action="store_true", help="only the reading of image files")
    chosen = parser.parse_args()
    installation = None if chosen.core_only or chosen.files_only else find_comfyui()
    met = True
    if not (chosen.browser_only or chosen.files_only):
        met = _told("core", installation, _core, write=chosen.write)
    if not chosen.browser_only:
        met &= _told("files", None, image_files.measure, write=chosen.write)
    if installation is not None:
        met &= _told("browser", installation, in_the_browser.measure, write=chosen.write)
    return 0 if met else 1


def _told(
    part: str,
    installation: ComfyInstallation | None,
    measure: Callable[[Any], list[Result]],
    *,
    write: bool,
) -> bool:
    began = _load()
    results = measure(installation)
    text = f"{_circumstances(installation)} Load {began} before, {_load()} after.\n\n{table(results)}"
    print(text)
    if write:
        _write(PLACES[part], text)
    return all(result.met for result in results)


def _core(installation: ComfyInstallation | None) -> list[Result]:
    results = learning_core.measure() + latency_of_settings.measure() + many_generations.measure()
    if installation is None:
        print("No ComfyUI: workflows and import time are not measured.")
        return results
    return results + import_time.measure(installation) + workflows.measure(installation)


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


def _write(place: str, text: str) -> None:
    begin, end = f"<!-- {place}: begin -->", f"<!-- {place}: end -->"
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
    print(f"Wrote {PAGE}.")


if __name__ == "__main__":
    sys.exit(main())
