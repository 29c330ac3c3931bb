"""What a verdict teaches, as sums."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import take_snapshot
from context_checkpoint.learning.model.evidence import Comparison, Increment
from context_checkpoint.learning.model.sufficient_statistics import increments, keyword_rounds
from context_checkpoint.learning.values import Keyword, Shown

CAT = (Keyword("cat"),)
GRAIN = 2.0**-20


def overall(comparison: Comparison) -> dict[str, Increment]:
    return {each.checkpoint: each for each in increments(comparison) if not each.keyword}


def effect(comparison: Comparison, checkpoint: str) -> float:
    return overall(comparison)[checkpoint].change.score


def test_a_round_without_a_verdict_teaches_nothing():
    """Neither pairs nor rounds, whatever was shown."""
    silent = Comparison(CAT, (Shown("a", 3), Shown("b", 2)))
    assert increments(silent) == ()
    assert keyword_rounds(silent) == {}
    assert increments(Comparison(CAT, ())) == ()


def test_images_are_counted_as_the_document_counts_them():
    """Selected and judged images per keyword and checkpoint, and overall under the keyword ""."""
    comparison = Comparison((Keyword("cat"), Keyword("night", 1.3)), (Shown("a", 4, 3, 1), Shown("b", 2, 0, 2)))
    counts = {
        (each.keyword, each.checkpoint): (each.change.selected, each.change.total) for each in increments(comparison)
    }
    assert counts == {
        ("", "a"): (3, 4),
        ("", "b"): (0, 2),
        ("cat", "a"): (3, 4),
        ("cat", "b"): (0, 2),
        ("night", "a"): (3, 4),
        ("night", "b"): (0, 2),
    }


def test_an_image_without_a_verdict_adds_nothing_to_its_checkpoint():
    """b was shown and nobody judged it: b gains no statistics."""
    comparison = Comparison(CAT, (Shown("a", 1, selected=1), Shown("b", 1)))
    assert set(overall(comparison)) == {"a"}


def test_a_pick_is_a_choice_among_the_images_shown():
    """The more images a pick was chosen from, the more it says."""
    alone = effect(Comparison(CAT, (Shown("a", 1, 1),)), "a")
    of_two = effect(Comparison(CAT, (Shown("a", 1, 1), Shown("b", 1, 0, 1))), "a")
    of_three = effect(Comparison(CAT, (Shown("a", 1, 1), Shown("b", 1, 0, 1), Shown("c", 1, 0, 1))), "a")
    assert 0 < alone < of_two < of_three


def test_a_picture_shown_alone_says_little_when_accepted_and_much_when_rejected():
    """It is weak evidence that it is liked, and strong evidence that it is not."""
    accepted = effect(Comparison(CAT, (Shown("a", 1, selected=1),)), "a")
    rejected = effect(Comparison(CAT, (Shown("a", 1, rejected=1),)), "a")
    assert accepted > 0 > rejected
    assert abs(rejected) > 2 * accepted


def test_beating_a_stronger_checkpoint_says_more():
    """A win over one that the policy thought better moves more than a win over one it thought worse."""
    upset = Comparison(CAT, (Shown("a", 1, 1, utility=0.0), Shown("b", 1, 0, 1, utility=2.0)))
    expected = Comparison(CAT, (Shown("a", 1, 1, utility=0.0), Shown("b", 1, 0, 1, utility=-2.0)))
    assert effect(upset, "a") > effect(expected, "a") > 0


def test_rejecting_all_is_a_verdict():
    """It speaks against each image shown, and counts as a round."""
    comparison = Comparison(CAT, (Shown("a", 1, rejected=1), Shown("b", 1, rejected=1), Shown("c", 1, rejected=1)))
    assert all(each.change.score < 0 for each in increments(comparison))
    assert keyword_rounds(comparison) == {"": 1.0, "cat": 1.0}


def test_selecting_all_prefers_none():
    """Three images that are all kept teach the same about each."""
    comparison = Comparison(CAT, tuple(Shown(name, 1, selected=1) for name in "abc"))
    assert len({each.change for each in overall(comparison).values()}) == 1


def test_more_images_of_one_look_say_more_but_not_that_many_times_more():
    """Four images kept of four are stronger than one of one, and weaker than four rounds."""
    one = effect(Comparison(CAT, (Shown("a", 1, 1), Shown("b", 1, 0, 1))), "a")
    four = effect(Comparison(CAT, (Shown("a", 4, 4), Shown("b", 4, 0, 4))), "a")
    assert one < four < 4 * one


def test_emphasis_weighs_what_the_choice_teaches_of_a_keyword():
    """A keyword of weight 2 learns twice, one of weight 0 nothing; image counts stay counts."""
    comparison = Comparison((Keyword("cat", 2.0), Keyword("fog", 0.0)), (Shown("a", 1, 1), Shown("b", 1, 0, 1)))
    by_keyword = {each.keyword: each.change for each in increments(comparison) if each.checkpoint == "a"}
    assert by_keyword["cat"].information == pytest.approx(2 * by_keyword[""].information, abs=2 * GRAIN)
    assert by_keyword["fog"].score == by_keyword["fog"].information == 0.0
    assert by_keyword["cat"].total == by_keyword["fog"].total == 1.0


@pytest.mark.parametrize(("names", "share"), [("a", 1 / 3), ("ab", 2 / 3), ("abc", 1.0), ("abcde", 1.0)])
def test_a_round_counts_as_much_as_it_compares(names: str, share: float):
    """Three checkpoints make a full comparison, one alone a third of it."""
    comparison = Comparison(CAT, tuple(Shown(name, 1, rejected=1) for name in names))
    assert keyword_rounds(comparison)["cat"] == pytest.approx(share, abs=GRAIN)


def test_only_comparisons_count_as_rounds_of_a_pair():
    """A checkpoint shown alone was compared with nothing."""
    assert overall(Comparison(CAT, (Shown("a", 1, 1),)))["a"].change.rounds == 0.0
    assert overall(Comparison(CAT, (Shown("a", 1, 1), Shown("b", 1, 0, 1))))["a"].change.rounds == 1.0


def test_the_same_checkpoint_listed_twice_is_one():
    """Parts of one checkpoint are added before anything is compared."""
    twice = Comparison(CAT, (Shown("a", 1, 1), Shown("b", 1, 0, 1), Shown("a", 1, 0, 1)))
    assert increments(twice) == increments(Comparison(CAT, (Shown("a", 2, 1, 1), Shown("b", 1, 0, 1))))


@pytest.mark.parametrize("utility", [float("nan"), float("inf"), -1e300, 1e300])
def test_an_absurd_utility_breaks_no_sum(utility: float):
    """What a client logged may be anything; the sums stay finite."""
    comparison = Comparison(CAT, (Shown("a", 1, 0, 1, utility=utility), Shown("b", 1, 1, utility=None)))
    for each in increments(comparison):
        assert math.isfinite(each.change.score)
        assert math.isfinite(each.change.information)


def _increments_by_differences(comparison: Comparison, checkpoint: str, step: float = 1e-4) -> tuple[float, float]:
    """Gradient and curvature of the round's log likelihood, from its definition."""

    def likelihood(change: float) -> float:
        force = {
            part.checkpoint: math.exp((part.utility or 0.0) + (change if part.checkpoint == checkpoint else 0.0))
            for part in comparison.shown
        }
        bar = math.exp(-1.0)
        passed = bar + sum((part.images - part.selected) * force[part.checkpoint] for part in comparison.shown)
        selections = sum(part.selected for part in comparison.shown)
        if not selections:
            return math.log(bar / passed)
        return sum(
            part.selected * math.log(force[part.checkpoint] / (passed + force[part.checkpoint]))
            for part in comparison.shown
        ) / math.sqrt(selections)

    before, here, after = likelihood(-step), likelihood(0.0), likelihood(step)
    return (after - before) / (2 * step), -(after - 2 * here + before) / step**2


