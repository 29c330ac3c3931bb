"""What evidence and clarity mean."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.confidence import clarity, evidence, normal_distribution


def test_evidence_is_the_documents_curve():
    """One shared prompt gives 0.2, four rounds one half, five pictures' worth of three 0.45 and so on."""
    assert [evidence(n) for n in (0, 1, 4, 16)] == [0.0, 0.2, 0.5, 0.8]
    assert evidence(-3.0) == 0.0


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_rounds_are_never_less_evidence(one: float, other: float):
    """It grows with the rounds and stays below one."""
    few, many = sorted((one, other))
    assert 0.0 <= evidence(few) <= evidence(many) < 1.0


def test_among_many_it_takes_more_rounds():
    """Up to six it is the document's curve; of twelve, 7.2 rounds make one half, of hundreds eight."""
    assert [evidence(4.0, count) for count in (1, 3, 6)] == [0.5, 0.5, 0.5]
    assert evidence(7.2, 12) == pytest.approx(0.5)
    assert evidence(8.0, 20) == evidence(8.0, 500) == 0.5


@pytest.mark.parametrize("count", [1, 2, 3, 12, 200])
def test_among_equals_nobody_is_clear(count: int):
    """Each of n has one chance in n."""
    assert clarity(numpy.zeros(count), numpy.ones(count), 0) == pytest.approx(1 / count, rel=0.02)


def test_a_far_leader_is_clear_and_a_far_last_is_not():
    """Ten deviations apart leave no doubt."""
    means, deviations = numpy.array([10.0, 0.0, 0.0]), numpy.ones(3)
    assert clarity(means, deviations, 0) == pytest.approx(1.0, abs=1e-3)
    assert clarity(means, deviations, 1) == pytest.approx(0.0, abs=1e-3)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 3), st.floats(0.2, 3))
def test_clarity_of_two_is_the_probability_that_one_exceeds_the_other(a: float, b: float, s: float, t: float):
    """Known in closed form: the difference of two normals is normal."""
    expected = 0.5 * (1 + math.erf((a - b) / math.hypot(s, t) / math.sqrt(2)))
    assert clarity(numpy.array([a, b]), numpy.array([s, t]), 0) == pytest.approx(expected, abs=0.01)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.3, 3)), min_size=2, max_size=6))
def test_the_chances_of_all_add_up_to_one(values: list[tuple[float, float]]):
    """Somebody is the best."""
    means, deviations = numpy.array([mean for mean, _ in values]), numpy.array([sd for _, sd in values])
    assert sum(clarity(means, deviations, who) for who in range(len(values))) == pytest.approx(1.0, abs=0.05)


def test_the_normal_distribution_is_close_enough():
    """The approximation's stated error holds."""
    points = numpy.linspace(-8, 8, 2001)
    exact = numpy.array([0.5 * (1 + math.erf(point / math.sqrt(2))) for point in points])
    assert numpy.abs(normal_distribution(points) - exact).max() < 1.5e-4
