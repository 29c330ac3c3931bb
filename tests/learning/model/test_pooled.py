"""What similar rounds say, and how little all rounds say of a kind of prompt that is new."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model import pooled, word_weights
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
    sums = Accumulator(models=False)
    for number in range(rounds):
        shown = ["a", "f", str(rng.choice(POOL[1:-1]))]
        verdict = tuple(Shown(name, 1, int(name == "a"), int(name != "a")) for name in shown)
        words = (Keyword(STYLES[number % 3]), Keyword(str(rng.choice(SUBJECTS))))
        sums.add(Comparison(words, verdict))
    return sums


def predicted(sums: Accumulator, *texts: str) -> pooled.Pooled:
    keywords = tuple(Keyword(text) for text in texts)
    arrays = as_arrays(keywords, POOL, sums.evidence(keywords, POOL))
    return pooled.predict(arrays, word_weights.weigh(arrays, keywords))


@pytest.mark.parametrize("rounds", [30, 300, 3000])
def test_for_a_new_kind_all_rounds_together_count_a_fifth_however_many_they_are(rounds: int):
    """Three thousand rounds of three styles are still three styles: a fourth may be different."""
    sums = history(rounds)
    overall = as_arrays((), POOL, sums.evidence((), POOL)).overall
    rounds_say = overall.field("score")[0] / overall.field("information")[0]
    assert rounds_say > 1.0
    assert 0.13 * rounds_say < predicted(sums, "woodcut").means[0] < 0.25 * rounds_say


def test_a_known_kind_gets_what_its_own_rounds_say():
    """The shrinkage for new kinds does not hold for those that were judged."""
    sums = history(300)
    pairs = as_arrays((Keyword("ink"),), POOL, sums.evidence((Keyword("ink"),), POOL)).pairs
    rounds_say = pairs.field("score")[0] / pairs.field("information")[0]
    means = predicted(sums, "ink").means
    assert means[0] == pytest.approx(rounds_say[0], rel=0.1)
    assert means[-1] == pytest.approx(rounds_say[-1], rel=0.1)


def test_effects_and_the_overall_utility_add_up_to_the_means():
    """The explanation's reasons are complete."""
    prediction = predicted(history(60), "ink", "fox", "woodcut")
    assert prediction.means == pytest.approx(prediction.overall + prediction.effects.sum(axis=0))


def test_one_checkpoint_made_for_a_kind_is_believed_to_be_far_better_though_all_others_are_alike():
    """Each checkpoint deviates as far as its own rounds say. Hundreds of rounds in which five others are alike do
    not hold back one that wins five comparisons of five; with one common deviation it would be 1.6 ahead."""
    sums = Accumulator(models=False)
    for number in range(315):
        style, rest = STYLES[number % 3], [POOL[1 + (number + step) % 5] for step in range(2)]
        favourite = number >= 300 and style == "ink"
        kept = "a" if favourite else rest[number // 3 % 2]
        shown = ["a", *rest] if favourite else rest
        verdict = tuple(Shown(name, 1, int(name == kept), int(name != kept)) for name in shown)
        sums.add(Comparison((Keyword(style),), verdict))
    means = predicted(sums, "ink").means
    assert numpy.ptp(means[1:]) < 0.1
    assert means[0] - means[1:].max() > 1.8


def test_a_checkpoint_that_was_not_tried_may_be_the_favourite():
    """Its variance is greater than that of those that were compared, however alike these are."""
    sums = Accumulator(models=False)
    for number in range(30):
        shown = POOL[number % 5], POOL[(number + 1) % 5]
        verdict = tuple(
            Shown(name, 1, int(name == shown[number % 2]), int(name != shown[number % 2])) for name in shown
        )
        sums.add(Comparison((Keyword(STYLES[number % 3]),), verdict))
    prediction = predicted(sums, "ink")
    assert prediction.variances[-1] > 3.0 * prediction.variances[:-1].max()
    bounds = prediction.means + 2.0 * numpy.sqrt(prediction.variances)
    assert int(bounds.argmax()) == len(POOL) - 1
