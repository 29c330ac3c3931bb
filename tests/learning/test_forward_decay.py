"""What was learned before a taste changed counts less, and every round stays one that can be taken out."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning import PreferenceService, forward_decay
from context_checkpoint.learning.basis import Basis, unpacked
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.policies.experts import predict
from context_checkpoint.learning.statistics import increments
from context_checkpoint.learning.tally import Tally
from context_checkpoint.learning.values import Keyword, Ranking, Round, Shown

from .test_faults import teach

POOL = ("a", "b", "c", "d")
CATS = (Keyword("cat"), Keyword("sofa"))
TREES = (Keyword("tree"), Keyword("river"))


def picked(best: str | None, words: tuple[Keyword, ...] = CATS, names: tuple[str, ...] = POOL[:3]) -> Round:
    return Round(words, tuple(Shown(name, 1, int(name == best), int(name != best)) for name in names))


def ask(tally: Tally, words: tuple[Keyword, ...] = CATS) -> Ranking:
    held = tally.evidence(words, POOL)
    return policy_named("bayesian").rank(words, POOL, held, rng=numpy.random.default_rng(0))


def someone(rounds: int = 25) -> Tally:
    """Somebody who has picked `a` for cats and `b` for trees for long."""
    tally = Tally()
    for number in range(rounds):
        names = ("a", "b", POOL[2 + number % 2])
        tally.add(picked("a", CATS, names))
        tally.add(picked("b", TREES, names))
    return tally


def turn(tally: Tally) -> None:
    """For cats `a` is rejected when it is shown alone, and `c` is picked beside it."""
    for number in range(8):
        tally.add(picked("c", CATS, ("a", "c")) if number % 2 else picked(None, CATS, ("a",)))


def lead(tally: Tally) -> float:
    """By how much similar rounds say that `c` is better than `a` for cats."""
    similar = predict(CATS, POOL, tally.evidence(CATS, POOL)).pooled.means
    return float(similar[POOL.index("c")] - similar[POOL.index("a")])


class TestGrown:
    @given(st.lists(st.floats(0.0, forward_decay.MOST), min_size=1, max_size=5), st.floats(0.0, 4.0))
    def test_it_grows_with_doubt_alone_and_to_a_bound(self, growths: list[float], doubted: float):
        """Without a doubt it stays; what all rounds say grows more slowly."""
        before = numpy.array(growths)
        after = forward_decay.grown(before, doubted)
        assert (after >= before).all()
        assert after.max() <= forward_decay.MOST
        if doubted == 0.0:
            assert (after == before).all()
        level = forward_decay.grown(numpy.zeros(3), doubted)
        assert level[0] <= level[1] == level[2]

    def test_sums_count_as_they_do_by_now(self):
        """What counted one when nothing was doubted counts a half after a growth of log 2."""
        sums, growths = numpy.ones((2, 3)), numpy.array([0.0, numpy.log(2.0)])
        assert forward_decay.faded(sums, growths).tolist() == [
            [1.0] * 3,
            [0.5] * 3,
        ]


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
        held = someone().evidence((*CATS, *TREES), POOL).hearings
        assert max(heard.growth for heard in held.values()) < 0.2

    def test_taking_its_verdicts_back_leaves_no_trace(self):
        """To the same bits, however much later ones counted."""
        tally = someone()
        before = (dict(tally.pairs), tally.evidence(CATS, POOL).hearings)
        rounds = [replace(picked("c"), stage=stage) for stage in ("final", "draft") * 8]
        for judged in rounds:
            tally.add(judged)
        assert tally.evidence(CATS, POOL).hearings["cat"].growth > 0.5
        for judged in reversed(rounds):
            tally.subtract(judged)
        assert (dict(tally.pairs), tally.evidence(CATS, POOL).hearings) == before


def basis_of_a_doubted_round() -> tuple[Round, Basis]:
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
        assert basis.growths.max() > 0.5
        again = unpacked(basis.packed())
        assert again is not None
        assert increments(replace(judged, basis=again)) == increments(replace(judged, basis=basis))
        calm = replace(basis, growths=numpy.zeros(3), doubt=0.0)
        more, less = (
            {(each.keyword, each.checkpoint): each.change for each in increments(replace(judged, basis=one))}
            for one in (basis, calm)
        )
        assert more["cat", "d"].information > 1.5 * less["cat", "d"].information
        assert more["cat", "d"].total == less["cat", "d"].total == 1.0

    def test_one_of_the_version_before_is_read_and_teaches_what_it_taught(self):
        """It has all but growths and doubt, and a round counted one then."""
        judged, basis = basis_of_a_doubted_round()
        packed = basis.packed()
        head = struct.calcsize("<BHHf")
        words, shown, models = len(basis.features), len(basis.means), len(basis.trust)
        halves = 2 * (words + (words + 1) * shown + 1 + words + words)
        former = b"\x02" + packed[1 : head + halves] + packed[head + halves + 2 * (words + 1) : -4]
        assert len(former) == head + halves + 4 * (2 * shown + 1) * models
        read = unpacked(former)
        assert read is not None
        calm = replace(basis, growths=numpy.zeros(words + 1), doubt=0.0)
        assert increments(replace(judged, basis=read)) == increments(replace(judged, basis=calm))


async def test_a_turned_taste_is_stored_as_it_is_counted_in_memory(service: PreferenceService) -> None:
    """Rebuilding finds nothing to correct, and the last verdicts are what is recommended."""
    await teach(service, rounds=20)
    await teach(service, rounds=12, winner="b")
    found = await service.recommend("anime girl", ["a", "b", "c"], seed=1)
    report = await service.rebuild()
    assert report.corrected == 0
    assert found.checkpoints[0] == "b"
    assert await service.recommend("anime girl", ["a", "b", "c"], seed=1) == found
