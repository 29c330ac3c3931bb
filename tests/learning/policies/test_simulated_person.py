"""Does it learn? A seeded person with a taste for each style, and what each policy would have shown.

Regret is what the best image shown lacks against the best there was, in units of the choice's own noise, so
it is fair to a policy that shows three pictures and to one that shows one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy
import pytest

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import policy_named
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.strategy import choose
from context_checkpoint.learning.values import Shown, Thresholds

STYLES = (
    "masterpiece, best quality, photorealistic portrait of {subject}, 85mm lens, window light",
    "masterpiece, anime style, cel shading, {subject}, clean lines, vivid colors",
    "watercolor painting of {subject}, soft paper texture, loose brush strokes",
    "{subject}, pixel art, 16-bit palette, isometric game sprite",
    "masterpiece, best quality, dark fantasy oil painting of {subject}, dramatic chiaroscuro",
    "minimalist vector poster of {subject}, flat shapes, bold geometry",
    "3d render of {subject}, claymation, studio softbox, octane",
)
SUBJECTS = (
    "a fox",
    "an old sailor",
    "two dancers",
    "a castle on a hill",
    "a robot gardener",
    "a witch with ravens",
    "a red bicycle",
    "a lighthouse",
    "a sleeping cat",
    "a knight",
    "a street market",
    "a violinist",
    "a dragon",
    "a paper boat",
    "a mountain lake",
    "a young woman",
    "a beekeeper",
    "a night train",
    "an astronaut",
    "a bowl of ramen",
    "a wolf",
    "a tea house",
    "a boxer",
    "an owl",
)
PROMPTS = 280
CHECKPOINTS = tuple(f"checkpoint-{number}.safetensors" for number in range(9))
SEEDS = range(4)


@dataclass(frozen=True)
class Outcome:
    """Averages after warm-up, over the second half of the prompts and all seeds."""

    regret: float
    images: float
    exploited_confidence: float
    exploited_truly: float


def _person(seed: int) -> tuple[list[tuple[str, int]], numpy.ndarray]:
    """Prompts with their style, and utilities [styles, checkpoints]: a general liking and one per style."""
    generator = numpy.random.default_rng(seed)
    utilities = generator.normal(0, 0.5, len(CHECKPOINTS)) + generator.normal(0, 1.4, (len(STYLES), len(CHECKPOINTS)))
    styles = generator.integers(len(STYLES), size=PROMPTS)
    subjects = generator.choice(SUBJECTS, PROMPTS)
    prompts = [
        (STYLES[style].format(subject=subject), int(style)) for style, subject in zip(styles, subjects, strict=True)
    ]
    return prompts, utilities


@cache
def outcome(policy: str) -> Outcome:
    regrets, counts, exploited = [], [], []
    for seed in SEEDS:
        prompts, utilities = _person(seed)
        generator, sums = numpy.random.default_rng(1000 + seed), Accumulator()
        for number, (prompt, style) in enumerate(prompts):
            keywords = extract_keywords(prompt)
            if policy == "random":
                confidence, stated = 0.0, {}
                shown = tuple(generator.choice(CHECKPOINTS, 3, replace=False).tolist())
            else:
                evidence = sums.evidence(keywords, CHECKPOINTS)
                ranking = policy_named(policy).rank(keywords, CHECKPOINTS, evidence, rng=generator)
                _, shown = choose(ranking, stage="final", explore=True, thresholds=Thresholds())
                confidence, stated = ranking.confidence, ranking.utilities
            liked = utilities[style, [CHECKPOINTS.index(name) for name in shown]]
            seen = liked + generator.gumbel(size=len(shown))
            good_enough = -1.0 + generator.gumbel()
            picks = (seen == seen.max()) & (seen > good_enough)
            parts = (
                Shown(name, 1, int(pick), int(not pick), stated.get(name))
                for name, pick in zip(shown, picks, strict=True)
            )
            sums.add(Comparison(keywords, tuple(parts)))
            if number >= PROMPTS // 2:
                regrets.append(utilities[style].max() - liked.max())
                counts.append(len(shown))
                if len(shown) == 1:
                    exploited.append((confidence, float(liked[0] == utilities[style].max())))
    confidences, truths = zip(*exploited, strict=True) if exploited else ((0.0,), (0.0,))
    means = (float(numpy.mean(values)) for values in (regrets, counts, confidences, truths))
    return Outcome(*means)


@pytest.mark.parametrize("other", ["random", "counts", "global"])
def test_after_warm_up_the_default_shows_far_better_pictures(other: str):
    """Less than a third of the regret of three at random, of the literal rule, and of ignoring the prompt."""
    assert outcome("bayesian").regret < outcome(other).regret / 3


def test_after_warm_up_it_saves_the_compute_that_the_document_promises():
    """30 to 50 % of always showing three, or more."""
    assert outcome("bayesian").images < 0.7 * 3


def test_what_it_exploits_is_the_favourite_as_often_as_its_confidence_says():
    """Among the pictures shown alone, confidence does not promise more than it keeps."""
    result = outcome("bayesian")
    assert result.exploited_truly >= result.exploited_confidence > 0.5


def test_the_documents_rule_promises_more_than_it_keeps():
    """Its confidence saturates after some ten pictures: why it is not the default."""
    result = outcome("counts")
    assert result.exploited_confidence > 0.9
    assert result.exploited_truly < 0.5