parts = st.builds(
    lambda name, selected, rejected, utility: Shown(name, selected + rejected, selected, rejected, utility),
    st.sampled_from("abcd"),
    st.integers(0, 3),
    st.integers(0, 3),
    st.floats(-3, 3),
)
rounds = st.builds(
    Comparison,
    st.lists(
        st.builds(Keyword, st.sampled_from(["cat", "night", "anime"]), st.floats(0.1, 2.0)),
        max_size=3,
        unique_by=lambda keyword: keyword.text,
    ).map(tuple),
    st.lists(parts, min_size=1, max_size=3, unique_by=lambda part: part.checkpoint).map(tuple),
)


@given(rounds)
def test_sums_are_the_derivatives_of_the_choices_likelihood(comparison: Comparison):
    """Score and information equal numerical derivatives of the likelihood as the docs state it."""
    for name, each in overall(comparison).items():
        gradient, curvature = _increments_by_differences(comparison, name)
        utility = next(part.utility or 0.0 for part in comparison.shown if part.checkpoint == name)
        assert each.change.information == pytest.approx(curvature, abs=1e-4)
        assert each.change.score == pytest.approx(gradient + each.change.information * utility, abs=1e-4)


@given(rounds)
def test_every_number_is_a_multiple_of_the_grain(comparison: Comparison):
    """Only so are sums exact in any order."""
    for each in increments(comparison):
        for number in (each.change.rounds, each.change.score, each.change.information):
            assert (number / GRAIN).is_integer()
    assert all((share / GRAIN).is_integer() for share in keyword_rounds(comparison).values())


