"""What a log says of public words and checkpoints, with noise that hides any one judged generation.

The promise is pure differential privacy (Dwork, McSherry, Nissim and Smith, TCC 2006): let two logs with the same
checkpoints differ in one judged generation, which one has and the other lacks. Whatever is concluded from the numbers
that this module gives, its probability under one log is at most `e^epsilon` times that under the other. Three things
make it true, and each is in this module alone, so that it can be read as a whole:

1. *A bounded contribution.* A generation adds whole numbers of grains to the sums of at most `MOST_WORDS` words, and
   the absolute values of all that it adds sum up to `SENSITIVITY` at most. What it adds depends on it alone.
2. *Noise in every number*, of every word of a public list with every checkpoint, used or not: whole grains from the
   discrete Laplace distribution, `P(z) ~ exp(-epsilon |z| / SENSITIVITY)`.
3. *Exact arithmetic.* The noise is drawn with whole numbers only (Canonne, Kamath and Steinke, NeurIPS 2020), because
   noise from floating-point numbers betrays what it was added to (Mironov, CCS 2012).

Separate from `share_format`, which writes the numbers down, and from the store, which reads the log.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from random import Random

from ..model.evidence import Comparison
from ..model.plackett_luce import bounded, derivatives, merged
from ..prompts.public_words import PUBLIC_WORDS

GRAIN = 2.0**-10
MOST_WORDS = 4
BOUND = 2.0
"""The sum of what one generation may add in all, without its sign; a pick among three images adds about as much."""
SENSITIVITY = round(BOUND / GRAIN)
"""In grains."""
DEFAULT_EPSILON = 4.0
LEAST_EPSILON, MOST_EPSILON = Fraction(1, 100), Fraction(100)

Grains = list[int]
"""Score and information of each checkpoint, one after the other."""

_WORDS = frozenset(PUBLIC_WORDS)


def contribution(comparison: Comparison, checkpoints: Sequence[str]) -> dict[str, Grains]:
    """What one judged generation adds, in grains, by word; at most `SENSITIVITY` in all.

    As for the sums of one's own (`sufficient_statistics`), gradient and curvature at the utilities that the policy had;
    but each of the generation's public words, of which the first `MOST_WORDS` are read, has an equal part.
    """
    shown = merged(comparison.shown)
    words = [word.text for word in comparison.keywords if word.text in _WORDS and word.weight > 0.0]
    words = list(dict.fromkeys(words))[:MOST_WORDS]
    if not words or not any(part.judged for part in shown):
        return {}
    places = {name: place for place, name in enumerate(checkpoints)}
    numbers = [0.0] * (2 * len(checkpoints))
    steps = derivatives(shown, [bounded(part.utility) + bounded(part.offset) for part in shown])
    for part, (gradient, curvature) in zip(shown, steps, strict=True):
        if part.judged and part.checkpoint in places:
            place = 2 * places[part.checkpoint]
            numbers[place] = gradient + curvature * bounded(part.utility)
            numbers[place + 1] = curvature
    size = sum(map(abs, numbers))
    part_of_each = min(1.0, BOUND / size) / len(words) if size > 0.0 else 0.0
    # Cut off, not rounded: the sum of what is left is no greater.
    grains = [int(part_of_each * number / GRAIN) for number in numbers]
    return dict.fromkeys(words, grains)


def private_sums(
    comparisons: Iterable[Comparison], checkpoints: Sequence[str], epsilon: Fraction, rng: Random
) -> dict[str, Grains]:
    """Sums with noise, in grains, of every public word.

    Parameters
    ----------
    checkpoints
        Each once. Which they are is not hidden.
    rng
        `random.SystemRandom()`; a generator with a seed hides nothing, and is for tests.
    """
    sums = {word: [0] * (2 * len(checkpoints)) for word in PUBLIC_WORDS}
    for comparison in comparisons:
        for word, grains in contribution(comparison, checkpoints).items():
            row = sums[word]
            for place, more in enumerate(grains):
                row[place] += more
    scale = SENSITIVITY / epsilon
    return {word: [number + discrete_laplace(scale, rng) for number in row] for word, row in sums.items()}


def noise_deviation(epsilon: Fraction) -> float:
    """The standard deviation of the noise in each number, in grains."""
    decay = math.exp(-float(epsilon / SENSITIVITY))
    return math.sqrt(2.0 * decay) / (1.0 - decay)


def discrete_laplace(scale: Fraction, rng: Random) -> int:
    """Draw a whole number z with `P(z) ~ exp(-|z| / scale)`, exactly (Canonne, Kamath and Steinke, algorithm 2)."""
    times, over = scale.numerator, scale.denominator
    while True:
        fine = rng.randrange(times)
        if not _happens(Fraction(fine, times), rng):
            continue
        coarse = 0
        while _happens(Fraction(1), rng):
            coarse += 1
        size = (fine + times * coarse) // over
        negative = rng.randrange(2) == 1
        if not (negative and size == 0):
            return -size if negative else size


def _happens(exponent: Fraction, rng: Random) -> bool:
    """True with probability `exp(-exponent)`, for an exponent in 0..1 (algorithm 1 there)."""
    tries = 1
    while rng.randrange(exponent.denominator * tries) < exponent.numerator:
        tries += 1
    return tries % 2 == 1
