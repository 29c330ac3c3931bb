"""What the pack adds to ComfyUI's start: the time in which ComfyUI loads it, in ComfyUI's own process."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from context_checkpoint.demo.comfy_installation import ComfyInstallation
from context_checkpoint.demo.comfy_server import ComfyServer

from .results import Result

STARTS = 5

LOAD = """
import asyncio, sys, time
folder, base = sys.argv[1:3]
sys.path.insert(0, folder)
sys.argv = [folder + "/main.py", "--cpu", "--base-directory", base, "--disable-api-nodes",
            "--database-url", "sqlite:///:memory:"]
import main, nodes

load = nodes.load_custom_node

async def timed(path, *rest, **more):
    started, computed = time.perf_counter(), time.process_time()
    loaded = await load(path, *rest, **more)
    took = [1000 * (time.perf_counter() - started), 1000 * (time.process_time() - computed)]
    if "custom_nodes" in path:
        print("MEASURED", loaded, *took, flush=True)
    return loaded

nodes.load_custom_node = timed
main.start_comfyui()
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
            server = ComfyServer(Path(base), installation=installation)
            done = subprocess.run(
                [str(installation.python), "-c", LOAD, str(installation.path), base],
                env=server.environment,
                cwd=base,
                capture_output=True,
                text=True,
                check=False,
            )
        found = [line.split() for line in done.stdout.splitlines() if line.startswith("MEASURED")]
        if not found or found[0][1] != "True":
            raise RuntimeError(f"ComfyUI did not load the pack:\n{done.stdout}\n{done.stderr}"[-3000:])
        if number:
            took_ms.append(float(found[0][2]))
            computed_ms.append(float(found[0][3]))
    how = f"median of {STARTS} starts of ComfyUI {installation.version}, all it loads itself loaded before"
    return [
        Result("import", statistics.median(took_ms), " ms", 50, how),
        Result("import, computing", statistics.median(computed_ms), " ms", 50, "the same starts"),
    ]
