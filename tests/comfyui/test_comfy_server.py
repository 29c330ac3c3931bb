"""The server that tests, demonstration and benchmarks run: beside the ComfyUI it comes from, never in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.installation import ComfyInstallation, overlay
from context_checkpoint.demo.comfyui.server import ComfyServer


def distributions(python: Path, path: str = "") -> set[str]:
    """What a Python has installed, on its own path or in one more folder."""
    code = "import importlib.metadata as m; print(*{d.metadata['Name'].lower() for d in m.distributions()})"
    done = subprocess.run(
        [str(python), "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_pack_loads_from_a_folder_with_another_name(comfy: ComfyServer) -> None:
    """No import failed, and the log names the folder that the pack was linked in as."""
    assert "IMPORT FAILED" not in comfy.log
    assert "Context Checkpoint-main" in comfy.log


def test_the_overlay_has_what_is_missing_and_shadows_nothing(comfy_installation: ComfyInstallation) -> None:
    """ComfyUI's own packages stay those that it was installed with."""
    own = distributions(comfy_installation.python)

    added = {path.name.partition("-")[0].lower() for path in overlay(comfy_installation).glob("*.dist-info")}

    assert not added & own
    with_overlay = distributions(comfy_installation.python, str(overlay(comfy_installation)))
    assert {"aiosqlite", "greenlet", "sqlalchemy", "alembic", "pydantic"} <= with_overlay


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended")
def test_a_server_does_not_outlive_the_program_that_started_it(
    comfy_installation: ComfyInstallation, tmp_path: Path
) -> None:
    """A test run that is killed leaves no ComfyUI behind that holds memory and a port."""
    code = (
        "import sys, time, pathlib\n"
        "from context_checkpoint.demo.comfyui.server import ComfyServer\n"
        "server = ComfyServer(pathlib.Path(sys.argv[1]))\n"
        "server._wait_until_up = lambda process: None  # it need not be up to end\n"
        "server.start()\n"
        "while not server.log: time.sleep(0.05)\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COMFYUI_PATH": str(comfy_installation.path),
        "COMFYUI_PYTHON": str(comfy_installation.python),
    }
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server_id = int(starter.stdout.readline())
        os.kill(server_id, 0)

        starter.kill()

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(server_id, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(server_id, signal.SIGKILL)
    pytest.fail("The server went on without the program that had started it.")
