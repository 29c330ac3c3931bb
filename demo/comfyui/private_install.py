"""Installs a ComfyUI for the demonstration with comfy-cli, in a private folder, if a person agrees.

Separate from finding one, because only this downloads gigabytes. It changes no other ComfyUI and no other Python:
comfy-cli, its settings, ComfyUI and ComfyUI's environment are all in one folder that may be deleted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .installation import ComfyInstallation, NoComfyUI, find_comfyui, private_comfyui, private_folder

OFFER = (
    "No ComfyUI was found. Shall comfy-cli install one into {folder}?\n"
    "That takes some minutes and about 2 GB; nothing outside that folder is changed. [y/N] "
)


def offer(*, accepted: bool) -> bool:
    """Ask whether to install; without a terminal the answer is no."""
    if accepted:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("No ComfyUI was found, and there is no terminal to ask on. --yes installs one.")
        return False
    return input(OFFER.format(folder=private_comfyui())).strip().lower() in ("y", "yes")


def install() -> ComfyInstallation:
    """Install and return it.

    Raises
    ------
    NoComfyUI
        If that fails; the message has the end of the output.
    """
    tools = private_folder() / "comfy-cli"
    workspace = private_comfyui()
    print("Installing comfy-cli ...", flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(tools)])
    programs = tools / ("Scripts" if os.name == "nt" else "bin")
    _run([str(programs / "python"), "-m", "pip", "install", "--quiet", "comfy-cli"])
    print(f"Installing ComfyUI in {workspace} (some minutes) ...", flush=True)
    shutil.rmtree(workspace, ignore_errors=True)  # of an interrupted installation
    workspace.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["install", "--cpu", "--skip-manager", "--version", "latest"]
    _run([str(programs / "comfy"), "--skip-prompt", "--workspace", str(workspace), *arguments])
    installation = find_comfyui({}, pack=workspace)
    if installation is None:
        raise NoComfyUI(f"comfy-cli succeeded, but there is no working ComfyUI in {workspace}.")
    return installation


def _run(command: list[str]) -> None:
    # Without these, comfy-cli creates an environment for ComfyUI instead of using the active one.
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    environment["XDG_CONFIG_HOME"] = str(private_folder() / "config")
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NoComfyUI(f"{Path(command[0]).name} cannot be started: {error}") from error
    if done.returncode:
        lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
        words = [line for line in lines if line and not set(line) & set("╭│╰")]  # comfy-cli frames its traces
        raise NoComfyUI("\n".join([f"{Path(command[0]).name} failed:", *words[-4:]]))
