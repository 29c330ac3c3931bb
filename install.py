"""What ComfyUI-Manager runs once the pack is in `custom_nodes`: looks, says what to do, changes nothing.

Checks Python, ComfyUI and the requirements, with the standard library alone, since it runs where everything
else may be missing. The Manager installs `requirements.txt` itself; this tells people who cloned the pack by
hand what they have to do. `context-checkpoint doctor` asks the same questions here.

Ends with 0 unless the pack cannot work at all with this Python: a pack that only lacks a package still loads,
and its nodes say what is missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACK = Path(__file__).absolute().parent  # not resolved: `custom_nodes` may hold a link to the sources
OLDEST_PYTHON = (3, 10)
OLDEST_COMFYUI = (0, 26, 0)

REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?P<range>[^;#]*)")
COMPARISON = re.compile(r"(>=|<=|==|!=|<|>|~=)\s*([0-9][0-9A-Za-z.]*)")

# `sqlalchemy[asyncio]` is SQLAlchemy and greenlet, which its metadata leaves out on some platforms.
EXTRA_PACKAGES = {("sqlalchemy", "asyncio"): "greenlet"}


@dataclass(frozen=True, slots=True)
class RequirementState:
    """One requirement, and the version that is installed (None: it is missing)."""

    name: str
    wanted: str
    found: str | None
    ok: bool

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name} {self.found}"
        return f"{self.name}: {self.found or 'missing'}, needed {self.wanted or 'in any version'}"


def requirement_states(text: str | None = None) -> list[RequirementState]:
    """Compare the lines of `requirements.txt` (or of `text`) with what this Python has."""
    return [state for line in _lines(text) for state in _states_of(line)]


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
    found = re.search(r'__version__\s*=\s*"([^"]+)"', text)
    return found[1] if found else None


def comfyui_problem(version: str) -> str | None:
    """Say what is wrong with a ComfyUI of this version; None where nothing is."""
    if _numbers(version) >= OLDEST_COMFYUI:
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
            wanted = metadata.requires("context-checkpoint") or []
            text = "\n".join(line for line in wanted if "extra ==" not in line)
    for line in text.splitlines():
        stripped = line.split("#")[0].strip()
        if stripped:
            yield stripped


def _states_of(line: str) -> Iterator[RequirementState]:
    parsed = REQUIREMENT.match(line)
    if parsed is None:
        return
    name, wanted = parsed["name"], parsed["range"].strip()
    yield _state(name, wanted)
    for extra in (parsed["extras"] or "").split(","):
        package = EXTRA_PACKAGES.get((name.lower(), extra.strip()))
        if package:
            yield _state(package, "")


def _state(name: str, wanted: str) -> RequirementState:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return RequirementState(name, wanted, None, ok=False)
    return RequirementState(name, wanted, found, _within(found, wanted))


def _within(version: str, wanted: str) -> bool:
    """Whether a version is in a range; good for the plain comparisons that our requirements use."""
    found = _numbers(version)
    for comparison, bound in COMPARISON.findall(wanted):
        limit = _numbers(bound)
        fits = {
            ">=": found >= limit,
            "<=": found <= limit,
            ">": found > limit,
            "<": found < limit,
            "==": found == limit,
            "!=": found != limit,
            "~=": found >= limit and found[: len(_parts(bound)) - 1] == limit[: len(_parts(bound)) - 1],
        }[comparison]
        if not fits:
            return False
    return True


def _parts(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.split("+")[0])]


def _numbers(version: str) -> tuple[int, ...]:
    """The first three numbers, filled up with zeros, so that 2 and 2.0.0 are the same."""
    return tuple([*_parts(version), 0, 0, 0][:3])


if __name__ == "__main__":
    sys.exit(main())
