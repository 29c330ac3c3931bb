"""Alternatives that consist of several arms: sums of utilities, offsets, and no bar."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.arms import arms_of
from context_checkpoint.learning.model.averaging import predict
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.plackett_luce import NO_BAR, derivatives, log_likelihood
from context_checkpoint.learning.model.sufficient_statistics import increments
from context_checkpoint.learning.values import Keyword, Shown

INK = (Keyword("ink"),)

parts = st.integers(0, 3).flatmap(lambda images: st.tuples(st.just(images), st.integers(0, images)))
rounds = st.lists(st.tuples(parts, st.floats(-3.0, 3.0)), min_size=1, max_size=4)


def shown_of(numbers: list[tuple[tuple[int, int], float]]) -> list[Shown]:
    return [Shown(str(place), images, up, images - up) for place, ((images, up), _) in enumerate(numbers)]


@given(rounds)
def test_arms_of_one_alternative_each_are_checkpoints(numbers: list[tuple[tuple[int, int], float]]):
    """To the same bits."""
    shown, utilities = shown_of(numbers), [utility for _, utility in numbers]
    assert derivatives(shown, utilities, [(place,) for place in range(len(shown))]) == derivatives(shown, utilities)


@given(rounds, st.sampled_from([-1.0, NO_BAR]), st.data())
def test_sums_are_the_derivatives_of_the_likelihood_in_an_arm(
    numbers: list[tuple[tuple[int, int], float]], bar: float, data: st.DataObject
):
    """However many alternatives have it."""
    shown, utilities = shown_of(numbers), [utility for _, utility in numbers]
    if not any(part.selected for part in shown):
        return
    places = data.draw(st.sets(st.integers(0, len(shown) - 1), min_size=1))

    def likelihood(more: float) -> float:
        moved = [utility + more * (place in places) for place, utility in enumerate(utilities)]
        return log_likelihood(shown, moved, [0.0] * len(shown), bar)

    ((gradient, curvature),) = derivatives(shown, utilities, [sorted(places)], bar)
    step = 1e-3
    up, here, down = likelihood(step), likelihood(0.0), likelihood(-step)
    assert gradient == pytest.approx((up - down) / (2 * step), abs=1e-4)
    assert curvature == pytest.approx((2 * here - up - down) / step**2, abs=1e-3)


def compared(winner: tuple[str, ...], loser: tuple[str, ...], offsets: tuple[float, float] = (0.0, 0.0)) -> Comparison:
    shown = (Shown("0", 1, 1, offset=offsets[0]), Shown("1", 1, 0, 1, offset=offsets[1]))
    return Comparison(INK, shown, members=(winner, loser))


def taught(*comparisons: Comparison) -> Accumulator:
    sums = Accumulator()
    for comparison in comparisons:
        sums.add(comparison)
    return sums


def means(sums: Accumulator, *names: str) -> list[float]:
    found: list[float] = predict(INK, names, sums.evidence(INK, names)).means.tolist()
    return found


def test_two_that_always_stand_together_share_what_is_learned():
    """Neither is credited with what the other explains, and both together are worth more than nothing."""
    alone = means(taught(*[compared(("x",), ())] * 12), "x")[0]
    both = means(taught(*[compared(("x", "y"), ())] * 12), "x", "y")

    assert both[0] == both[1]
    assert 0.0 < both[0] < 0.8 * alone


def test_what_an_offset_explains_is_not_credited():
    """The kept image was expected to be better."""
    free, explained = [means(taught(*[compared(("x",), (), (by, 0.0))] * 12), "x")[0] for by in (0.0, 3.0)]
    assert abs(explained) < 0.3 * free


def test_what_was_added_can_be_taken_away():
    """To the same bits."""
    rounds = [compared(("x",), ()), compared(("y", "x"), ("z",)), compared((), ("y",))]
    sums = taught(*rounds)
    other = compared(("z", "y"), ("x",))
    sums.add(other)
    sums.subtract(other)
    assert sums.pairs == taught(*rounds).pairs


def test_an_alternative_without_arms_has_its_offset():
    """None of them is zero."""
    arms = arms_of(compared(("x", "y"), (), (0.5, -0.25)), compared(("x", "y"), ()).shown)
    assert arms.names == ("x", "y")
    assert arms.utilities_of_alternatives([1.0, 2.0]) == [3.0, 0.0]
    comparison = compared(("x", "y"), (), (0.5, -0.25))
    assert arms_of(comparison, comparison.shown).utilities_of_alternatives([1.0, 2.0]) == [3.5, -0.25]
    assert math.exp(NO_BAR) == 0.0


@given(rounds, st.data())
def test_an_offset_of_a_checkpoint_moves_what_is_expected_and_not_what_is_taught_of(
    numbers: list[tuple[tuple[int, int], float]], data: st.DataObject
):
    """The derivatives are those of a choice among images so much better, and the sums stay around its own utility."""
    shown, utilities = shown_of(numbers), [utility for _, utility in numbers]
    offsets = [data.draw(st.floats(-2.0, 2.0)) for _ in shown]
    apart = [replace(part, utility=u, offset=o) for part, u, o in zip(shown, utilities, offsets, strict=True)]
    within = [replace(part, utility=u + o) for part, u, o in zip(shown, utilities, offsets, strict=True)]

    taught_apart, taught_within = (increments(Comparison(INK, tuple(parts))) for parts in (apart, within))

    for one, other in zip(taught_apart, taught_within, strict=True):
        more = other.change.information * offsets[int(one.checkpoint)]
        assert one.change.information == pytest.approx(other.change.information, abs=1e-5)
        assert one.change.score == pytest.approx(other.change.score - more, abs=1e-5)


def test_a_checkpoint_is_not_credited_with_what_its_loras_explain():
    """Nor is it blamed for one that was known to harm."""
    sums = {}
    for offset in (-3.0, 0.0, 3.0):
        shown = (Shown("a", 1, 1, offset=offset), Shown("b", 1, 0, 1))
        sums[offset] = means(taught(*[Comparison(INK, shown)] * 12), "a")[0]
    assert sums[3.0] < 0.7 * sums[0.0] < sums[0.0] < sums[-3.0]
