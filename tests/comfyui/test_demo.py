"""The demonstration against a real ComfyUI, as `python run.py demo` plays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.play import CORE_ONLY, main


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_the_demonstration_plays_in_the_comfyui_that_it_finds_and_leaves_it_as_it_was(
    comfy_installation: ComfyInstallation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures are drawn (their colours are checked meanwhile), and the ComfyUI's folders stay the same."""
    kept = ("custom_nodes", "models", "output", "input", "user")
    before = {name: files_of(comfy_installation.path / name) for name in kept}

    code = main(["--no-serve", "--prompts", "8", "--output", str(tmp_path)])

    said = capsys.readouterr().out
    assert code == 0
    assert CORE_ONLY not in said
    assert f"ComfyUI {comfy_installation.version}" in said
    assert (tmp_path / "contact-sheet.png").stat().st_size > 20_000
    assert {name: files_of(comfy_installation.path / name) for name in kept} == before
