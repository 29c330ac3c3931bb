"""`run.py` alone: what it says before there is any environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run it without any installed package, as a person does who just cloned."""
    command = [sys.executable, "-I", "-S", str(cwd / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_help_names_every_command_and_what_it_does() -> None:
    """On the standard library alone."""
    done = run("--help")

    assert done.returncode == 0
    checks = ("lint", "types", "docs", "audit", "oldest", "frontend", "fuzz", "release-check")
    for command in ("demo", "tests", "bench", "chaos", *checks):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("arguments", [(), ("test",), ("--frobnicate",)])
def test_wrong_use_ends_with_2_and_names_the_commands(arguments: tuple[str, ...]) -> None:
    """And nothing is installed."""
    done = run(*arguments)

    assert done.returncode == 2
    assert "demo|tests|lint|types|bench|chaos|docs" in done.stderr


def test_an_environment_that_cannot_be_filled_is_told_in_few_words(tmp_path: Path) -> None:
    """pip's last words and what to look at, not a page of versions."""
    for name in ("run.py", "noxfile.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "pyproject.toml").write_text("this is no project\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), "lint"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 1
    assert "Is there a network" in done.stderr or "is there a network" in done.stderr
    assert len(done.stderr.splitlines()) < 20
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("side_by_side", [[], ["--numprocesses=1"]])
def test_what_is_not_there_is_told_at_the_end(side_by_side: list[str]) -> None:
    """Where processes share the tests, by the one that started them."""
    options = ["-q", "-p", "no:cacheprovider", *side_by_side, "tests/browser/test_waiting.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PATH": "", "CC_REQUIRE": ""},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^NOT TESTED: [1-9]\d* tests need browser\. To run them: ", done.stdout, re.M)
