"""How long one decision takes: 200 candidates, a prompt of 30 keywords, statistics in memory."""

from __future__ import annotations

import statistics
import time

import numpy

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.strategy import choose
from context_checkpoint.learning.values import Keyword, Shown, Thresholds

from .worlds.vocabulary import STYLE_WORDS, SUBJECTS

CANDIDATES = tuple(f"checkpoint-{number}.safetensors" for number in range(200))
KEYWORDS = 30
_ROUNDS = 1500
_REPEATS = 200


def decision_ms(policy: str) -> float:
    """Median over many decisions of ranking and choosing, given the evidence that a store would hand over."""
    rng = numpy.random.default_rng(7)
    sums = _history(rng)
    words = _words(rng, KEYWORDS)
    evidence, chosen = sums.evidence(words, CANDIDATES), policy_named(policy)
    spent = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        ranking = chosen.rank(words, CANDIDATES, evidence, rng=rng)
        choose(ranking, stage="final", explore=True, thresholds=Thresholds())
        spent.append(time.perf_counter() - began)
    return 1000.0 * statistics.median(spent)


def _history(rng: numpy.random.Generator) -> Accumulator:
    sums = Accumulator()
    for _ in range(_ROUNDS):
        names = rng.choice(CANDIDATES, 3, replace=False).tolist()
        picked = int(rng.integers(3))
        shown = [Shown(name, 1, int(at == picked), int(at != picked)) for at, name in enumerate(names)]
        sums.add(Comparison(_words(rng, 12), tuple(shown)))
    return sums


def _words(rng: numpy.random.Generator, count: int) -> tuple[Keyword, ...]:
    """So many keywords of the arena's vocabulary."""
    every = [word for words in STYLE_WORDS.values() for word in words]
    text = ", ".join([*rng.permutation(SUBJECTS)[:count], *rng.permutation(every)[:count]])
    return extract_keywords(text)[:count]
