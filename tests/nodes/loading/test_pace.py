"""How many seconds an image of each checkpoint takes."""

from __future__ import annotations

import pytest

from context_checkpoint.nodes.loading.pace import Pace


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def draw(pace: Pace, clock: Clock, name: str, seconds: float, images: int = 1) -> None:
    pace.begin(name)
    clock.now += seconds
    pace.end(name, images)


def test_it_is_the_median_per_image_of_the_newest_branches(pace: Pace, clock: Clock) -> None:
    """One slow branch is no slow checkpoint, and what was long ago does not count."""
    for seconds in (100.0,) * 9 + (2.0, 2.0, 60.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0):
        draw(pace, clock, "a", seconds, images=2)
    draw(pace, clock, "b", 5.0)

    assert (pace.seconds("a"), pace.seconds("b"), pace.seconds("c")) == (1.0, 5.0, None)


def test_what_failed_or_came_from_a_cache_is_not_timed(pace: Pace, clock: Clock) -> None:
    """No image, no beginning, or a beginning whose branch was broken off."""
    draw(pace, clock, "failed", 3.0, images=0)
    pace.end("cached", 1)
    pace.begin("broken off")
    clock.now += 100.0
    draw(pace, clock, "next", 3.0)
    pace.end("broken off", 1)

    assert [pace.seconds(name) for name in ("failed", "cached", "broken off", "next")] == [None, None, None, 3.0]
