"""What is expected before any verdict is where verdicts start from."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import predict
from context_checkpoint.learning.model.evidence import Comparison, Evidence
from context_checkpoint.learning.model.prior_means import with_prior_means
from context_checkpoint.learning.values import Keyword, Shown

CAT = (Keyword("cat"),)


def test_before_any_verdict_every_model_expects_the_prior_mean() -> None:
    """Also the model of similar rounds, whose prior precision the sums are made for."""
    prediction = predict(CAT, ["a", "b"], with_prior_means(Evidence(), {"a": 0.5}))

    assert prediction.means.tolist() == pytest.approx([0.5, 0.0])
    assert prediction.pooled.overall.tolist() == pytest.approx([0.5, 0.0])


def test_verdicts_overcome_it() -> None:
    """Where they say otherwise."""
    sums = Accumulator()
    for _ in range(10):
        sums.add(Comparison(CAT, (Shown("a", 1, rejected=1), Shown("b", 1, selected=1))))

    means = predict(CAT, ["a", "b"], with_prior_means(sums.evidence(CAT, ["a", "b"]), {"a": 0.5})).means

    assert int(numpy.argmax(means)) == 1
