"""A file is written whole or not at all, and overwrites none."""

from __future__ import annotations

from pathlib import Path

import pytest

from context_checkpoint.nodes.saving.new_file import write_new
from tests.conftest import no_file_larger_than


def test_a_number_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    """Also where another program took it in the meantime."""
    (tmp_path / "x_00001_.png").write_bytes(b"another's")

    assert write_new(tmp_path, "x", "png", 1, b"ours") == ("x_00002_.png", 3)
    assert (tmp_path / "x_00001_.png").read_bytes() == b"another's"
    assert (tmp_path / "x_00002_.png").read_bytes() == b"ours"


def test_a_disk_without_room_leaves_no_half_file(tmp_path: Path) -> None:
    """The error goes on, and the folder is as before."""
    with no_file_larger_than(1000), pytest.raises(OSError, match="File too large"):
        write_new(tmp_path, "x", "png", 1, b"x" * 1_000_000)

    assert list(tmp_path.iterdir()) == []
