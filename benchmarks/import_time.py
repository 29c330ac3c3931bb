"""What the pack adds to ComfyUI's start: the time in which ComfyUI loads it, in ComfyUI's own process."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.comfyui.start_probe import start_watched

from .results import Result

STARTS = 5

WATCHED = """
import time

async def watched(path, *rest, **more):
    started, computed = time.perf_counter(), time.process_time()
    loaded = await load(path, *rest, **more)
    took = [1000 * (time.perf_counter() - started), 1000 * (time.process_time() - computed)]
    print("MEASURED", loaded, *took, flush=True)
    return loaded
"""


def measure(installation: ComfyInstallation) -> list[Result]:
    """Start ComfyUI several times up to its nodes; the first start compiles and is not counted.

    Raises
    ------
    RuntimeError
        If ComfyUI did not load the pack.
    """
    took_ms, computed_ms = [], []
    for number in range(STARTS + 1):
        with tempfile.TemporaryDirectory() as base:
            said = start_watched(installation, Path(base), WATCHED)
        found = [line.split() for line in said.splitlines() if line.startswith("MEASURED")]
        if not found or found[0][1] != "True":
            raise RuntimeError(f"ComfyUI did not load the pack:\n{said}"[-3000:])
        if number:
            took_ms.append(float(found[0][2]))
            computed_ms.append(float(found[0][3]))
    how = f"median of {STARTS} starts of ComfyUI {installation.version}, all it loads itself loaded before"
    return [
        Result("import", statistics.median(took_ms), " ms", 50, how),
        Result("import, computing", statistics.median(computed_ms), " ms", 50, "the same starts"),
    ]
