"""The page about recipes says what the readers do."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from context_checkpoint.recipes.files import limits
from context_checkpoint.recipes.files.problem import Code

PAGE = Path(__file__).parents[3] / "docs" / "recipes.md"


@pytest.mark.parametrize("code", get_args(Code))
def test_every_reason_is_explained(code):
    """People see the message, scripts the code."""
    assert f"`{code}`" in PAGE.read_text("utf-8")


def test_the_bounds_are_those_of_the_code():
    """As the page rounds them."""
    bounds = PAGE.read_text("utf-8").partition("## Bounds")[2].replace("\n", " ")

    for number, shown in {
        limits.LONGEST_TEXT: "8 MB of one text",
        limits.MOST_TEXT: "24 MB of all texts",
        limits.MOST_READ: "64 MB read",
        limits.LONGEST_XMP: "XMP of 1 MB",
    }.items():
        assert f"{number // 2**20} MB" in shown
        assert shown in bounds
    for number in (
        limits.MOST_CHUNKS,
        limits.MOST_DIRECTORIES,
        limits.MOST_TAGS,
        limits.MOST_JSON_PARTS,
        limits.MOST_GRAPH_NODES,
    ):
        assert f" {number:,} " in bounds