def with_snapshot(comparison: Comparison) -> Comparison:
    """The comparison as it is logged: with a snapshot of sums that had one verdict."""
    sums = Accumulator()
    sums.add(Comparison((*CAT, Keyword("night")), (Shown("a", 1, 1), Shown("b", 1, 0, 1))))
    names = [part.checkpoint for part in comparison.shown]
    return replace(comparison, snapshot=take_snapshot(comparison, sums.evidence(comparison.keywords, names)))


@given(st.lists(rounds, max_size=6), st.lists(rounds, max_size=6), st.randoms())
def test_adding_and_subtracting_in_any_order_gives_the_same_bits(kept, withdrawn, random):
    """Verdicts replaced, withdrawn or merged in any order leave what a rebuild from the kept ones makes."""
    kept, withdrawn = [with_snapshot(each) for each in kept], [with_snapshot(each) for each in withdrawn]
    mixed = kept + withdrawn
    random.shuffle(mixed)
    history = Accumulator()
    for comparison in mixed:
        history.add(comparison)
    for comparison in random.sample(withdrawn, len(withdrawn)):
        history.subtract(comparison)
    rebuilt = Accumulator()
    for comparison in kept:
        rebuilt.add(comparison)
    words, names = [Keyword("cat"), Keyword("night"), Keyword("anime")], list("abcd")
    assert history.pairs == rebuilt.pairs
    assert history.evidence(words, names).keyword_rounds == rebuilt.evidence(words, names).keyword_rounds
    assert history.evidence(words, names).rounds == rebuilt.evidence(words, names).rounds


def test_evidence_has_only_the_pairs_of_the_question():
    """The prompt's keywords times the candidates, the candidates overall, and nothing else."""
    sums = Accumulator()
    sums.add(Comparison((Keyword("cat"), Keyword("dog")), (Shown("a", 1, 1), Shown("b", 1, 0, 1))))
    evidence = sums.evidence([Keyword("cat"), Keyword("owl")], ["a", "z"])
    assert set(evidence.pairs) == {("cat", "a")}
    assert set(evidence.overall) == {"a"}
    assert evidence.keyword_rounds == {"cat": pytest.approx(2 / 3, abs=GRAIN)}
    assert evidence.rounds == pytest.approx(2 / 3, abs=GRAIN)
