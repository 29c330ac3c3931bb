"""Surprise, drift, and how long a checkpoint may be shown alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.plackett_luce import BAR, surprise
from context_checkpoint.learning.model.sufficient_statistics import keyword_trends
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.values import Keyword, Ranking, Shown

POOL = ("a", "b", "c", "d")
CATS = (Keyword("cat"), Keyword("sofa"))
TREES = (Keyword("tree"), Keyword("river"))


def shown(best: str | None, *names: str) -> tuple[Shown, ...]:
    return tuple(Shown(name, 1, int(name == best), int(name != best)) for name in names)


def ask(sums: Accumulator, words: tuple[Keyword, ...] = CATS, seed: int = 0) -> Ranking:
    evidence = sums.evidence(words, POOL)
    return policy_named("bayesian").rank(words, POOL, evidence, rng=numpy.random.default_rng(seed))


def someone(rounds: int = 12) -> Accumulator:
    """Somebody who picks `a` for cats and `b` for trees."""
    sums = Accumulator()
    for number in range(rounds):
        others = (POOL[2 + number % 2],)
        sums.add(Comparison(CATS, shown("a", "a", "b", *others)))
        sums.add(Comparison(TREES, shown("b", "a", "b", *others)))
    return sums


class TestSurprise:
    @given(
        st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=3),
        st.floats(0.0, 2.0),
    )
    def test_a_correct_model_is_not_surprised_on_average(self, means: list[float], variance: float):
        """The expectation over all that may be chosen, the bar among them, is 0."""
        names, variances = POOL[: len(means)], [variance] * len(means)
        drawn = [mean / math.sqrt(1.0 + math.pi / 8.0 * variance) for mean in means]
        force = [*(math.exp(each) for each in drawn), math.exp(BAR)]
        expected = sum(
            weight / sum(force) * surprise(shown(best, *names), means, variances)
            for weight, best in zip(force, (*names, None), strict=True)
        )
        assert expected == pytest.approx(0.0, abs=1e-9)

    def test_a_sure_picture_rejected_surprises_and_one_accepted_does_not(self):
        """In nats: far above what chance produces, and a little below zero."""
        assert surprise(shown(None, "a"), [2.0], [0.1]) > 2.0
        assert -0.3 < surprise(shown("a", "a"), [2.0], [0.1]) < 0.0


class TestTrends:
    def test_checkpoints_shown_alone_are_counted_until_some_are_compared(self):
        """Per keyword, and only its own."""
        sums = someone()
        for _ in range(3):
            sums.add(Comparison(CATS, shown("a", "a")))
        trends = sums.evidence((*CATS, *TREES), POOL).keyword_trends
        assert (trends["cat"].exploit_streak, trends["tree"].exploit_streak) == (3.0, 0.0)
        sums.add(Comparison(CATS, shown("a", "a", "b")))
        assert sums.evidence(CATS, POOL).keyword_trends["cat"].exploit_streak == 0.0

    def test_taking_a_verdict_back_leaves_no_trace(self):
        """The numbers are sums, although they are replaced."""
        sums = someone()
        before = sums.evidence(CATS, POOL).keyword_trends
        verdict = Comparison(CATS, shown(None, "a"))
        sums.add(verdict)
        assert sums.evidence(CATS, POOL).keyword_trends != before
        sums.subtract(verdict)
        assert sums.evidence(CATS, POOL).keyword_trends == before

    def test_a_draft_surprises_half(self):
        """As it teaches half; the streak counts whole."""
        sums, verdict = someone(), Comparison(CATS, shown(None, "a"), "final")
        sums.add(verdict)
        (snapshot,) = sums._snapshots[verdict]
        final, draft = (
            keyword_trends(replace(verdict, stage=stage, snapshot=snapshot))["cat"] for stage in ("final", "draft")
        )
        assert draft.surprise == pytest.approx(final.surprise / 2, abs=1e-5)
        assert draft.exploit_streak == final.exploit_streak == 1.0

    def test_without_a_verdict_or_a_snapshot_there_is_no_trend(self):
        """There is nothing to compare the verdict with."""
        assert keyword_trends(Comparison(CATS, (Shown("a", 1),))) == {}
        assert keyword_trends(Comparison(CATS, shown("a", "a"))) == {}


class TestDrift:
    def test_rejected_again_and_again_the_favourite_is_no_longer_shown_alone(self):
        """Long before so many verdicts outweigh those that made it the favourite."""
        sums = someone()
        sure = ask(sums)
        assert (sure.order[0], sure.drift) == ("a", 0.0)
        assert sure.confidence > 0.5
        for _ in range(3):
            sums.add(Comparison(CATS, shown(None, "a")))
        unsure = ask(sums)
        assert unsure.drift > 0.3
        assert unsure.confidence < 0.5

    def test_other_prompts_drift_less(self):
        """But a little: a taste that changed in one kind may have changed in others."""
        sums = someone()
        for _ in range(3):
            sums.add(Comparison(CATS, shown(None, "a")))
        assert ask(sums, TREES).drift < ask(sums).drift / 2

    def test_what_is_confirmed_again_is_believed_again(self):
        """A few bad days are no change of taste."""
        sums = someone()
        for _ in range(3):
            sums.add(Comparison(CATS, shown(None, "a")))
        for _ in range(8):
            sums.add(Comparison(CATS, shown("a", "a", "b", "c")))
        again = ask(sums)
        assert (again.order[0], again.drift) == ("a", 0.0)
        assert again.confidence > 0.5


class TestStaleness:
    def test_what_is_shown_alone_for_long_is_compared_again_and_then_believed_again(self):
        """For thirty generations nothing changes; before sixty two are shown, and one such comparison is enough."""
        sums, alone = someone(30), 0
        fresh = ask(sums).confidence
        while ask(sums).confidence > 0.5:
            sums.add(Comparison(CATS, shown("a", "a")))
            alone += 1
            if alone == 30:
                assert ask(sums).confidence >= fresh - 0.02
        assert 30 < alone < 60
        assert ask(sums).confidence > 0.3
        sums.add(Comparison(CATS, shown("a", "a", "b")))
        assert ask(sums).confidence >= fresh - 0.02
