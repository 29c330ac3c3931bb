"""The effects of single keywords, and the snapshot that makes them a sum over comparisons."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.arms import arms_of
from context_checkpoint.learning.model.averaging import model_weights, predict, take_snapshot
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.keyword_regression import keyword_variances, step
from context_checkpoint.learning.model.snapshot import MODELS, PriorSnapshot, unpacked
from context_checkpoint.learning.model.sufficient_statistics import increments, log_likelihoods
from context_checkpoint.learning.values import Keyword, Shown

POOL = ("a", "b", "c")


def words(*texts: str) -> tuple[Keyword, ...]:
    return tuple(Keyword(text) for text in texts)


def picked(best: str, *texts: str) -> Comparison:
    """A round of three in which `best` is selected and the others are rejected."""
    return Comparison(words(*texts), tuple(Shown(name, 1, int(name == best), int(name != best)) for name in POOL))


def taught(rounds: list[Comparison]) -> Accumulator:
    sums = Accumulator()
    for comparison in rounds:
        sums.add(comparison)
    return sums


def snapshot_of(comparison: Comparison, sums: Accumulator) -> PriorSnapshot:
    return take_snapshot(comparison, sums.evidence(comparison.keywords, [part.checkpoint for part in comparison.shown]))


def mean(sums: Accumulator, name: str, *texts: str) -> float:
    evidence = sums.evidence(words(*texts), POOL)
    return float(predict(words(*texts), POOL, evidence).means[POOL.index(name)])


def test_a_snapshot_read_back_teaches_the_same_bits():
    """What is logged is rounded before it is used."""
    comparison = picked("a", "cat", "night")
    snapshot = snapshot_of(comparison, taught([picked("b", "cat"), picked("a", "night", "fog")] * 5))
    again = unpacked(snapshot.packed())
    assert again is not None
    assert increments(replace(comparison, snapshot=again)) == increments(replace(comparison, snapshot=snapshot))
    read_back, kept = (replace(comparison, snapshot=each) for each in (again, snapshot))
    assert log_likelihoods(read_back) == log_likelihoods(kept)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_snapshot_give_none(data: bytes):
    """Any bytes give a snapshot that can be used, or nothing; never an error."""
    snapshot = unpacked(data)
    assert snapshot is None or numpy.isfinite(snapshot.means).all()


def test_a_truncated_snapshot_is_none():
    """A damaged file may give back a part of it."""
    packed = snapshot_of(picked("a", "cat"), Accumulator()).packed()
    assert unpacked(packed) is not None
    assert unpacked(packed[:-1]) is None
    assert unpacked(b"\xff" + packed[1:]) is None


def test_a_snapshot_of_another_comparison_teaches_the_additive_models_nothing():
    """Its shape shows it: the pair counts, and the effects stay as they were."""
    comparison = picked("a", "cat", "night")
    foreign = snapshot_of(picked("a", "cat"), Accumulator())
    changes = [each.change for each in increments(replace(comparison, snapshot=foreign))]
    assert {change.wide for change in changes} == {0.0}
    assert {change.total for change in changes} == {1.0}


def test_a_snapshot_follows_its_keywords_into_another_order():
    """Each keyword learns the same wherever it stands, and one that is left out learns nothing."""
    comparison = picked("a", "cat", "night", "fog")
    snapshot = snapshot_of(comparison, taught([picked("a", "cat"), picked("b", "night"), picked("c", "fog")] * 4))
    turned = Comparison(words("fog", "cat"), comparison.shown, snapshot=snapshot.reordered([2, 0]))
    before = {(each.keyword, each.checkpoint): each for each in increments(replace(comparison, snapshot=snapshot))}
    after = {(each.keyword, each.checkpoint): each for each in increments(turned)}
    assert after == {pair: each for pair, each in before.items() if pair[0] != "night"}


def test_of_two_words_that_always_stand_together_neither_is_credited_twice():
    """The prompt with both is as good for the favourite as the prompt with one is where there is only one."""
    others = [picked("b", "castle"), picked("c", "robot")] * 8
    together = taught([picked("a", "cat", "night")] * 8 + others)
    alone = taught([picked("a", "cat")] * 8 + others)
    assert mean(together, "a", "cat", "night") == pytest.approx(mean(alone, "a", "cat"), rel=0.25)


def test_a_word_next_to_every_favourite_ends_up_without_an_effect():
    """A word in prompts of all kinds says nothing about a taste."""
    kinds = (("cat", "a"), ("castle", "b"), ("robot", "c"))
    sums = taught([picked(best, kind, "soft") for _ in range(10) for kind, best in kinds])
    effect = {name: sums.pairs["soft", name].wide for name in POOL}
    assert max(map(abs, effect.values())) < 0.2 * sums.pairs["cat", "a"].wide


def test_a_model_that_predicts_better_gains_weight():
    """Where the prompt decides, the model that is nearly blind to it loses its weight."""
    kinds = (("cat", "a"), ("castle", "b"), ("robot", "c"))
    sums = taught([picked(best, kind) for _ in range(20) for kind, best in kinds])
    weights = model_weights(sums.evidence(words("cat"), POOL).log_likelihoods)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] < 0.01
    assert len(weights) == MODELS


def test_where_the_prompt_decides_nothing_the_nearly_blind_model_gains():
    """A person who always picks the same is described as well without the words."""
    subjects = [f"subject{number}" for number in range(40)]
    sums = taught([picked("a", subject, subjects[number - 1]) for number, subject in enumerate(subjects)])
    narrow, _, wide, _ = sums.evidence((), POOL).log_likelihoods
    assert narrow >= wide


def test_a_half_life_keeps_every_effect_open_to_change():
    """However precisely it is known, an effect still moves; with a half life of 0 it does not."""
    known = numpy.array([1e6])
    assert keyword_variances(known, 6.0)[0, -1] > 0.1
    assert keyword_variances(known, 60.0)[0, -1] < keyword_variances(known, 6.0)[0, -1]
    assert keyword_variances(known, 0.0)[0, -1] == pytest.approx(0.0, abs=1e-5)


def test_a_taste_that_changes_is_followed():
    """After thirty verdicts for one checkpoint, ten for another change the answer."""
    rounds = [picked("a", "cat"), picked("c", "castle")] * 30
    turned = [picked("b", "cat"), picked("c", "castle")] * 10
    assert mean(taught(rounds), "a", "cat") > mean(taught(rounds), "b", "cat")
    sums = taught(rounds + turned)
    assert mean(sums, "b", "cat") > mean(sums, "a", "cat")


def test_a_draft_teaches_half_and_counts_whole():
    """A glance at a draft says less; the design document's rates count its images all the same."""
    comparison = picked("a", "cat")
    snapshot = snapshot_of(comparison, Accumulator())
    final = increments(replace(comparison, snapshot=snapshot, stage="final"))[0].change
    draft = increments(replace(comparison, snapshot=snapshot, stage="draft"))[0].change
    assert (draft.selected, draft.total) == (final.selected, final.total)
    assert draft.score == pytest.approx(final.score / 2, abs=1e-6)
    assert draft.wide == pytest.approx(final.wide / 2, abs=1e-6)


def test_a_step_moves_the_chosen_up_and_the_passed_over_down():
    """In every additive model, and most in the one that is free."""
    comparison = picked("a", "cat")
    snapshot = snapshot_of(comparison, taught([picked("b", "dog"), picked("c", "cat")]))
    learned = step(comparison.shown, arms_of(comparison, comparison.shown), snapshot)
    assert (learned.effects[:, 0] > 0.0).all()
    assert (learned.effects[:, 1:] < 0.0).all()
    assert learned.effects[1, 0, 2] > learned.effects[1, 0, 0]
    assert (learned.log_likelihoods < 0.0).all()
