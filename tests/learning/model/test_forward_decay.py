"""What was learned before a taste changed counts less, and every round stays one that can be taken out."""

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
from context_checkpoint.learning.model.sufficient_statistics import fits, increments, keyword_trends
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.values import Keyword, Ranking, Shown
from tests.learning.database.test_faults import teach

POOL = ("a", "b", "c", "d")
CATS = (Keyword("cat"), Keyword("sofa"))
TREES = (Keyword("tree"), Keyword("river"))


def picked(best: str | None, words: tuple[Keyword, ...] = CATS, names: tuple[str, ...] = POOL[:3]) -> Comparison:
    return Comparison(words, tuple(Shown(name, 1, int(name == best), int(name != best)) for name in names))


def ask(tally: Accumulator, words: tuple[Keyword, ...] = CATS) -> Ranking:
    held = tally.evidence(words, POOL)
    return policy_named("bayesian").rank(words, POOL, held, rng=numpy.random.default_rng(0))


def someone(rounds: int = 25) -> Accumulator:
    """Somebody who has picked `a` for cats and `b` for trees for long."""
    tally = Accumulator()
    for number in range(rounds):
        names = ("a", "b", POOL[2 + number % 2])
        tally.add(picked("a", CATS, names))
        tally.add(picked("b", TREES, names))
    return tally


def turn(tally: Accumulator) -> None:
    """For cats `a` is rejected when it is shown alone, and `c` is picked beside it."""
    for number in range(8):
        tally.add(picked("c", CATS, ("a", "c")) if number % 2 else picked(None, CATS, ("a",)))


def lead(tally: Accumulator, words: tuple[Keyword, ...] = CATS) -> float:
    """By how much similar rounds say that `c` is better than `a` for cats."""
    similar = predict(words, POOL, tally.evidence(words, POOL)).pooled.means
    return float(similar[POOL.index("c")] - similar[POOL.index("a")])


class TestGrown:
    @given(st.lists(st.floats(0.0, forward_decay.MOST), min_size=1, max_size=5), st.floats(0.0, 4.0))
    def test_it_grows_with_doubt_alone_and_to_a_bound(self, log_decay_weights: list[float], doubted: float):
        """Without a doubt it stays; what all rounds say grows more slowly."""
        before = numpy.array(log_decay_weights)
        after = forward_decay.decayed_to(before, doubted)
        assert (after >= before).all()
        assert after.max() <= forward_decay.MOST
        if doubted == 0.0:
            assert (after == before).all()
        level = forward_decay.decayed_to(numpy.zeros(3), doubted)
        assert level[0] <= level[1] == level[2]

    def test_a_little_doubt_lets_nothing_fade(self):
        """Now and then chance alone brings it about."""
        before = numpy.array([0.2, 0.4])
        assert forward_decay.decayed_to(before, 0.1).tolist() == before.tolist()
        assert (forward_decay.decayed_to(before, 0.2) > before).all()

    def test_under_great_doubt_the_former_count_half(self):
        """And what all rounds say four fifths, since there are more of them."""
        grown = forward_decay.decayed_to(numpy.zeros(2), 3.0)
        assert numpy.exp(-grown) == pytest.approx([0.8, 0.5])

    def test_sums_count_as_they_do_by_now(self):
        """What counted one when nothing was doubted counts a half after a growth of log 2."""
        sums, log_decay_weights = numpy.ones((2, 3)), numpy.array([0.0, numpy.log(2.0)])
        assert forward_decay.faded(sums, log_decay_weights).tolist() == [
            [1.0] * 3,
            [0.5] * 3,
        ]


def heard(*log_decay_weights: float) -> NDArray[numpy.float64]:
    return numpy.array(log_decay_weights)


class TestSpread:
    def test_a_word_hears_what_its_company_went_through(self):
        """As far as it keeps company; what it went through itself stays."""
        found = forward_decay.spread(heard(0.5, 2.0, 0.0, 0.0), heard(0.5, 0.25, 0.25), heard(1.0, 0.5, 0.0))
        assert found.tolist() == [0.5, 2.0, 0.5, 0.0]

    @given(st.lists(st.tuples(*[st.floats(0.0, 1.0)] * 3), min_size=1, max_size=6))
    def test_nothing_grows_less_or_beyond_the_greatest(self, words: list[tuple[float, float, float]]):
        """Shares that sum to 1 at most are a mean."""
        told, share, company = numpy.array(words).T
        log_decay_weights = numpy.concatenate([[0.3], forward_decay.MOST * told])
        found = forward_decay.spread(log_decay_weights, share / max(1.0, share.sum()), company)
        assert (found >= log_decay_weights).all()
        assert found[0] == log_decay_weights[0]
        assert found.max() <= max(0.3, log_decay_weights.max()) + 1e-9


