"""The document's thresholds, the draft override, and how images are divided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.recommendation.strategy import choose, divide_images
from context_checkpoint.learning.values import MOST_BRANCHES, Ranking, Stage, Thresholds

POOL = ("a", "b", "c", "d")


def ranking(confidence: float, names: tuple[str, ...] = POOL) -> Ranking:
    scores = dict.fromkeys(names, 0.5)
    return Ranking(names, names, scores, scores, confidence, confidence, 1.0)


def chosen(confidence: float, *, stage: Stage = "final", explore: bool = True, most: int = 3):
    return choose(ranking(confidence), stage=stage, explore=explore, thresholds=Thresholds(), max_branches=most)


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.0, ("explore", ("a", "b", "c"))),
        (0.3, ("explore", ("a", "b", "c"))),
        (0.31, ("exploit_explore", ("a", "b"))),
        (0.5, ("exploit_explore", ("a", "b"))),
        (0.51, ("exploit", ("a",))),
        (1.0, ("exploit", ("a",))),
    ],
)
def test_confidence_chooses_the_number_of_branches(confidence: float, expected: tuple[str, tuple[str, ...]]):
    """Above 0.5 one, above 0.3 two, else three; a threshold itself is not above itself."""
    assert chosen(confidence) == expected


def test_a_draft_always_explores():
    """The override holds at any confidence."""
    assert chosen(0.99, stage="draft") == ("explore", ("a", "b", "c"))


def test_without_exploring_the_best_is_shown_alone():
    """`explore=False` shows one checkpoint, in a draft too: the override lives inside explore mode."""
    assert chosen(0.0, explore=False) == ("exploit", ("a",))
    assert chosen(0.0, explore=False, stage="draft") == ("exploit", ("a",))


@pytest.mark.parametrize(
    ("most", "expected"), [(1, ("exploit", ("a",))), (2, ("explore", ("a", "b"))), (3, ("explore", POOL[:3]))]
)
def test_no_more_branches_than_allowed(most: int, expected: tuple[str, tuple[str, ...]]):
    """`max_branches` caps exploring; with one branch nothing is compared."""
    assert chosen(0.0, most=most) == expected


def test_the_branches_follow_the_order_the_policy_drew():
    """`shown_order`, not `order`, fills the branches."""
    drawn = Ranking(POOL, ("a", "d", "c", "b"), {}, {}, 0.0, 0.0, 0.0)
    assert choose(drawn, stage="final", explore=True, thresholds=Thresholds())[1] == ("a", "d", "c")


def test_nothing_to_choose_from_is_told():
    """An empty ranking and a wrong number of branches are errors that say what to do."""
    with pytest.raises(ValueError, match="at least one candidate"):
        choose(ranking(0.5, ()), stage="final", explore=True, thresholds=Thresholds())
    with pytest.raises(ValueError, match="choose 1, 2 or 3"):
        chosen(0.5, most=4)


@pytest.mark.parametrize(("exploit", "explore"), [(0.3, 0.5), (1.1, 0.3), (0.5, -0.1), (float("nan"), 0.3)])
def test_thresholds_the_wrong_way_round_are_refused(exploit: float, explore: float):
    """The message says which order is right."""
    with pytest.raises(ValueError, match="0 <= explore <= exploit <= 1"):
        Thresholds(exploit=exploit, explore=explore)


@pytest.mark.parametrize(
    ("strategy", "branches", "images", "expected"),
    [
        ("exploit", 1, 8, (8,)),
        ("exploit_explore", 2, 10, (7, 3)),
        ("exploit_explore", 2, 20, (14, 6)),
        ("exploit_explore", 2, 4, (3, 1)),
        ("exploit_explore", 2, 2, (1, 1)),
        ("exploit_explore", 2, 1, (1, 1)),
        ("explore", 3, 20, (7, 7, 6)),
        ("explore", 3, 1, (1, 1, 1)),
        ("explore", 2, 5, (3, 2)),
    ],
)
def test_images_are_divided_as_the_document_says(strategy, branches, images, expected):
    """100, 70/30 or evenly, and at least one each."""
    assert divide_images(strategy, POOL[:branches], images) == expected


@given(
    st.sampled_from([("exploit", 1), ("exploit_explore", 2), ("explore", 2), ("explore", 3)]),
    st.integers(1, 500),
)
def test_division_loses_no_image_and_starves_no_branch(plan, images: int):
    """The parts add up, each is at least one, and the best never has fewer than another."""
    strategy, branches = plan
    parts = divide_images(strategy, POOL[:branches], images)
    assert len(parts) == branches <= MOST_BRANCHES
    assert sum(parts) == max(images, branches)
    assert min(parts) >= 1
    assert parts[0] == max(parts)


def test_dividing_nothing_is_refused():
    """No checkpoints, or no images."""
    with pytest.raises(ValueError, match="no checkpoint"):
        divide_images("explore", (), 3)
    with pytest.raises(ValueError, match="at least one"):
        divide_images("explore", POOL, 0)
