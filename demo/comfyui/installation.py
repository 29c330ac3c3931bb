"""Finds a ComfyUI on this machine, and installs what it lacks into a folder of its own.

Nothing is installed into that ComfyUI's environment, and nothing is written into its folders. Missing requirements go
into an overlay, a folder of ours that only our server has on its path. Separate from the server, because finding and
preparing happen once, and starting often.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACK = Path(__file__).resolve().parents[2]
"""The pack's own folder: the repository, a `custom_nodes` folder, or the installed package."""

OLDEST_VERSION = (0, 26, 0)


class NoComfyUI(Exception):
    """There is no usable ComfyUI; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ComfyInstallation:
    """A ComfyUI's folder, the Python that runs it, and its version."""

    path: Path
    python: Path
    version: str

    @property
    def recent_enough(self) -> bool:
        return version_numbers(self.version) >= OLDEST_VERSION


def version_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def find_comfyui(environment: Mapping[str, str] = os.environ, pack: Path = PACK) -> ComfyInstallation | None:
    """Look in `$COMFYUI_PATH`, else around the pack, else in `~/comfy/ComfyUI`.

    Raises
    ------
    NoComfyUI
        If `$COMFYUI_PATH` or `$COMFYUI_PYTHON` is set and wrong: no other ComfyUI replaces the one that was named.
    """
    for folder, named in _places(environment, pack):
        version = _version(folder)
        if version is None:
            if named:
                raise NoComfyUI(f"COMFYUI_PATH is {folder}, which has no main.py and comfyui_version.py.")
            continue
        python = _python(folder, environment)
        if python is not None:
            return ComfyInstallation(folder, python, version)
        if named:
            raise NoComfyUI(f"No Python with torch was found for {folder}: set COMFYUI_PYTHON to the one that runs it.")
    return None


def _places(environment: Mapping[str, str], pack: Path) -> Iterator[tuple[Path, bool]]:
    if named := environment.get("COMFYUI_PATH"):
        yield Path(named).expanduser().resolve(), True
        return
    if pack.parent.name == "custom_nodes":
        yield pack.parent.parent, False
    yield Path.home() / "comfy" / "ComfyUI", False
    yield private_comfyui(), False


def private_comfyui() -> Path:
    """The folder into which the demonstration installs a ComfyUI of its own, if it is allowed to."""
    return private_folder() / "comfy" / "ComfyUI"


def private_folder() -> Path:
    """A folder for files that may be deleted: in the repository, or in the user's cache when installed."""
    if (PACK / "run.py").exists():
        return PACK / ".overlay"
    cache = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "context-checkpoint"


def _version(folder: Path) -> str | None:
    try:
        text = (folder / "comfyui_version.py").read_text("utf-8")
    except OSError:
        return None
    match = re.search(r'__version__\s*=\s*"([^"]+)"', text)
    return match[1] if match and (folder / "main.py").exists() else None


def _python(folder: Path, environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("COMFYUI_PYTHON"):
        # Not resolved: a virtual environment's Python is a link, and following it leaves the environment.
        python = Path(named).expanduser().absolute()
        if not python.exists():
            raise NoComfyUI(f"COMFYUI_PYTHON is {python}, which does not exist.")
        return python
    for relative in (
        ".venv/bin/python",
        "venv/bin/python",
        ".venv/Scripts/python.exe",
        "venv/Scripts/python.exe",
        "../.venv/bin/python",
        "../python_embeded/python.exe",
    ):
        if (folder / relative).exists():
            return folder / relative
    python3 = shutil.which("python3")
    has_torch = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    if python3 and subprocess.run([python3, "-c", has_torch], check=False).returncode == 0:
        return Path(python3)
    return None


def overlay(installation: ComfyInstallation, requirements: Path = PACK / "requirements.txt") -> Path:
    """Return a folder with exactly the requirements that this ComfyUI's Python lacks, created on first use.

    Raises
    ------
    NoComfyUI
        If they cannot be installed; the message is pip's.
    """
    key = f"{installation.python}\n{installation.version}\n{requirements.read_text('utf-8')}"
    folder = private_folder() / hashlib.sha256(key.encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    missing = _missing(installation.python, requirements)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    if missing:
        # Without dependencies: pip's plan names them all, and anything more could shadow what ComfyUI has.
        _pip(installation.python, "install", "--no-deps", "--target", str(unfinished), *missing)
    try:
        unfinished.replace(folder)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _missing(python: Path, requirements: Path) -> list[str]:
    """Ask pip what it would add to the environment, without adding it."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        _pip(python, "install", "--dry-run", "--report", str(report), "-r", str(requirements))
        planned = json.loads(report.read_text("utf-8"))["install"]
    return [f"{item['metadata']['name']}=={item['metadata']['version']}" for item in planned]


def _pip(python: Path, *arguments: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
        *arguments,
    ]
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoComfyUI(f"pip could not install what the pack needs for {python}:\n{done.stderr.strip()}")
