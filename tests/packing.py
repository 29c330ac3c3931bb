"""The pack in each form that people get it in: a wheel, an sdist, the registry's zip, a clone.

All are made of a clone of this tree as it stands, so that files which are no part of it do not get in. Used by the
tests of the package and of its installation in ComfyUI, and by `python run.py release-check`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotARepository(Exception):
    """What belongs to this tree is unknown, since git does not keep it."""


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """Run a program and return what it printed on both streams.

    Raises
    ------
    RuntimeError
        If it fails; the message has the end of its output.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ... failed ({done.returncode}):\n{done.stdout[-3000:]}")
    return done.stdout


def clone(folder: Path) -> Path:
    """Clone this tree as it stands: also what is not committed yet, but nothing that git ignores.

    Raises
    ------
    NotARepository
        If git does not keep this tree.
    """
    try:
        top = Path(run("git", "rev-parse", "--show-toplevel").strip())
    except (OSError, RuntimeError):
        top = None
    if top is None or top.resolve() != ROOT:
        raise NotARepository(f"{ROOT} is no git repository: clone it to build or pack it")
    run("git", "clone", "--quiet", "--no-hardlinks", ROOT, folder)
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    there = {name for name in listed if name and (ROOT / name).is_file()}
    for name in there:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for name in run("git", "ls-files", "-z", cwd=folder).split("\0"):
        if name and name not in there:
            (folder / name).unlink()
    run("git", "add", "--all", cwd=folder)
    return folder


def packed_files(folder: Path) -> list[str]:
    """List what `comfy node pack` takes of a clone: what git tracks and `.comfyignore` does not name."""
    tracked = run("git", "ls-files", "-z", cwd=folder).split("\0")
    left_out = run("git", "ls-files", "-z", "--cached", "--ignored", "--exclude-from=.comfyignore", cwd=folder)
    return sorted(set(tracked) - set(left_out.split("\0")) - {""})


def make_zip(folder: Path, file: Path) -> Path:
    """Pack a clone as the registry does, without comfy-cli."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in packed_files(folder):
            archive.write(folder / name, name)
    return file


def build(folder: Path, out: Path) -> Path:
    """Build the sdist of a clone, and the wheel from it, so that what one lacks both lack."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, folder)
    return out
