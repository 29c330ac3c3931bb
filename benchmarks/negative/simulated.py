"""A person whose images have flaws that some words prevent: are more images kept with what is suggested?

There are three kinds of prompts, each with words of its own that help and one that harms; most words do nothing. The
person writes one word into every negative prompt and each of the others now and then, sees four images, and keeps those
that are good enough. Who takes the suggestions adds all of them. Everything is seeded.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta, timezone

import numpy

from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.prompts.keywords import extract_keywords, negative_keywords
from context_checkpoint.learning.recommendation.negative_choice import NegativeLog
from context_checkpoint.learning.values import ImageSettings, Keyword

from ..arena.worlds.vocabulary import SUBJECTS

KINDS = {
    "portrait photo of a woman, soft light": {"bad hand": 1.0, "extra finger": 1.0, "blurry": -1.0},
    "pencil sketch, ink lines": {"color": 1.0, "shading": 1.0, "monochrome": -1.0},
    "landscape painting, mountains": {"person": 1.0, "fog": 1.0, "empty sky": -1.0},
}
ALWAYS = "worst quality"
NEUTRAL = ("lowres", "text", "watermark", "signature", "cropped", "jpeg artifact")
WORDS = tuple(dict.fromkeys([*NEUTRAL, *(word for effects in KINDS.values() for word in effects)]))
PEOPLE = ("takes nothing", "takes as many words at random", "takes what is suggested", "knows what helps")
IMAGES, WRITTEN, BASE = 4, 0.15, -1.0
"""Images per prompt; how often a word is written; log odds of an image being kept without any of the words."""
BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def play(person: str, seed: int, prompts: int) -> list[float]:
    """The part of the images of each prompt that was kept."""
    rng = numpy.random.default_rng([seed, 43])
    images: list[MadeImage] = []
    words: dict[int, tuple[Keyword, ...]] = {}
    log = NegativeLog([], {})
    rates = []
    for number in range(1, prompts + 1):
        kind = list(KINDS)[int(rng.integers(len(KINDS)))]
        prompt = f"{kind}, {SUBJECTS[int(rng.integers(len(SUBJECTS)))]}"
        written = [ALWAYS, *(word for word in WORDS if rng.random() < WRITTEN)]
        positive = {word.text for word in extract_keywords(prompt)}
        asked = positive | {word.text for word in negative_keywords(", ".join(written))}
        shared = {other: len(asked & {word.text for word in theirs}) for other, theirs in words.items()}
        log = NegativeLog(images, words, log)
        suggested = [each.word for each in log.suggest("a", len(asked), shared, positive | set(written))]
        others = [word for word in WORDS if word not in written]
        at_random = list(rng.permutation(others)[: len(suggested)])
        added: Collection[str] = {
            "takes nothing": (),
            "takes as many words at random": at_random,
            "takes what is suggested": suggested,
            "knows what helps": [word for word, effect in KINDS[kind].items() if effect > 0.0],
        }[person]
        negative = list(dict.fromkeys([*written, *added]))
        odds = BASE + sum(KINDS[kind].get(word, 0.0) for word in negative)
        kept = int(rng.binomial(IMAGES, 1.0 / (1.0 + numpy.exp(-odds))))
        rates.append(kept / IMAGES)
        words[number] = (*extract_keywords(prompt), *negative_keywords(", ".join(negative)))
        day = BORN + timedelta(days=number // 10)
        images += [
            MadeImage(number, "a", ImageSettings(), "+" if place < kept else "-", day, "bayesian", "final", "")
            for place in range(IMAGES)
        ]
    return rates


def measure(seeds: int, prompts: int) -> dict[str, list[tuple[float, float]]]:
    """For each person the part of images kept in twenties of prompts, and its standard error."""
    rows = {}
    for person in PEOPLE:
        rates = numpy.array([play(person, seed, prompts) for seed in range(seeds)]).reshape(seeds, -1, 20).mean(axis=2)
        errors = rates.std(axis=0, ddof=1) / seeds**0.5
        rows[person] = list(zip(rates.mean(axis=0).tolist(), errors.tolist(), strict=True))
    return rows


def table(rows: dict[str, list[tuple[float, float]]]) -> str:
    """One line per person."""
    groups = len(next(iter(rows.values())))
    lines = [
        f"| the person | {' | '.join(f'to {20 * (place + 1)}' for place in range(groups))} |",
        f"|---{'|---' * groups}|",
    ]
    return "\n".join(
        [
            *lines,
            *(
                f"| {name} | {' | '.join(f'{mean:.2f} ± {error:.2f}' for mean, error in row)} |"
                for name, row in rows.items()
            ),
        ]
    )
