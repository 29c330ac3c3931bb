"""Tiny checkpoints are well-formed, repeatable and small; that they generate images is tested in a real ComfyUI."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import safe_open

from context_checkpoint.checkpoints.header import read_header
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints


@pytest.mark.parametrize("family", tiny_checkpoints.FAMILIES)
def test_every_family_is_a_safetensors_file_in_its_small_types(family: tiny_checkpoints.Family, tmp_path: Path) -> None:
    """Matrices in float8, so that a text encoder of full size stays small; the package itself reads the file."""
    path = tiny_checkpoints.write(tmp_path / "one.safetensors", family)

    header = read_header(path)

    with safe_open(path, "numpy") as file:
        assert set(file.keys()) == set(header.shapes)
        types = {file.get_slice(name).get_dtype() for name, shape in header.shapes.items() if len(shape) > 1}
    assert types == {"F8_E4M3"}


def test_the_same_seed_and_style_give_the_same_bytes(tmp_path: Path) -> None:
    """A checkpoint's identity is its arguments, so that a test can write it again."""
    first = tiny_checkpoints.write(tmp_path / "first.safetensors", color=(0.3, 0.4, 0.5), seed=7)
    again = tiny_checkpoints.write(tmp_path / "again.safetensors", color=(0.3, 0.4, 0.5), seed=7)
    other = tiny_checkpoints.write(tmp_path / "other.safetensors", color=(0.3, 0.4, 0.5), seed=8)

    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_a_colour_of_no_checkpoint_is_not_guessed() -> None:
    """A black image, which a broken checkpoint makes, must not be attributed to another one."""
    with pytest.raises(ValueError, match="No checkpoint has"):
        tiny_checkpoints.made_by((0.0, 0.0, 0.0), tiny_checkpoints.NINE_COLORS)
