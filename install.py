"""What ComfyUI-Manager runs once the pack is in `custom_nodes`: it checks, says what to do, and changes nothing.

It checks Python, ComfyUI and the requirements. It runs where everything else may be missing, so it needs the standard
library alone; with `packaging`, which every ComfyUI and every pip has, it compares versions too. The Manager installs
`requirements.txt` itself; this is for people who cloned the pack by hand. `context-checkpoint doctor` uses it.

Ends with 0 unless the pack cannot work at all with this Python: a pack that only lacks a package still loads,
and its nodes say what is missing.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACK = Path(__file__).absolute().parent  # not resolved: `custom_nodes` may hold a link to the sources
OLDEST_PYTHON = (3, 10)
OLDEST_COMFYUI = (0, 26, 0)

LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*(?P<wanted>[^;]*)")


@dataclass(frozen=True, slots=True)
class RequirementState:
    """One requirement, and the version that is installed (None: it is missing)."""

    name: str
    wanted: str
    installed: str | None
    ok: bool

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name} {self.installed}"
        return f"{self.name}: {self.installed or 'missing'}, needed {self.wanted or 'in any version'}"


def requirement_states(text: str | None = None) -> list[RequirementState]:
    """Compare the lines of `requirements.txt` (or of `text`) with what this Python has."""
    parse = _requirement_parser()
    return [_state(line, parse) for line in _lines(text)]


def python_problem() -> str | None:
    """Say what is wrong with this Python; None where nothing is."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return None
    wanted = ".".join(map(str, OLDEST_PYTHON))
    here = f"{sys.version.split()[0]} ({sys.executable})"
    return f"Context Checkpoint needs Python {wanted} or newer; this is {here}."


def comfyui_version(folder: Path) -> str | None:
    """Read the version of the ComfyUI in a folder; None where there is none."""
    try:
        text = (folder / "comfyui_version.py").read_text("utf-8")
    except OSError:
        return None
    match = re.search(r'__version__\s*=\s*"([^"]+)"', text)
    return match[1] if match else None


def comfyui_problem(version: str) -> str | None:
    """Say what is wrong with a ComfyUI of this version; None where nothing is."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    if (*numbers, 0, 0)[:3] >= OLDEST_COMFYUI:
        return None
    wanted = ".".join(map(str, OLDEST_COMFYUI))
    return f"Context Checkpoint needs ComfyUI {wanted} or newer; this is {version}. Update ComfyUI."


def main() -> int:
    problem = python_problem()
    if problem:
        print(problem)
        return 1
    version = comfyui_version(PACK.parent.parent)
    if version is None:
        print(f"Note: {PACK} is not in a ComfyUI's custom_nodes folder: no ComfyUI will load it there.")
    elif old := comfyui_problem(version):
        print(f"Problem: {old}")
    lacking = [state for state in requirement_states() if not state.ok]
    if lacking:
        print("Problem: this Python lacks what the pack requires:")
        for state in lacking:
            print(f"  {state}")
        print(f'Install it with:\n  "{sys.executable}" -m pip install -r "{PACK / "requirements.txt"}"')
    elif version and not comfyui_problem(version):
        print(f"Context Checkpoint is ready for ComfyUI {version}. Restart ComfyUI to load it.")
    return 0


def _lines(text: str | None) -> Iterator[str]:
    if text is None:
        try:
            text = (PACK / "requirements.txt").read_text("utf-8")
        except FileNotFoundError:  # an installed package knows its requirements itself
            required = metadata.requires("context-checkpoint") or []
            text = "\n".join(line for line in required if "extra ==" not in line)
    for line in text.splitlines():
        stripped = line.split("#")[0].strip()
        if stripped:
            yield stripped


def _requirement_parser() -> Any:
    """Packaging's `Requirement`, or pip's own copy of it; None where there is neither."""
    for module in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return importlib.import_module(module).Requirement
        except ImportError:
            continue
    return None


def _state(line: str, parse: Any) -> RequirementState:
    """The state of one requirement; without packaging, any installed version is taken for the right one."""
    match = LINE.match(line)
    name, wanted = (match["name"], match["wanted"].strip()) if match else (line, "")
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return RequirementState(name, wanted, None, ok=False)
    ok = parse is None or parse(line).specifier.contains(installed, prereleases=True)
    return RequirementState(name, wanted, installed, ok)


if __name__ == "__main__":
    sys.exit(main())
