"""What was learned before a taste changed counts less, and every comparison can still be taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.model import forward_decay
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import predict
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.snapshot import PriorSnapshot, unpacked
from context_checkpoint.learning.model.sufficient_statistics import increments, keyword_trends, log_likelihoods
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.values import Keyword, Ranking, Shown
from tests.learning.database.test_faults import teach

POOL = ("a", "b", "c", "d")
CATS = (Keyword("cat"), Keyword("sofa"))
TREES = (Keyword("tree"), Keyword("river"))


def picked(best: str | None, words: tuple[Keyword, ...] = CATS, names: tuple[str, ...] = POOL[:3]) -> Comparison:
    return Comparison(words, tuple(Shown(name, 1, int(name == best), int(name != best)) for name in names))


def ask(sums: Accumulator, words: tuple[Keyword, ...] = CATS) -> Ranking:
    evidence = sums.evidence(words, POOL)
    return policy_named("bayesian").rank(words, POOL, evidence, rng=numpy.random.default_rng(0))


def someone(rounds: int = 25) -> Accumulator:
    """Somebody who has picked `a` for cats and `b` for trees for long."""
    sums = Accumulator()
    for number in range(rounds):
        names = ("a", "b", POOL[2 + number % 2])
        sums.add(picked("a", CATS, names))
        sums.add(picked("b", TREES, names))
    return sums


def turn(sums: Accumulator) -> None:
    """For cats `a` is rejected when it is shown alone, and `c` is picked over it."""
    for number in range(8):
        sums.add(picked("c", CATS, ("a", "c")) if number % 2 else picked(None, CATS, ("a",)))


def lead(sums: Accumulator, words: tuple[Keyword, ...] = CATS) -> float:
    """By how much similar rounds say that `c` is better than `a` for cats."""
    similar = predict(words, POOL, sums.evidence(words, POOL)).pooled.means
    return float(similar[POOL.index("c")] - similar[POOL.index("a")])


class TestDecayWeights:
    @given(st.lists(st.floats(0.0, forward_decay.MOST), min_size=1, max_size=5), st.floats(0.0, 4.0))
    def test_they_rise_with_drift_alone_and_to_a_bound(self, log_decay_weights: list[float], drift_nats: float):
        """Without drift they stay; that of all rounds rises more slowly."""
        before = numpy.array(log_decay_weights)
        after = forward_decay.decayed_to(before, drift_nats)
        assert (after >= before).all()
        assert after.max() <= forward_decay.MOST
        if drift_nats == 0.0:
            assert (after == before).all()
        level = forward_decay.decayed_to(numpy.zeros(3), drift_nats)
        assert level[0] <= level[1] == level[2]

    def test_under_a_little_drift_nothing_decays(self):
        """Now and then chance alone produces it."""
        before = numpy.array([0.2, 0.4])
        assert forward_decay.decayed_to(before, 0.1).tolist() == before.tolist()
        assert (forward_decay.decayed_to(before, 0.2) > before).all()

    def test_under_a_great_drift_earlier_verdicts_count_half(self):
        """And what all rounds say four fifths, since there are more of them."""
        after = forward_decay.decayed_to(numpy.zeros(2), 3.0)
        assert numpy.exp(-after) == pytest.approx([0.8, 0.5])

    def test_sums_are_decayed_to_now(self):
        """What counted one before a drift counts a half at a log decay weight of log 2."""
        sums, log_decay_weights = numpy.ones((2, 3)), numpy.array([0.0, numpy.log(2.0)])
        assert forward_decay.decayed(sums, log_decay_weights).tolist() == [
            [1.0] * 3,
            [0.5] * 3,
        ]


def array(*numbers: float) -> NDArray[numpy.float64]:
    return numpy.array(numbers)


class TestSpread:
    def test_a_word_shares_the_drift_of_the_words_that_it_co_occurs_with(self):
        """As far as it co-occurs; its own weight stays where it is greater."""
        after = forward_decay.spread(array(0.5, 2.0, 0.0, 0.0), array(0.5, 0.25, 0.25), array(1.0, 0.5, 0.0))
        assert after.tolist() == [0.5, 2.0, 0.5, 0.0]

    @given(st.lists(st.tuples(*[st.floats(0.0, 1.0)] * 3), min_size=1, max_size=6))
    def test_none_falls_and_none_exceeds_the_greatest(self, words: list[tuple[float, float, float]]):
        """Shares that sum to 1 at most are a mean."""
        weights, share, co_occurrence = numpy.array(words).T
        before = numpy.concatenate([[0.3], forward_decay.MOST * weights])
        after = forward_decay.spread(before, share / max(1.0, share.sum()), co_occurrence)
        assert (after >= before).all()
        assert after[0] == before[0]
        assert after.max() <= max(0.3, before.max()) + 1e-9


class TestATasteThatChanged:
    def test_it_is_learned_before_all_earlier_verdicts_are_outweighed(self, monkeypatch: pytest.MonkeyPatch):
        """The two histories differ in the decay alone."""
        with monkeypatch.context() as without:
            without.setattr(forward_decay, "_DECAY", 0.0)
            outweighed = someone()
            turn(outweighed)
        decayed = someone()
        turn(decayed)
        assert lead(decayed) > 0.0 > lead(outweighed)

    def test_it_is_learned_for_words_that_were_not_used_since(self, monkeypatch: pytest.MonkeyPatch):
        """They co-occurred with those that were. The two histories differ in the spreading alone."""
        whiskers = (Keyword("cat"), Keyword("whiskers"), Keyword("fur"))

        def after(sums: Accumulator) -> float:
            for number in range(20):
                sums.add(picked("a", (*CATS, *whiskers[1:]), ("a", "b", POOL[2 + number % 2])))
                sums.add(picked("b", TREES, ("a", "b", POOL[2 + number % 2])))
            turn(sums)
            return lead(sums, whiskers)

        with monkeypatch.context() as apart:
            apart.setattr(forward_decay, "spread", lambda log_decay_weights, *_: log_decay_weights)
            without_spreading = after(Accumulator())
        assert after(Accumulator()) > without_spreading

    def test_other_prompts_keep_what_they_know(self):
        """The favourite for trees is known as well as before."""
        sums = someone()
        before = ask(sums, TREES)
        turn(sums)
        for _ in range(6):
            sums.add(picked("b", TREES))
        after = ask(sums, TREES)
        assert (before.order[0], after.order[0]) == ("b", "b")
        assert after.confidence > 0.9 * before.confidence

    def test_without_drift_nothing_decays(self):
        """Verdicts that come as predicted leave the weights where they are."""
        trends = someone().evidence((*CATS, *TREES), POOL).keyword_trends
        assert max(trend.log_decay_weight for trend in trends.values()) < 0.2

    def test_taking_its_verdicts_back_leaves_no_trace(self):
        """To the same bits, however much later ones counted."""
        sums = someone()
        before = (dict(sums.pairs), sums.evidence(CATS, POOL).keyword_trends)
        rounds = [replace(picked("c"), stage=stage) for stage in ("final", "draft") * 8]
        for comparison in rounds:
            sums.add(comparison)
        assert sums.evidence(CATS, POOL).keyword_trends["cat"].log_decay_weight > 0.5
        for comparison in reversed(rounds):
            sums.subtract(comparison)
        assert (dict(sums.pairs), sums.evidence(CATS, POOL).keyword_trends) == before


def snapshot_under_drift() -> tuple[Comparison, PriorSnapshot]:
    sums = someone()
    for _ in range(6):
        sums.add(picked("c"))
    last = picked("d", CATS, ("c", "d"))
    sums.add(last)
    (snapshot,) = sums._snapshots[last]
    return last, snapshot


class TestSnapshot:
    def test_a_comparison_under_drift_counts_more_and_is_read_back_to_the_same_bits(self):
        """The weights are logged with it."""
        comparison, snapshot = snapshot_under_drift()
        assert snapshot.log_decay_weights.max() > 0.5
        again = unpacked(snapshot.packed())
        assert again is not None
        assert increments(replace(comparison, snapshot=again)) == increments(replace(comparison, snapshot=snapshot))
        calm = replace(snapshot, log_decay_weights=numpy.zeros(3))
        more, less = (
            {(each.keyword, each.checkpoint): each.change for each in increments(replace(comparison, snapshot=one))}
            for one in (snapshot, calm)
        )
        assert more["cat", "d"].information > 1.5 * less["cat", "d"].information
        assert more["cat", "d"].total == less["cat", "d"].total == 1.0

    def test_version_2_is_read_and_teaches_what_it_taught(self):
        """It had no log decay weights, and a comparison counted one then."""
        comparison, snapshot = snapshot_under_drift()
        packed_rest, log_decay_weights = split(snapshot)
        read_back = unpacked(b"\x02" + packed_rest[1:])
        assert read_back is not None
        calm = replace(
            snapshot,
            log_decay_weights=numpy.zeros_like(log_decay_weights),
            log_decay_steps=numpy.zeros_like(log_decay_weights),
        )
        assert taught(comparison, read_back) == taught(comparison, calm)

    @given(st.floats(0.0, 2.0, width=32))
    def test_version_3_is_read_and_teaches_what_it_taught(self, drift_nats: float):
        """It had the weights before the comparison, and let any drift count, up to 0.5 nats."""
        comparison, snapshot = snapshot_under_drift()
        packed_rest, log_decay_weights = split(snapshot)
        read_back = unpacked(
            b"\x03"
            + packed_rest[1 : -singles(snapshot)]
            + log_decay_weights.astype("<f2").tobytes()
            + packed_rest[-singles(snapshot) :]
            + numpy.float32(drift_nats).tobytes()
        )
        assert read_back is not None
        before = log_decay_weights.astype("<f2").astype(float)
        pace = 2.0 * min(drift_nats, 0.5) ** 2 * numpy.array([0.25, *[1.0] * (len(log_decay_weights) - 1)])
        after = before + numpy.log1p(pace)
        assert taught(comparison, read_back) == taught(
            comparison, replace(snapshot, log_decay_weights=after, log_decay_steps=after - before)
        )


def singles(snapshot: PriorSnapshot) -> int:
    """Bytes of what is kept in single precision."""
    return 4 * (snapshot.means.size + snapshot.variances.size + snapshot.model_weights.size)


def split(snapshot: PriorSnapshot) -> tuple[bytes, NDArray[numpy.float64]]:
    """As packed, without log decay weights, and those that it had before the comparison."""
    packed, size = snapshot.packed(), 2 * (snapshot.log_decay_weights.size + snapshot.log_decay_steps.size)
    end = len(packed) - singles(snapshot)
    return packed[: end - size] + packed[end:], snapshot.log_decay_weights - snapshot.log_decay_steps


def taught(comparison: Comparison, snapshot: PriorSnapshot) -> object:
    known = replace(comparison, snapshot=snapshot)
    return increments(known), keyword_trends(known), log_likelihoods(known)


async def test_a_changed_taste_is_stored_as_it_is_computed_in_memory(service: PreferenceService) -> None:
    """Rebuilding finds nothing to correct, and the last verdicts are what is recommended."""
    await teach(service, rounds=20)
    await teach(service, rounds=12, winner="b")
    recommendation = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    report = await service.rebuild()
    assert report.corrected == 0
    assert recommendation.checkpoints[0] == "b"
    assert await service.recommend("anime girl", ["a", "b", "c"], seed=1) == recommendation
