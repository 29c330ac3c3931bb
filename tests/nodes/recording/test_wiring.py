"""Which checkpoint made which image in a hand-wired graph: each way to wire it is one case."""

from __future__ import annotations

import pytest

from context_checkpoint.learning.values import Recommendation
from context_checkpoint.nodes.recording.wiring import (
    CheckpointImages,
    WiringError,
    divide_by_plan,
    images_by_checkpoint,
)


def plan(*checkpoints: str) -> Recommendation:
    return Recommendation(
        prompt="a cat",
        checkpoints=checkpoints,
        confidence=0.0,
        strategy="explore",
        scores={},
        policy="bayesian",
        keywords=(),
        explanation="",
    )


def test_one_name_per_batch_names_every_image_in_it() -> None:
    """The usual case: the loader's list and the decoder's list run in parallel."""
    assert images_by_checkpoint([2, 1], ["a", "b"]) == (CheckpointImages("a", 2, 0), CheckpointImages("b", 1, 1))


def test_one_name_per_image_reads_batches_that_were_joined() -> None:
    """Images that were joined into one batch on the way keep their order."""
    assert images_by_checkpoint([3], ["a", "b", "c"]) == (
        CheckpointImages("a", 1, 0),
        CheckpointImages("b", 1, 0),
        CheckpointImages("c", 1, 0),
    )


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]])
def test_names_that_fit_neither_are_refused_with_what_to_connect(names: list[str]) -> None:
    """A guess at which checkpoint made an image would teach nonsense."""
    with pytest.raises(WiringError, match="Connect to `ckpt_names`"):
        images_by_checkpoint([2, 2], names)


@pytest.mark.parametrize(
    ("plans", "names", "expected"),
    [
        ([("a", "b", "c")], ["a", "b", "c"], [3]),
        ([("a", "b", "c")], ["a", "c"], [2]),
        ([("a", "b")], ["a", "a", "b", "b"], [4]),
        ([("a", "b"), ("b", "a")], ["a", "b", "b", "a"], [2, 2]),
        ([("a",), ("a",)], ["a", "a"], [1, 1]),
        ([("a", "b"), ("a", "b")], ["b", "b"], [1, 1]),
        ([("a", "b"), ("c",)], ["c"], [0, 1]),
    ],
)
def test_entries_follow_the_plans_in_order(plans: list[tuple[str, ...]], names: list[str], expected: list[int]) -> None:
    """Several prompts in one list: each plan takes its own, and what dropped out is missing everywhere."""
    assert divide_by_plan([plan(*checkpoints) for checkpoints in plans], names) == expected


@pytest.mark.parametrize("plans", [[("a", "b")], [("a",), ("b",)]])
def test_an_image_by_a_checkpoint_that_is_in_no_plan_is_refused(plans: list[tuple[str, ...]]) -> None:
    """A checkpoint that the plan does not have was connected from elsewhere."""
    with pytest.raises(WiringError, match="entry 1 is by z"):
        divide_by_plan([plan(*checkpoints) for checkpoints in plans], ["a", "z"])