class TestATasteThatTurned:
    def test_it_is_learned_before_all_former_verdicts_are_outweighed(self, monkeypatch: pytest.MonkeyPatch):
        """Nothing but the fading differs."""
        with monkeypatch.context() as without:
            without.setattr(forward_decay, "_FADING", 0.0)
            outweighed = someone()
            turn(outweighed)
        faded = someone()
        turn(faded)
        assert lead(faded) > 0.0 > lead(outweighed)

    def test_it_is_learned_for_words_that_were_not_said_since(self, monkeypatch: pytest.MonkeyPatch):
        """They kept company with those that were. Nothing but the spreading differs."""
        whiskers = (Keyword("cat"), Keyword("whiskers"), Keyword("fur"))

        def after(tally: Accumulator) -> float:
            for number in range(20):
                tally.add(picked("a", (*CATS, *whiskers[1:]), ("a", "b", POOL[2 + number % 2])))
                tally.add(picked("b", TREES, ("a", "b", POOL[2 + number % 2])))
            turn(tally)
            return lead(tally, whiskers)

        with monkeypatch.context() as apart:
            apart.setattr(forward_decay, "spread", lambda log_decay_weights, *_: log_decay_weights)
            unheard = after(Accumulator())
        assert after(Accumulator()) > unheard

    def test_other_prompts_keep_what_they_know(self):
        """The favourite for trees is known as well as before."""
        tally = someone()
        before = ask(tally, TREES)
        turn(tally)
        for _ in range(6):
            tally.add(picked("b", TREES))
        after = ask(tally, TREES)
        assert (before.order[0], after.order[0]) == ("b", "b")
        assert after.confidence > 0.9 * before.confidence

    def test_in_calm_times_nothing_fades(self):
        """Verdicts that come as foretold leave the growth where it is."""
        held = someone().evidence((*CATS, *TREES), POOL).keyword_trends
        assert max(heard.log_decay_weight for heard in held.values()) < 0.2

    def test_taking_its_verdicts_back_leaves_no_trace(self):
        """To the same bits, however much later ones counted."""
        tally = someone()
        before = (dict(tally.pairs), tally.evidence(CATS, POOL).keyword_trends)
        rounds = [replace(picked("c"), stage=stage) for stage in ("final", "draft") * 8]
        for judged in rounds:
            tally.add(judged)
        assert tally.evidence(CATS, POOL).keyword_trends["cat"].log_decay_weight > 0.5
        for judged in reversed(rounds):
            tally.subtract(judged)
        assert (dict(tally.pairs), tally.evidence(CATS, POOL).keyword_trends) == before


def basis_of_a_doubted_round() -> tuple[Comparison, PriorSnapshot]:
    tally = someone()
    for _ in range(6):
        tally.add(picked("c"))
    last = picked("d", CATS, ("c", "d"))
    tally.add(last)
    (basis,) = tally._taken[last]
    return last, basis


class TestBasis:
    def test_a_doubted_round_counts_more_and_is_read_back_to_the_same_bits(self):
        """Growth and doubt are logged with it."""
        judged, basis = basis_of_a_doubted_round()
        assert basis.log_decay_weights.max() > 0.5
        again = unpacked(basis.packed())
        assert again is not None
        assert increments(replace(judged, basis=again)) == increments(replace(judged, basis=basis))
        calm = replace(basis, log_decay_weights=numpy.zeros(3))
        more, less = (
            {(each.keyword, each.checkpoint): each.change for each in increments(replace(judged, basis=one))}
            for one in (basis, calm)
        )
        assert more["cat", "d"].information > 1.5 * less["cat", "d"].information
        assert more["cat", "d"].total == less["cat", "d"].total == 1.0

    def test_one_without_growth_is_read_and_teaches_what_it_taught(self):
        """Version 2 has all the rest, and a round counted one then."""
        judged, basis = basis_of_a_doubted_round()
        former, log_decay_weights = split(basis)
        read = unpacked(b"\x02" + former[1:])
        assert read is not None
        calm = replace(
            basis,
            log_decay_weights=numpy.zeros_like(log_decay_weights),
            log_decay_steps=numpy.zeros_like(log_decay_weights),
        )
        assert taught(judged, read) == taught(judged, calm)

    @given(st.floats(0.0, 2.0, width=32))
    def test_one_that_tells_growths_before_and_the_doubt_teaches_what_it_taught(self, doubted: float):
        """Version 3 let each doubt count, up to 0.5 nats."""
        judged, basis = basis_of_a_doubted_round()
        former, log_decay_weights = split(basis)
        read = unpacked(
            b"\x03"
            + former[1 : -singles(basis)]
            + log_decay_weights.astype("<f2").tobytes()
            + former[-singles(basis) :]
            + numpy.float32(doubted).tobytes()
        )
        assert read is not None
        before = log_decay_weights.astype("<f2").astype(float)
        pace = 2.0 * min(doubted, 0.5) ** 2 * numpy.array([0.25, *[1.0] * (len(log_decay_weights) - 1)])
        grown = before + numpy.log1p(pace)
        assert taught(judged, read) == taught(
            judged, replace(basis, log_decay_weights=grown, log_decay_steps=grown - before)
        )


def singles(basis: PriorSnapshot) -> int:
    """Bytes of what is kept in single precision."""
    return 4 * (basis.means.size + basis.variances.size + basis.trust.size)


def split(basis: PriorSnapshot) -> tuple[bytes, NDArray[numpy.float64]]:
    """As packed, without growths, and the growths that it had before the round."""
    packed, size = basis.packed(), 2 * (basis.log_decay_weights.size + basis.log_decay_steps.size)
    end = len(packed) - singles(basis)
    return packed[: end - size] + packed[end:], basis.log_decay_weights - basis.log_decay_steps


def taught(judged: Comparison, basis: PriorSnapshot) -> object:
    known = replace(judged, basis=basis)
    return increments(known), keyword_trends(known), fits(known)


async def test_a_turned_taste_is_stored_as_it_is_counted_in_memory(service: PreferenceService) -> None:
    """Rebuilding finds nothing to correct, and the last verdicts are what is recommended."""
    await teach(service, rounds=20)
    await teach(service, rounds=12, winner="b")
    found = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    report = await service.rebuild()
    assert report.corrected == 0
    assert found.checkpoints[0] == "b"
    assert await service.recommend("anime girl", ["a", "b", "c"], seed=1) == found
