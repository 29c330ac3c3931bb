"""The examples in the docstrings of `learning` are what the code does."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "model.confidence",
        "model.accumulator",
        "policies.counts",
        "prompts.keywords",
        "prompts.word_forms",
        "recommendation.strategy",
    ],
)
def test_docstring_examples_hold(name: str):
    """Each module has at least one, and none fails."""
    results = doctest.testmod(import_module(f"context_checkpoint.learning.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
