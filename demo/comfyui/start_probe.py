"""Measures ComfyUI's start from inside, up to its nodes: how long the pack takes to load, and what it imports.

Separate from `server`, which runs a ComfyUI from outside and waits until it responds. Here ComfyUI's own start runs
in a new process, in which the function that loads a custom node is replaced.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from .installation import ComfyInstallation
from .server import ComfyServer

_START = """
import sys
folder, base = sys.argv[1:3]
sys.path.insert(0, folder)
sys.argv = [folder + "/main.py", "--cpu", "--base-directory", base, "--disable-api-nodes",
            "--database-url", "sqlite:///:memory:"]
import main, nodes

load = nodes.load_custom_node
"""
_GO = """
async def watched_where_it_is_ours(path, *rest, **more):
    return await (watched if "custom_nodes" in path else load)(path, *rest, **more)

nodes.load_custom_node = watched_where_it_is_ours
main.start_comfyui()
"""


def start_watched(installation: ComfyInstallation, base: Path, watched: str) -> str:
    """Start ComfyUI up to its nodes, with the pack and a base directory, and return what it printed.

    Parameters
    ----------
    watched
        Python's text of `async def watched(path, *rest, **more)`, which is called in place of ComfyUI's
        `load` for what lies in `custom_nodes`, awaits that and returns what it gave.
    """
    server = ComfyServer(base, installation=installation)
    done = subprocess.run(
        [str(installation.python), "-c", _START + watched + _GO, str(installation.path), str(base)],
        env=server.environment,
        cwd=base,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}\n{done.stderr}"
