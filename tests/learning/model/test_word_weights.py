"""Which words of a prompt it is about: those that tell, and those that keep company."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model import word_weights as word_weights
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
    tally = Accumulator(models=False)
    for _ in range(rounds):
        kind = int(rng.integers(len(TEMPLATES)))
        subjects = rng.choice(SUBJECTS, 3, replace=False).tolist()
        shown = rng.choice(pool, min(3, len(pool)), replace=False).tolist()
        favourite = pool[kind % len(pool)]
        best = favourite if taste and favourite in shown else shown[int(rng.integers(len(shown)))]
        verdict = tuple(Shown(name, 1, int(name == best), int(name != best)) for name in shown)
        tally.add(Comparison(keywords(*TEMPLATES[kind], *subjects), verdict))
    return tally


def held(tally: Accumulator, *texts: str, pool: tuple[str, ...] = POOL) -> EvidenceArrays:
    return as_arrays(keywords(*texts), pool, tally.evidence(keywords(*texts), pool))


PROMPT = (*TEMPLATES[0], "fox", "piano", "castle")


@pytest.mark.parametrize("taste", [True, False])
def test_words_that_come_together_keep_company_and_what_is_put_between_them_does_not(taste: bool):
    """A template's three words have company and the subjects none, whether or not the person has a taste."""
    found = word_weights.weigh(held(history(60, taste=taste), *PROMPT), keywords(*PROMPT)).company
    assert found[:3].min() > 0.45
    assert found[3:].max() < 0.2


def test_a_word_has_no_company_in_another_template():
    """One word of each of three templates: they never stood together."""
    mixed = ("ink", "neon", "felt")
    found = word_weights.weigh(held(history(60), *mixed), keywords(*mixed)).company
    assert found.max() < 0.2


def test_among_one_or_two_checkpoints_nothing_is_known_of_company():
    """Rows of two checkpoints are alike or opposite, whatever the words."""
    pool = POOL[:2]
    found = word_weights.weigh(held(history(60, pool), *PROMPT, pool=pool), keywords(*PROMPT)).company
    assert found.tolist() == [1.0] * len(PROMPT)


def test_a_word_beside_one_that_stands_everywhere_has_no_company():
    """Photo and lens stand in every prompt, so that a fox stands beside them says nothing."""
    tally = Accumulator(models=False)
    rng = numpy.random.default_rng(3)
    for subject in SUBJECTS * 4:
        shown = rng.choice(POOL, 3, replace=False).tolist()
        verdict = (Shown(shown[0], 1, selected=1), *(Shown(name, 1, rejected=1) for name in shown[1:]))
        tally.add(Comparison(keywords("photo", "lens", subject), verdict))
    found = word_weights.weigh(held(tally, "photo", "lens", "fox"), keywords("photo", "lens", "fox")).company
    assert found.max() < 0.1


def test_a_prompt_is_about_the_words_that_tell_and_come_together():
    """Three subjects, about as rare as the template's words, have little share."""
    words = word_weights.weigh(held(history(60), *PROMPT), keywords(*PROMPT))
    shares = word_weights.shares(words)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[:3].sum() > 0.85
    assert words.telling[:3].min() > words.telling[3:].max()


def test_a_single_word_has_it_all():
    """Whatever it tells, there is nothing else in the prompt."""
    words = word_weights.weigh(held(history(60), "ink"), keywords("ink"))
    assert word_weights.shares(words).tolist() == [1.0]
