"""What similar rounds say, and how little all rounds say of a kind of prompt that is new."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model import pooled
from context_checkpoint.learning.model import word_weights as word_weights
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.evidence_arrays import as_arrays
from context_checkpoint.learning.values import Keyword, Shown

POOL = tuple("abcdef")
STYLES = ("ink", "neon", "felt")
SUBJECTS = ("fox", "owl", "bridge", "harbour", "piano")


def history(rounds: int) -> Accumulator:
    """A person of three styles who always prefers `a` and never keeps `f`, whatever the prompt."""
    rng = numpy.random.default_rng(2)
    tally = Accumulator(models=False)
    for number in range(rounds):
        shown = ["a", "f", str(rng.choice(POOL[1:-1]))]
        verdict = tuple(Shown(name, 1, int(name == "a"), int(name != "a")) for name in shown)
        words = (Keyword(STYLES[number % 3]), Keyword(str(rng.choice(SUBJECTS))))
        tally.add(Comparison(words, verdict))
    return tally


def predicted(tally: Accumulator, *texts: str) -> pooled.Pooled:
    keywords = tuple(Keyword(text) for text in texts)
    held = as_arrays(keywords, POOL, tally.evidence(keywords, POOL))
    return pooled.predict(held, word_weights.weigh(held, keywords))


@pytest.mark.parametrize("rounds", [30, 300, 3000])
def test_all_rounds_together_say_a_fifth_of_it_for_a_new_kind_however_many_they_are(rounds: int):
    """Three thousand rounds of three styles are still three styles: a fourth may be otherwise."""
    tally = history(rounds)
    held = as_arrays((), POOL, tally.evidence((), POOL)).overall
    said = held.field("score")[0] / held.field("information")[0]
    assert said > 1.0
    assert 0.13 * said < predicted(tally, "woodcut").means[0] < 0.25 * said


def test_a_kind_that_is_known_gets_what_its_own_rounds_said():
    """What is held back for new kinds is not held back for those that were judged."""
    tally = history(300)
    held = as_arrays((Keyword("ink"),), POOL, tally.evidence((Keyword("ink"),), POOL)).pairs
    said = held.field("score")[0] / held.field("information")[0]
    found = predicted(tally, "ink").means
    assert found[0] == pytest.approx(said[0], rel=0.1)
    assert found[-1] == pytest.approx(said[-1], rel=0.1)


def test_effects_and_the_overall_utility_add_up_to_the_means():
    """What the explanation tells is all that there is."""
    found = predicted(history(60), "ink", "fox", "woodcut")
    assert found.means == pytest.approx(found.overall + found.effects.sum(axis=0))


def test_one_checkpoint_made_for_a_kind_is_believed_to_be_far_better_though_all_others_are_alike():
    """Each checkpoint deviates as far as its own rounds say: that hundreds of rounds found five others alike
    does not hold back what wins five comparisons of five. It would have 1.6 if it did."""
    tally = Accumulator(models=False)
    for number in range(315):
        style, rest = STYLES[number % 3], [POOL[1 + (number + step) % 5] for step in range(2)]
        favourite = number >= 300 and style == "ink"
        kept = "a" if favourite else rest[number // 3 % 2]
        shown = ["a", *rest] if favourite else rest
        verdict = tuple(Shown(name, 1, int(name == kept), int(name != kept)) for name in shown)
        tally.add(Comparison((Keyword(style),), verdict))
    means = predicted(tally, "ink").means
    assert numpy.ptp(means[1:]) < 0.1
    assert means[0] - means[1:].max() > 1.8


def test_a_checkpoint_that_was_not_tried_may_be_the_favourite():
    """Of what nothing is known, more is open than of those that were compared, however alike these are."""
    tally = Accumulator(models=False)
    for number in range(30):
        shown = POOL[number % 5], POOL[(number + 1) % 5]
        verdict = tuple(
            Shown(name, 1, int(name == shown[number % 2]), int(name != shown[number % 2])) for name in shown
        )
        tally.add(Comparison((Keyword(STYLES[number % 3]),), verdict))
    found = predicted(tally, "ink")
    assert found.variances[-1] > 3.0 * found.variances[:-1].max()
    bounds = found.means + 2.0 * numpy.sqrt(found.variances)
    assert int(bounds.argmax()) == len(POOL) - 1
