"""Which ComfyUI is found, and what is said where a place that was named holds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from context_checkpoint.demo.comfyui.installation import NoComfyUI, find_comfyui


def make_comfyui(folder: Path, version: str = "0.33.0") -> Path:
    """Lay the files that tell a ComfyUI, and an environment's Python."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").touch()
    (folder / "main.py").touch()
    (folder / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    return folder


@pytest.fixture(autouse=True)
def _empty_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No ComfyUI of this machine is found by accident."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr("context_checkpoint.demo.comfyui.installation.private_folder", lambda: tmp_path / "private")


def test_the_named_one_wins(tmp_path: Path) -> None:
    """`COMFYUI_PATH` goes before all that could be found."""
    make_comfyui(tmp_path / "home" / "comfy" / "ComfyUI")
    named = make_comfyui(tmp_path / "named", "0.26.0")

    found = find_comfyui({"COMFYUI_PATH": str(named)}, pack=tmp_path)

    assert found is not None
    assert (found.path, found.version) == (named, "0.26.0")
    assert found.python == named / ".venv" / "bin" / "python"


def test_the_one_around_the_pack_goes_before_the_one_at_home(tmp_path: Path) -> None:
    """A pack in `custom_nodes` belongs to that ComfyUI."""
    make_comfyui(tmp_path / "home" / "comfy" / "ComfyUI")
    around = make_comfyui(tmp_path / "around")

    found = find_comfyui({}, pack=around / "custom_nodes" / "pack")

    assert found is not None
    assert found.path == around


def test_the_one_at_home_is_found_last(tmp_path: Path) -> None:
    """Where comfy-cli installs by default."""
    home = make_comfyui(tmp_path / "home" / "comfy" / "ComfyUI")

    found = find_comfyui({}, pack=tmp_path / "elsewhere")

    assert found is not None
    assert found.path == home


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    """That is no failure: the demonstration and the tests go on without."""
    assert find_comfyui({}, pack=tmp_path) is None


@pytest.mark.parametrize("variable", ["COMFYUI_PATH", "COMFYUI_PYTHON"])
def test_a_wrong_name_is_told_instead_of_taking_another(variable: str, tmp_path: Path) -> None:
    """Otherwise a typing mistake would quietly test the wrong ComfyUI."""
    make_comfyui(tmp_path / "home" / "comfy" / "ComfyUI")

    with pytest.raises(NoComfyUI, match=variable):
        find_comfyui({variable: str(tmp_path / "mistyped")}, pack=tmp_path)


@pytest.mark.parametrize(
    ("version", "enough"),
    [("0.26.0", True), ("0.33.1", True), ("1.0", True), ("0.25.9", False), ("0.3.76", False)],
)
def test_a_version_below_the_oldest_supported_one_is_known_as_such(version: str, enough: bool, tmp_path: Path) -> None:
    """Compared by number: 0.3.76 is older than 0.26.0."""
    named = make_comfyui(tmp_path / "named", version)

    found = find_comfyui({"COMFYUI_PATH": str(named)}, pack=tmp_path)

    assert found is not None
    assert found.recent_enough is enough
