"""The examples in docstrings are what the code does."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import context_checkpoint
from context_checkpoint import learning

PACKAGE = Path(context_checkpoint.__file__).parent
ROOT = Path(learning.__file__).parent
MODULES = sorted(
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    for room in ("checkpoints", "learning", "recipes")
    for file in (PACKAGE / room).rglob("*.py")
    if ">>> " in file.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name: str) -> None:
    """Every example of a module that has some is executed, and none fails."""
    results = doctest.testmod(import_module(f"context_checkpoint.{name}"))
    assert results.attempted > 0
    assert results.failed == 0


def test_every_policy_has_an_example() -> None:
    """Who writes a policy shows what it does."""
    files = {file.stem for file in (ROOT / "policies").glob("*.py")} - {"__init__", "contract", "model_policy"}
    assert files <= {name.removeprefix("learning.policies.") for name in MODULES}
