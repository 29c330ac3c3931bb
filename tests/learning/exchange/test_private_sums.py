"""The promise of a shared file: what one judged generation can change in it, and how much the noise hides."""

# ruff: noqa: S311 - noise that can be repeated is for tests
from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import pytest

from context_checkpoint.learning.exchange.private_sums import (
    GRAIN,
    MOST_WORDS,
    SENSITIVITY,
    contribution,
    discrete_laplace,
    noise_deviation,
    private_sums,
)
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.prompts.public_words import PUBLIC_WORDS
from context_checkpoint.learning.values import Keyword, Shown

NAMES = ("a", "b", "c")


def comparison(words: Sequence[str], shown: Sequence[Shown], weight: float = 1.0) -> Comparison:
    return Comparison(tuple(Keyword(word, weight) for word in words), tuple(shown))


def picked(best: str, words: Sequence[str] = ("anime",), utility: float = 0.0) -> Comparison:
    shown = [Shown(name, 1, selected=int(name == best), rejected=int(name != best), utility=utility) for name in NAMES]
    return comparison(words, shown)


def test_every_public_word_is_a_keyword_as_prompts_give_it() -> None:
    """Else nobody's prompts would ever have it."""
    assert [word for word in PUBLIC_WORDS if [each.text for each in extract_keywords(word)] != [word]] == []
    assert len(set(PUBLIC_WORDS)) == len(PUBLIC_WORDS) > 300


def test_no_generation_adds_more_than_the_bound() -> None:
    """Whatever a client logged: utilities without bounds, heavy words, hundreds of images, many checkpoints."""
    rng = random.Random(5)
    most = 0
    for _ in range(2_000):
        names = [f"checkpoint {number}" for number in range(rng.randint(1, 40))]
        shown = [
            Shown(
                name,
                (images := rng.choice([1, 2, 900])),
                selected=(kept := rng.randint(0, images)),
                rejected=rng.randint(0, images - kept),
                utility=rng.choice([None, 0.0, 1e9, -1e9, math.inf, math.nan, rng.gauss(0, 5)]),
            )
            for name in names
        ]
        words = rng.sample(PUBLIC_WORDS, rng.randint(1, 60))
        added = contribution(comparison(words, shown, rng.choice([0.1, 1.0, 1e3])), names)
        assert len(added) <= MOST_WORDS
        most = max(most, sum(abs(number) for row in added.values() for number in row))

    assert 0.9 * SENSITIVITY < most <= SENSITIVITY


def test_only_public_words_are_spoken_of_and_all_of_them_always() -> None:
    """So that which words there are says nothing."""
    private = private_sums([picked("a", ["anime", "aunt mildred"])], NAMES, Fraction(1), random.Random(1))

    assert tuple(private) == PUBLIC_WORDS
    assert private.keys() == private_sums([], NAMES, Fraction(1), random.Random(1)).keys()


def test_what_a_generation_adds_depends_on_it_alone() -> None:
    """The sums of two logs differ by the contribution of the generation in which they differ."""
    rest, one = [picked("a"), picked("b", ["photo", "anime"])], picked("c", ["anime", "sea"], utility=0.7)
    scale = Fraction(10**6)  # next to no noise

    with_it = private_sums([*rest, one], NAMES, scale, random.Random(1))
    without = private_sums(rest, NAMES, scale, random.Random(1))
    added = contribution(one, NAMES)

    for word in PUBLIC_WORDS:
        difference = [a - b for a, b in zip(with_it[word], without[word], strict=True)]
        assert difference == added.get(word, [0] * 6)


@pytest.mark.parametrize("scale", [Fraction(1, 2), Fraction(3), Fraction(20, 3)])
def test_the_noise_is_the_discrete_laplace_distribution(scale: Fraction) -> None:
    """Every probability, by a chi-squared test whose bound chance exceeds once in ten thousand times."""
    rng, count = random.Random(11), 30_000
    drawn = Counter(discrete_laplace(scale, rng) for _ in range(count))
    decay = math.exp(-1.0 / float(scale))
    most = next(z for z in range(1_000) if count * decay**z < 20.0)
    statistic, cells = 0.0, 0
    for z in range(-most, most + 1):
        expected = count * (1.0 - decay) / (1.0 + decay) * decay ** abs(z)
        statistic += (drawn[z] - expected) ** 2 / expected
        cells += 1

    assert statistic < cells + 4.0 * math.sqrt(2.0 * cells)
    deviation = math.sqrt(sum(n * z * z for z, n in drawn.items()) / count)
    assert deviation == pytest.approx(math.sqrt(2.0 * decay) / (1.0 - decay), rel=0.03)


def test_the_deviation_that_a_file_states_is_that_of_its_noise() -> None:
    """For the one who adopts it."""
    rng, epsilon = random.Random(2), Fraction(2)
    drawn = [discrete_laplace(SENSITIVITY / epsilon, rng) for _ in range(4_000)]

    assert math.sqrt(sum(z * z for z in drawn) / len(drawn)) == pytest.approx(noise_deviation(epsilon), rel=0.08)
    assert noise_deviation(epsilon) * GRAIN == pytest.approx(2.0 * math.sqrt(2.0) / 2.0, rel=0.01)


@pytest.mark.parametrize("epsilon", [Fraction(1, 2), Fraction(2)])
def test_neighbouring_logs_give_no_output_more_likely_than_the_promise(
    epsilon: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many files of the real mechanism, of a log with one generation more and of one without it.

    An adversary who knows everything but that generation weighs all numbers that it could have changed: the statistic
    below is the one that tells the two logs apart best. The probability of no set of its values may differ by more
    than e^epsilon, beyond what chance makes of so many files; and a mechanism with half the noise fails.
    """
    monkeypatch.setattr("context_checkpoint.learning.exchange.private_sums.PUBLIC_WORDS", ("anime", "sea"))
    one = picked("a", ["anime", "sea"], utility=1.0)
    added = contribution(one, NAMES)
    assert sum(abs(number) for row in added.values() for number in row) > 0.8 * SENSITIVITY

    def worst(noise_for: Fraction) -> float:
        """By how many standard errors the frequency of the worst set exceeds the promise."""
        rng, files = random.Random(7), 3_000
        exceeded = -math.inf
        samples = []
        for log in ([picked("b"), one], [picked("b")]):
            outputs = (private_sums(log, NAMES, noise_for, rng) for _ in range(files))
            samples.append(sorted(_tells(output, added, noise_for) for output in outputs))
        for more, fewer in (samples, samples[::-1]):
            for tenth in range(1, 10):
                for edge in (more[files * tenth // 10],):
                    for side in (1, -1):
                        p = sum(side * value >= side * edge for value in more) / files
                        q = sum(side * value >= side * edge for value in fewer) / files
                        bound = math.exp(epsilon) * q
                        error = math.sqrt((p * (1 - p) + math.exp(2 * epsilon) * q * (1 - q)) / files)
                        exceeded = max(exceeded, (p - bound) / max(error, 1.0 / files))
        return exceeded

    assert worst(epsilon) < 4.0
    assert worst(4 * epsilon) > 4.0


def _tells(output: dict[str, list[int]], added: dict[str, list[int]], epsilon: Fraction) -> float:
    """The log likelihood ratio of an output under the two logs."""
    base = contribution(picked("b"), NAMES)
    scale = float(SENSITIVITY / epsilon)
    total = 0.0
    for word, row in added.items():
        for place, more in enumerate(row):
            rest = output[word][place] - base.get(word, [0] * 6)[place]
            total += (abs(rest) - abs(rest - more)) / scale
    return total
