"""A person who wants other steps for portraits than for sketches, with one checkpoint: how soon is it known?

As in the arena, the person sees the recommended value and the one worth trying next to it, keeps the better image if it
is good enough, and single images vary around the utility of their value. Everything is seeded. Some people begin with
images that they made before, all with a value that they do not want.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy

from context_checkpoint.learning.parameters import MadeImage, Value
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.parameter_choice import ParameterQuestion
from context_checkpoint.learning.recommendation.parameter_comparisons import ValueSums
from context_checkpoint.learning.recommendation.parameter_decision import ParameterLog, decide
from context_checkpoint.learning.values import HALF_LIFE, IMPORTED, ImageSettings, Keyword

from ..arena.worlds.vocabulary import SUBJECTS

KINDS = {"portrait photo of a woman, soft light": 30, "pencil sketch, ink lines": 12}
VALUES = (8, 12, 20, 30, 40)
WRONG_HABIT = 20
BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)
_BAR, _SPREAD = -1.0, 1.5


@dataclass(frozen=True, slots=True)
class Person:
    """What came before the first prompt.

    Attributes
    ----------
    habit
        Images with `WRONG_HABIT`, imported without a rating.
    used
        The values that they have used at all, once each.
    """

    name: str
    habit: int
    used: Sequence[int] = VALUES


PEOPLE = (Person("nothing but one image of each value", 0), Person("and sixty images with a wrong value", 60))


def play(person: Person, seed: int, prompts: int) -> list[bool]:
    """Whether the value recommended for each prompt was the one that the person wants."""
    rng = numpy.random.default_rng([seed, 41])
    images: list[MadeImage] = []
    words: dict[int, tuple[Keyword, ...]] = {}
    for value in (*person.used, *[WRONG_HABIT] * person.habit):
        number = len(words) + 1
        words[number] = _words(_prompt(rng)[0])
        images.append(_image(number, value, ".", IMPORTED, number // 10))
    first_day, sums, hits = len(words) // 10 + 1, ValueSums(), []
    for place in range(prompts):
        prompt, wanted = _prompt(rng)
        asked = _words(prompt)
        texts = {word.text for word in asked}
        answer = decide(
            ParameterQuestion("steps", WRONG_HABIT, WRONG_HABIT, "a"),
            ParameterLog(images),
            asked,
            compared_words=words,
            shared_words={number: len(texts & {word.text for word in other}) for number, other in words.items()},
            sums=sums,
            families={},
            half_life=HALF_LIFE,
        )
        hits.append(answer.value == wanted)
        shown = [answer.value, *([] if answer.worth_trying is None else [answer.worth_trying])]
        moods = [_utility(value, wanted) + rng.gumbel() for value in shown]
        best = int(numpy.argmax(moods))
        kept = best if moods[best] > _BAR + rng.gumbel() else -1
        number = len(words) + 1
        words[number] = asked
        for mark, value in zip(["+" if each == kept else "-" for each in range(len(shown))], shown, strict=True):
            images.append(_image(number, value, mark, "bayesian", first_day + place // 10))
    return hits


def _prompt(rng: numpy.random.Generator) -> tuple[str, int]:
    kind = list(KINDS)[int(rng.integers(len(KINDS)))]
    return f"{kind}, {SUBJECTS[int(rng.integers(len(SUBJECTS)))]}", KINDS[kind]


def _words(prompt: str) -> tuple[Keyword, ...]:
    return tuple(extract_keywords(prompt))


def _utility(value: Value, wanted: int) -> float:
    """The less, the farther a value is from the wanted one; checkpoints differ as much in the arena."""
    return _SPREAD * (1.0 - 2.0 * abs(numpy.log2(float(value) / wanted)))


def _image(number: int, value: Value, mark: str, policy: str, day: int) -> MadeImage:
    settings = ImageSettings(steps=int(value), cfg=7.0, sampler="euler")
    return MadeImage(number, "a", settings, mark, BORN + timedelta(days=day), policy, "final", "")


def measure(seeds: int, prompts: int) -> dict[str, list[float]]:
    """For each person the part of right values, in tens of prompts."""
    rows = {}
    for person in PEOPLE:
        hits = numpy.array([play(person, seed, prompts) for seed in range(seeds)], dtype=float)
        rows[person.name] = hits.reshape(seeds, -1, 10).mean(axis=(0, 2)).tolist()
    return rows


def table(rows: dict[str, list[float]]) -> str:
    """One line per person."""
    groups = len(next(iter(rows.values())))
    lines = [
        f"| what the person brings | {' | '.join(f'to {10 * (place + 1)}' for place in range(groups))} |",
        f"|---{'|---' * groups}|",
    ]
    return "\n".join(
        [*lines, *(f"| {name} | {' | '.join(f'{part:.2f}' for part in row)} |" for name, row in rows.items())]
    )
