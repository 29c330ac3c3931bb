"""What people use is predicted from what their images used."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

import numpy
import pytest

from benchmarks.settings import people
from context_checkpoint.learning.parameters import PARAMETERS, MadeImage, ParameterName, Value
from context_checkpoint.learning.recommendation.lora_decision import LoraLog
from context_checkpoint.learning.recommendation.lora_hints import Hints
from context_checkpoint.learning.recommendation.parameter_decision import ParameterLog
from context_checkpoint.learning.recommendation.parameter_habit import Habit, Use
from context_checkpoint.learning.values import ImageSettings, Keyword

from .made_images import made

SLOW, FAST, SOME = ImageSettings(steps=30), ImageSettings(steps=12), ImageSettings(steps=20)


def use(
    images: list[MadeImage],
    checkpoint: str | None = "a",
    families: Mapping[str, str] | None = None,
    shared: Mapping[int, int] | None = None,
) -> Use:
    return Habit(images).use("steps", 20, checkpoint, families or {}, words=2, shared=shared or {})


def first(answer: Use) -> Value:
    return max(answer.shares, key=lambda value: answer.shares[value])


def test_where_nothing_is_known_all_is_the_default() -> None:
    """And nothing is said to be known."""
    answer = use([])
    assert (answer.shares, answer.amount, answer.counts, answer.of_checkpoint) == ({20: 1.0}, 0.0, {}, False)


def test_the_checkpoints_own_images_count_before_its_familys_and_these_before_the_persons() -> None:
    """Each is shrunk to the next."""
    images = [made(1, SLOW, checkpoint="b"), made(2, SLOW, checkpoint="b"), made(3, FAST, checkpoint="c")]
    families = {"a": "sdxl", "b": "sd15", "c": "sdxl"}

    assert first(use(images, "a")) == 30
    assert first(use(images, "a", families)) == 12
    assert first(use([*images, made(4, SOME, checkpoint="a")], "a", families)) == 20
    assert first(use(images, None, families)) == 30


def test_kept_and_imported_images_say_what_is_used_and_rejected_ones_the_opposite() -> None:
    """An image of ours without a verdict says nothing."""
    ours = {"policy": "bayesian"}
    assert use([made(1, SLOW, "+", **ours)]).counts == {30: 1}
    assert use([made(1, SLOW, ".")]).counts == {30: 1}
    assert use([made(1, SLOW, ".", **ours)]).amount == 0.0
    assert use([made(1, SLOW, "-", **ours)]).amount == 0.0
    alone = use([made(1, SLOW, "+"), made(2, FAST, "+")])
    rejected = use([made(1, SLOW, "+"), made(2, FAST, "+"), made(3, FAST, "-")])
    assert alone.shares[30] == alone.shares[12]
    assert rejected.shares[30] > rejected.shares[12]


def test_newer_days_count_more_than_older_ones() -> None:
    """However many images the older one has less than nine for each of the newer: their square root counts."""
    images = [*(made(number, SLOW, day=0) for number in range(4)), made(9, FAST, day=8), made(10, FAST, day=9)]
    assert first(use(images)) == 12


def test_images_of_prompts_that_share_words_count_more() -> None:
    """So portraits and sketches may have values of their own."""
    images = [made(1, SLOW), made(2, FAST)]
    assert first(use(images, shared={1: 2})) == 30
    assert first(use(images, shared={2: 2})) == 12


@pytest.mark.skipif("CC_DATA" not in os.environ, reason="needs the galleries of people ($CC_DATA)")
def test_it_predicts_the_next_page_at_least_as_well_as_the_mode() -> None:
    """Of each parameter, by person and checkpoint, on galleries split by page and time."""
    scores = people.measure(Path(os.environ["CC_DATA"]) / "people" / "galleries_80_people.jsonl.gz")

    for parameter, mode in scores["mode"].items():
        ours = scores["ours"][parameter]
        assert ours.hits >= mode.hits, parameter
        assert ours.known_hits >= mode.known_hits, parameter
        assert ours.nats < mode.nats, parameter
        assert ours.confidence <= ours.hits, parameter


@pytest.mark.parametrize("seed", range(20))
def test_a_habit_that_goes_on_from_a_former_one_is_that_of_all_images(seed: int) -> None:
    """Whatever was added, judged or taken back after the first images that both have."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    log = drawn_log(rng, 40)
    former = ParameterLog(log[: rng.randrange(41)])
    for name in rng.sample(PARAMETERS, 3):  # what was asked is kept
        former.habit.use(name, DEFAULTS[name], "a", {}, words=2, shared={})
    same = log[: rng.randrange(41)]
    now = [*same, *drawn_log(rng, 10, same[-1].generation if same else 1)]

    on, anew = ParameterLog(now, former), ParameterLog(now)
    loras_on, loras_anew = LoraLog(now, LoraLog(log)), LoraLog(now)

    for name in PARAMETERS:
        asked = (name, DEFAULTS[name], "a", {"a": "x", "b": "x"})
        shared = {number: number % 3 for number in range(0, 60, 2)}
        uses = [
            each.habit.use(*asked, words=2, shared=shared, without=each.compared_places(name)) for each in (on, anew)
        ]
        assert uses[0] == uses[1]
        assert list(uses[0].shares) == list(uses[1].shares)
    assert loras_on.habit.keys == loras_anew.habit.keys
    hints = Hints(numpy.zeros(len(loras_on.habit.keys)), {})
    places = numpy.arange(len(loras_on.habit.keys))
    first, second = (
        each.habit.use(places, places, hints, [Keyword("fox")], lambda _: [now[0].generation])
        for each in (loras_on, loras_anew)
    )
    for mine, other in zip(astuple(first), astuple(second), strict=True):
        numpy.testing.assert_array_equal(mine, other)
    for place in places.tolist():
        assert loras_on.habit.strength([place]) == loras_anew.habit.strength([place])


DEFAULTS: dict[ParameterName, Value] = {
    "steps": 20,
    "cfg": 7.0,
    "sampler": "euler",
    "scheduler": "normal",
    "size": "512x512",
    "clip_skip": 1,
}


def drawn_log(rng: random.Random, count: int, first: int = 1) -> list[MadeImage]:
    """Two images of each generation, on several days; some say nothing of a setting or of their LoRAs."""
    return [
        made(
            first + place // 2,
            ImageSettings(
                steps=rng.choice([20, 30, None]),
                cfg=rng.choice([5.0, 7.0]),
                sampler=rng.choice(["euler", "heun"]),
                loras=rng.choice(
                    [None, (), (("ink", 0.5, 0.5),), (("ink", 0.7, 0.7), (f"lora{rng.randrange(9)}", 1, 1))]
                ),
            ),
            rng.choice("+-."),
            checkpoint=rng.choice(["a", "b"]),
            day=(first + place) // 10,
        )
        for place in range(count)
    ]
