"""One command for everything: `python run.py demo | tests | lint | types | bench | chaos | docs`.

What a registry or PyPI ships has no tests and no tools: there it runs the demo alone, and says where the rest is.

Makes a private environment in `.venv`, keeps it in step with `pyproject.toml` and `dev-requirements.txt`, and
calls nox (`noxfile.py`). Needs nothing but Python 3.10. Arguments after the command are passed on to it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

COMMANDS = {
    "demo": "watch the branches go from three to one, in a real ComfyUI if there is one",
    "tests": "run every check: lint, types, the browser's code, and pytest on all there is",
    "lint": "ruff, the contracts between layers, Biome; reports the largest modules",
    "types": "mypy (strict), and tsc on the browser's code",
    "bench": "measure; `--write` updates docs/benchmarks.md; `bench arena` compares the policies with peers",
    "chaos": "kill writers, stop the server and damage files for a while (`--seconds`), and count what is lost",
    "docs": "check that the documents are complete; `--write` updates what they say of the settings",
    "audit": "look for known weaknesses in what the pack requires",
    "oldest": "run the tests of learning/ and cli/ with the oldest versions that pyproject.toml allows",
    "frontend": "run the tests in ComfyUI's page with the newest frontend that pip finds, or with a named version",
    "release-check": "check what a release needs before it is tagged, and say what is left to do",
    "fuzz": "let Schemathesis send every route of a real server what its description allows and forbids",
}


class CannotPrepare(Exception):
    """The private environment could not be made; the message says why and what to do."""


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 - it is run by whatever `python` is there
        print(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}. Try: python3.11 run.py ...")
        return 2
    described = "\n".join(f"  {name:13} {what}" for name, what in COMMANDS.items())
    parser = argparse.ArgumentParser(
        description="Context Checkpoint's one runner.",
        epilog=f"commands:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="|".join(COMMANDS))
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="passed on, for example: tests -k pool")
    chosen = parser.parse_args()
    if chosen.command != "demo" and not (ROOT / "noxfile.py").exists():
        print(only_in_a_clone(chosen.command), file=sys.stderr)
        return 1
    try:
        prepare(for_demo=chosen.command == "demo")
    except CannotPrepare as problem:
        print(problem, file=sys.stderr)
        return 1
    if chosen.command == "demo":
        # Without nox: the demonstration uses the terminal, and has to start at once.
        command = [str(PYTHON), "-m", "context_checkpoint.demo", *chosen.rest]
    else:
        nox = [str(PYTHON), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", chosen.command]
        command = [*nox, "--", *chosen.rest]
    path = os.pathsep.join([str(PYTHON.parent), os.environ.get("PATH", "")])
    try:
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=False).returncode
    except KeyboardInterrupt:
        return 130


def only_in_a_clone(command: str) -> str:
    """Say where the tests and tools are that a packed copy lacks."""
    repository = re.search(r'^Repository = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    address = repository[1] if repository else "<the repository's address>"
    return (
        f"`{command}` needs the tests and tools, which are not in this copy: it has what ComfyUI needs, and the demo.\n"
        f"They are in the repository:\n  git clone {address}\n  cd context-checkpoint\n  python run.py {command}"
    )


def prepare(*, for_demo: bool) -> None:
    """Make `.venv` and install what the command needs, unless it is installed already."""
    if not _works(PYTHON):
        print(f"Making a private environment in {ENVIRONMENT} ...", flush=True)
        arguments = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
        _run(arguments, "Debian and Ubuntu keep what is missing in a package: apt install python3-venv")
    offline = "The first run downloads packages: is there a network, or a mirror set for pip?"
    _install("demo", ["--editable", f"{ROOT}[demo,postgres]"], [ROOT / "pyproject.toml"], offline)
    if not for_demo:
        tools = ROOT / "dev-requirements.txt"
        _install("tools", ["--requirement", str(tools)], [tools], offline)


def _works(python: Path) -> bool:
    """An environment outlives the Python it was made from, but does not work without it."""
    if not python.exists():
        return False
    check = "import pip, sys; sys.exit(sys.version_info < (3, 10))"
    return subprocess.run([str(python), "-c", check], capture_output=True, check=False).returncode == 0


def _install(name: str, what: list[str], sources: list[Path], advice: str) -> None:
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources) + str(ROOT).encode()).hexdigest()
    stamp = ENVIRONMENT / f"installed-{name}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {' '.join(what)} ...", flush=True)
    _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what], advice)
    stamp.write_text(wanted)


def _run(command: list[str], advice: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = [line[:200] for line in (done.stdout + done.stderr).splitlines() if "WARNING" not in line]
        raise CannotPrepare("\n".join([f"{' '.join(command)} failed:", *words[-12:], advice]))


if __name__ == "__main__":
    sys.exit(main())
