"""What single keywords add, and the basis that makes it a sum over rounds."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.averaging import model_weights, predict, take_snapshot
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.keyword_regression import keyword_variances, step
from context_checkpoint.learning.model.snapshot import MODELS, PriorSnapshot, unpacked
from context_checkpoint.learning.model.sufficient_statistics import fits, increments
from context_checkpoint.learning.values import Keyword, Shown

POOL = ("a", "b", "c")


def words(*texts: str) -> tuple[Keyword, ...]:
    return tuple(Keyword(text) for text in texts)


def picked(best: str, *texts: str) -> Comparison:
    """A round of three in which `best` is selected and the others are rejected."""
    return Comparison(words(*texts), tuple(Shown(name, 1, int(name == best), int(name != best)) for name in POOL))


def taught(rounds: list[Comparison]) -> Accumulator:
    tally = Accumulator()
    for judged in rounds:
        tally.add(judged)
    return tally


def basis_of(judged: Comparison, tally: Accumulator) -> PriorSnapshot:
    return take_snapshot(judged, tally.evidence(judged.keywords, [part.checkpoint for part in judged.shown]))


def mean(tally: Accumulator, name: str, *texts: str) -> float:
    held = tally.evidence(words(*texts), POOL)
    return float(predict(words(*texts), POOL, held).means[POOL.index(name)])


def test_a_basis_read_back_teaches_the_same_bits():
    """What is logged is rounded before it is used."""
    judged = picked("a", "cat", "night")
    basis = basis_of(judged, taught([picked("b", "cat"), picked("a", "night", "fog")] * 5))
    again = unpacked(basis.packed())
    assert again is not None
    assert increments(replace(judged, basis=again)) == increments(replace(judged, basis=basis))
    assert fits(replace(judged, basis=again)) == fits(replace(judged, basis=basis))


@given(st.binary(max_size=200))
def test_what_is_no_basis_is_none(data: bytes):
    """Of any bytes something is made that can be used, or nothing; never an error."""
    found = unpacked(data)
    assert found is None or numpy.isfinite(found.means).all()


def test_a_cut_basis_is_none():
    """A blob that a damaged file gives back in part is taken anew."""
    packed = basis_of(picked("a", "cat"), Accumulator()).packed()
    assert unpacked(packed) is not None
    assert unpacked(packed[:-1]) is None
    assert unpacked(b"\xff" + packed[1:]) is None


def test_a_basis_of_another_round_teaches_the_additive_models_nothing():
    """Its shape shows it: the pair counts, and the effects stay as they were."""
    judged = picked("a", "cat", "night")
    foreign = basis_of(picked("a", "cat"), Accumulator())
    changes = [each.change for each in increments(replace(judged, basis=foreign))]
    assert {change.wide for change in changes} == {0.0}
    assert {change.total for change in changes} == {1.0}


def test_a_basis_follows_its_keywords_into_another_order():
    """The lesson of each keyword is the same wherever it stands, and of what is left out there is none."""
    judged = picked("a", "cat", "night", "fog")
    basis = basis_of(judged, taught([picked("a", "cat"), picked("b", "night"), picked("c", "fog")] * 4))
    turned = Comparison(words("fog", "cat"), judged.shown, basis=basis.reordered([2, 0]))
    before = {(each.keyword, each.checkpoint): each for each in increments(replace(judged, basis=basis))}
    after = {(each.keyword, each.checkpoint): each for each in increments(turned)}
    assert after == {pair: each for pair, each in before.items() if pair[0] != "night"}


def test_of_two_words_that_always_stand_together_neither_is_credited_twice():
    """The prompt with both is as good for the favourite as the prompt with one is where there is only one."""
    others = [picked("b", "castle"), picked("c", "robot")] * 8
    together = taught([picked("a", "cat", "night")] * 8 + others)
    alone = taught([picked("a", "cat")] * 8 + others)
    assert mean(together, "a", "cat", "night") == pytest.approx(mean(alone, "a", "cat"), rel=0.25)


def test_a_word_beside_every_favourite_ends_up_without_an_effect():
    """Words that stand in prompts of all kinds carry nobody's taste."""
    kinds = (("cat", "a"), ("castle", "b"), ("robot", "c"))
    tally = taught([picked(best, kind, "soft") for _ in range(10) for kind, best in kinds])
    effect = {name: tally.pairs["soft", name].wide for name in POOL}
    assert max(map(abs, effect.values())) < 0.2 * tally.pairs["cat", "a"].wide


def test_a_model_that_foretells_better_is_believed_more():
    """Where the prompt decides, the model that is nearly blind to it loses its weight."""
    kinds = (("cat", "a"), ("castle", "b"), ("robot", "c"))
    tally = taught([picked(best, kind) for _ in range(20) for kind, best in kinds])
    trust = model_weights(tally.evidence(words("cat"), POOL).fits)
    assert trust.sum() == pytest.approx(1.0)
    assert trust[0] < 0.01
    assert len(trust) == MODELS


def test_where_the_prompt_decides_nothing_the_nearly_blind_model_gains():
    """A person who always picks the same is described as well without the words."""
    subjects = [f"subject{number}" for number in range(40)]
    tally = taught([picked("a", subject, subjects[number - 1]) for number, subject in enumerate(subjects)])
    narrow, _, wide, _ = tally.evidence((), POOL).fits
    assert narrow >= wide


def test_a_half_life_keeps_every_effect_open_to_change():
    """Known ever so well, an effect still moves; with a half-life of 0 it hardens."""
    known = numpy.array([1e6])
    assert keyword_variances(known, 6.0)[0, -1] > 0.1
    assert keyword_variances(known, 60.0)[0, -1] < keyword_variances(known, 6.0)[0, -1]
    assert keyword_variances(known, 0.0)[0, -1] == pytest.approx(0.0, abs=1e-5)


def test_tastes_that_turn_are_followed():
    """After thirty verdicts for one, ten against it turn the answer."""
    rounds = [picked("a", "cat"), picked("c", "castle")] * 30
    turned = [picked("b", "cat"), picked("c", "castle")] * 10
    assert mean(taught(rounds), "a", "cat") > mean(taught(rounds), "b", "cat")
    tally = taught(rounds + turned)
    assert mean(tally, "b", "cat") > mean(tally, "a", "cat")


def test_a_draft_teaches_half_and_counts_whole():
    """A glance at a draft says less; the document's rates count its images all the same."""
    judged = picked("a", "cat")
    basis = basis_of(judged, Accumulator())
    final = increments(replace(judged, basis=basis, stage="final"))[0].change
    draft = increments(replace(judged, basis=basis, stage="draft"))[0].change
    assert (draft.selected, draft.total) == (final.selected, final.total)
    assert draft.score == pytest.approx(final.score / 2, abs=1e-6)
    assert draft.wide == pytest.approx(final.wide / 2, abs=1e-6)


def test_a_step_moves_the_chosen_up_and_the_passed_over_down():
    """In every additive model, and most in the one that is free."""
    judged = picked("a", "cat")
    taken = step(judged.shown, basis_of(judged, taught([picked("b", "dog"), picked("c", "cat")])))
    assert (taken.effects[:, 0] > 0.0).all()
    assert (taken.effects[:, 1:] < 0.0).all()
    assert taken.effects[1, 0, 2] > taken.effects[1, 0, 0]
    assert (taken.fits < 0.0).all()
