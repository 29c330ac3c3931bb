"""Tiny checkpoints are well-formed, repeatable and small; that they draw is tested in a real ComfyUI."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from context_checkpoint.demo.tiny_models.safetensors_file import BYTES, float8


def read_header(path: Path) -> tuple[dict[str, dict[str, object]], int]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length)), 8 + length


@pytest.mark.parametrize("family", tiny_checkpoints.FAMILIES)
def test_tensors_fill_the_file_without_gap_or_overlap(family: tiny_checkpoints.Family, tmp_path: Path) -> None:
    """A reader of safetensors refuses a file whose offsets do not follow one another to its very end."""
    path = tiny_checkpoints.write(tmp_path / "one.safetensors", family)

    header, base = read_header(path)

    end = 0
    for tensor in header.values():
        begin, after = tensor["data_offsets"]
        assert begin == end
        assert after - begin == int(np.prod(tensor["shape"])) * BYTES[tensor["dtype"]]
        end = after
    assert path.stat().st_size == base + end


def test_the_same_seed_and_look_give_the_same_bytes(tmp_path: Path) -> None:
    """A checkpoint's identity is its arguments, so that a test can write it again."""
    first = tiny_checkpoints.write(tmp_path / "first.safetensors", color=(0.3, 0.4, 0.5), seed=7)
    again = tiny_checkpoints.write(tmp_path / "again.safetensors", color=(0.3, 0.4, 0.5), seed=7)
    other = tiny_checkpoints.write(tmp_path / "other.safetensors", color=(0.3, 0.4, 0.5), seed=8)

    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_zeros_take_no_room_on_disk(tmp_path: Path) -> None:
    """An SD 1.5 with a text encoder of full size takes less than half of its size."""
    file = tiny_checkpoints.write(tmp_path / "paint.safetensors", "sd15").stat()

    assert file.st_size > 130_000_000
    assert getattr(file, "st_blocks", 0) * 512 < file.st_size / 2


def test_float8_rounds_to_the_nearest_value_it_has() -> None:
    """Powers of two, the smallest and largest value, and some between two neighbours."""
    values = np.float32([0, 1, -1, 2, 0.5, 448, 1e9, 2**-9, -(2**-6), 1.05, 1.07, 1.125])

    codes = float8(values)

    assert codes.tolist() == [0, 0x38, 0xB8, 0x40, 0x30, 0x7E, 0x7E, 0x01, 0x88, 0x38, 0x39, 0x39]


def test_a_colour_that_nobody_draws_is_not_guessed() -> None:
    """A black picture, which a broken checkpoint gives, must not be taken for somebody's."""
    with pytest.raises(ValueError, match="No checkpoint draws"):
        tiny_checkpoints.drawn_by((0.0, 0.0, 0.0), tiny_checkpoints.NINE_COLORS)
