"""A value is chosen by what is known of it."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model.evidence import Evidence
from context_checkpoint.learning.model.prior_means import with_prior_means
from context_checkpoint.learning.policies import DEFAULT_POLICY, policy_named
from context_checkpoint.learning.recommendation.parameter_choice import by_prior_means
from context_checkpoint.learning.values import Keyword

ARMS = ["30", "20", "12", "8"]


@pytest.mark.parametrize("means", [{}, {"30": 0.0, "20": -0.1, "12": -0.5, "8": -0.5}, {"8": 0.0, "12": -0.2}])
def test_without_a_comparison_the_order_is_the_policy_s(means: dict[str, float]) -> None:
    """The short way gives the order, the other values to try, and the confidence of the long one."""
    evidence = with_prior_means(Evidence(), means)
    words = [Keyword("cat"), Keyword("sunny")]
    by_policy = policy_named(DEFAULT_POLICY).rank(words, ARMS, evidence, rng=numpy.random.default_rng(0))

    ranking = by_prior_means(ARMS, means)

    assert (ranking.order, ranking.confidence) == (by_policy.order, by_policy.confidence)
    assert ranking.shown_order == by_policy.shown_order
