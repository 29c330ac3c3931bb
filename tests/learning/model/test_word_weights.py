"""Which words of a prompt are informative, and which co-occur."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model import word_weights
from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.evidence_arrays import EvidenceArrays, as_arrays
from context_checkpoint.learning.values import Keyword, Shown

POOL = tuple("abcdefghi")
TEMPLATES = (("ink", "wash", "sumi"), ("neon", "chrome", "rain"), ("felt", "wool", "craft"))
SUBJECTS = ("fox", "owl", "bridge", "harbour", "piano", "orchard", "lantern", "castle", "bicycle", "teapot")


def keywords(*texts: str) -> tuple[Keyword, ...]:
    return tuple(Keyword(text) for text in texts)


def history(rounds: int, pool: tuple[str, ...] = POOL, *, taste: bool = True) -> Accumulator:
    """A person who puts two or three subjects into a template, and likes one checkpoint for each template."""
    rng = numpy.random.default_rng(5)
    sums = Accumulator(models=False)
    for _ in range(rounds):
        kind = int(rng.integers(len(TEMPLATES)))
        subjects = rng.choice(SUBJECTS, 3, replace=False).tolist()
        shown = rng.choice(pool, min(3, len(pool)), replace=False).tolist()
        favourite = pool[kind % len(pool)]
        best = favourite if taste and favourite in shown else shown[int(rng.integers(len(shown)))]
        verdict = tuple(Shown(name, 1, int(name == best), int(name != best)) for name in shown)
        sums.add(Comparison(keywords(*TEMPLATES[kind], *subjects), verdict))
    return sums


def arrays(sums: Accumulator, *texts: str, pool: tuple[str, ...] = POOL) -> EvidenceArrays:
    return as_arrays(keywords(*texts), pool, sums.evidence(keywords(*texts), pool))


PROMPT = (*TEMPLATES[0], "fox", "piano", "castle")


@pytest.mark.parametrize("taste", [True, False])
def test_words_that_come_together_co_occur_and_what_is_put_between_them_does_not(taste: bool):
    """A template's three words do, and the subjects do not, whether or not the person has a taste."""
    co_occurrence = word_weights.weigh(arrays(history(60, taste=taste), *PROMPT), keywords(*PROMPT)).co_occurrence
    assert co_occurrence[:3].min() > 0.45
    assert co_occurrence[3:].max() < 0.2


def test_words_of_different_templates_do_not_co_occur():
    """One word of each of three templates: they never stood together."""
    mixed = ("ink", "neon", "felt")
    co_occurrence = word_weights.weigh(arrays(history(60), *mixed), keywords(*mixed)).co_occurrence
    assert co_occurrence.max() < 0.2


def test_among_one_or_two_checkpoints_all_words_count_as_co_occurring():
    """Rows of two checkpoints are alike or opposite, whatever the words."""
    pool = POOL[:2]
    co_occurrence = word_weights.weigh(arrays(history(60, pool), *PROMPT, pool=pool), keywords(*PROMPT)).co_occurrence
    assert co_occurrence.tolist() == [1.0] * len(PROMPT)


def test_a_word_that_stands_everywhere_is_no_companion():
    """Photo and lens stand in every prompt, so a fox next to them says nothing."""
    sums = Accumulator(models=False)
    rng = numpy.random.default_rng(3)
    for subject in SUBJECTS * 4:
        shown = rng.choice(POOL, 3, replace=False).tolist()
        verdict = (Shown(shown[0], 1, selected=1), *(Shown(name, 1, rejected=1) for name in shown[1:]))
        sums.add(Comparison(keywords("photo", "lens", subject), verdict))
    co_occurrence = word_weights.weigh(
        arrays(sums, "photo", "lens", "fox"), keywords("photo", "lens", "fox")
    ).co_occurrence
    assert co_occurrence.max() < 0.1


def test_informative_words_that_co_occur_have_nearly_all_of_the_share():
    """Three subjects, about as rare as the template's words, have little share."""
    words = word_weights.weigh(arrays(history(60), *PROMPT), keywords(*PROMPT))
    shares = word_weights.shares(words)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[:3].sum() > 0.85
    assert words.informative[:3].min() > words.informative[3:].max()


def test_a_single_word_has_all_of_the_share():
    """Informative or not, there is nothing else in the prompt."""
    words = word_weights.weigh(arrays(history(60), "ink"), keywords("ink"))
    assert word_weights.shares(words).tolist() == [1.0]
