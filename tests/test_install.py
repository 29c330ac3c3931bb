"""`install.py` checks and says what to do; it changes nothing and needs nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from context_checkpoint.install import comfyui_problem, requirement_states

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The two files that it reads, in the custom_nodes folder of a ComfyUI 0.33."""
    folder = tmp_path / "ComfyUI" / "custom_nodes" / "any name"
    folder.mkdir(parents=True)
    (tmp_path / "ComfyUI" / "comfyui_version.py").write_text('__version__ = "0.33.0"\n')
    for name in ("install.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def run_installer(pack: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "install.py"]
    return subprocess.run(command, cwd=pack, capture_output=True, text=True, check=False)


def test_says_that_all_is_ready(pack: Path) -> None:
    """Where nothing is missing, it names the ComfyUI and the one thing left to do."""
    done = run_installer(pack)

    assert done.returncode == 0
    assert done.stdout == "Context Checkpoint is ready for ComfyUI 0.33.0. Restart ComfyUI to load it.\n"


def test_runs_on_the_standard_library_alone_and_says_how_to_install(pack: Path) -> None:
    """Without a single package it works, names what is missing, and gives the command to type."""
    done = run_installer(pack, "-I", "-S")

    assert done.returncode == 0
    assert "aiosqlite: missing, needed >=0.20" in done.stdout
    assert f'-m pip install -r "{pack / "requirements.txt"}"' in done.stdout


def test_changes_nothing_however_often_it_runs(pack: Path) -> None:
    """The Manager runs it after every update: the folder stays as it is, and so do its words."""
    before = {path: path.stat().st_mtime_ns for path in pack.rglob("*")}

    first, second = run_installer(pack), run_installer(pack)

    assert first.stdout == second.stdout
    assert {path: path.stat().st_mtime_ns for path in pack.rglob("*")} == before


def test_an_old_comfyui_is_told_to_be_updated(pack: Path) -> None:
    """The pack may load there and fail later, so it says so at once; the installation goes on."""
    (pack.parent.parent / "comfyui_version.py").write_text('__version__ = "0.25.9"\n')

    done = run_installer(pack)

    assert done.returncode == 0
    assert "needs ComfyUI 0.26.0 or newer; this is 0.25.9. Update ComfyUI." in done.stdout


def test_outside_a_comfyui_it_says_so(pack: Path) -> None:
    """A clone elsewhere is no mistake, but ComfyUI will not see it."""
    (pack.parent.parent / "comfyui_version.py").unlink()

    assert "no ComfyUI will load it" in run_installer(pack).stdout


@pytest.mark.parametrize(
    ("line", "ok"),
    [
        ("pytest>=1", True),
        ("pytest >= 1, < 9999", True),
        ("pytest>=9999", False),
        ("pytest<2", False),
        ("pytest!=1.0", True),
        ("no-such-package-anywhere", False),
        ("# only a comment", None),
        ("sqlalchemy[asyncio]>=2.0.25,<3  # with a remark", True),
    ],
)
def test_requirements_are_compared_with_what_is_installed(line: str, ok: bool | None) -> None:
    """Ranges, extras, remarks and missing packages."""
    states = requirement_states(line)

    assert all(state.ok is ok for state in states)
    assert bool(states) is (ok is not None)


@pytest.mark.parametrize(("version", "fits"), [("0.26.0", True), ("0.26", True), ("1.0", True), ("0.3.76", False)])
def test_comfyuis_version_is_compared_by_number(version: str, fits: bool) -> None:
    """0.3.76 is older than 0.26.0, whatever its letters say."""
    assert (comfyui_problem(version) is None) is fits


def test_without_packaging_it_still_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any installed version is taken for the right one then."""
    monkeypatch.setattr("context_checkpoint.install._requirement_parser", lambda: None)

    states = requirement_states("pytest>=9999\nno-such-package-anywhere[extra]>=1,<2")

    assert [(state.name, state.ok) for state in states] == [("pytest", True), ("no-such-package-anywhere", False)]
    assert str(states[1]) == "no-such-package-anywhere: missing, needed >=1,<2"
