"""What people use next is predicted from what they used of late, better than from counts.

The galleries stay outside of the repository: CC_DATA names the folder that has them in `people`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import galleries


@pytest.fixture(scope="module")
def pages() -> list[galleries.Page]:
    named = os.environ.get("CC_DATA")
    if not named or not (Path(named) / galleries.FILE).is_file():
        pytest.skip(f"NOT RUN: set CC_DATA to a folder with {galleries.FILE} in it")
    return galleries.read(Path(named))


def test_a_habit_tells_more_than_frequency_and_recency_together(pages: list[galleries.Page]) -> None:
    """By a tenth of a nat, with the prompt's part learned; the prompt alone tells less than either."""
    scores = galleries.results(pages)
    nats = {name: score[0] for name, score in scores.items()}

    both = nats["most frequent and last used"]
    assert nats[galleries.HABIT] < both - 0.1
    assert nats[galleries.HABIT] < nats[galleries.HABIT_ALONE] + 0.005
    assert nats["nearest prompts"] > both
    assert scores[galleries.HABIT][2] > scores["most frequent and last used"][2]


def test_expectations_are_probabilities(pages: list[galleries.Page]) -> None:
    """Over the checkpoints that the person had used."""
    for page in pages[:50]:
        for shares in page.shares.values():
            assert sum(shares.values()) == pytest.approx(1.0)
