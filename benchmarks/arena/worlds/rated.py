"""People's own ratings: what a named person gave each model's picture for each prompt.

`rated` is one of five people who rated 160 prompts by five models (TIFA's prompts, DSG's workers), in an
order of the seed's choosing; `panel` the mean scores of a panel for 300 prompts by six generators (AGIQA-3K).
There is one picture per prompt and model, so much of what is best for a prompt is luck of a seed: these
worlds show whether reading the prompt ever does harm, not how much it could help.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World

_TIFA, _AGIQA = "tifa160_dsg_workers_long.csv", "agiqa3k_data.csv"
_MOOD = 0.3  # a rating is what the person saw; little is left to chance
_GOOD_ENOUGH = 3.0  # of 5, for a person; a panel's mean scores lie lower
_PANEL_GOOD_ENOUGH = 2.0

Ratings = Mapping[str, Mapping[str, float]]


def one_person(seed: int, data: Path | None) -> Iterator[Wish]:
    """Seeds 0 to 4 are the five people, 5 to 9 the same people with the prompts in another order."""
    people = _people((data or Path()) / _TIFA)
    person = sorted(people)[seed % len(people)]
    return _in_turn(people[person], seed, _GOOD_ENOUGH)


def panel(seed: int, data: Path | None) -> Iterator[Wish]:
    return _in_turn(_panel((data or Path()) / _AGIQA), seed, _PANEL_GOOD_ENOUGH)


def _in_turn(ratings: Ratings, seed: int, good_enough: float) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 71])
    moods = Moods(numpy.random.default_rng([seed, 72]), scale=_MOOD)
    prompts = sorted(ratings)
    for place in rng.permutation(len(prompts)):
        rated = ratings[prompts[place]]
        names = tuple(sorted(rated))
        utilities = numpy.array([rated[name] for name in names])
        yield Wish(prompts[place], names, utilities, moods.noise(len(names)), moods.bar(good_enough))


@cache
def _people(path: Path) -> Mapping[str, Ratings]:
    """Ratings by person, prompt and model."""
    ratings: defaultdict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["rating"]:
                rated = ratings[row["worker_id"]].setdefault(row["prompt"], {})
                rated[row["model"]] = float(row["rating"])
    return ratings


@cache
def _panel(path: Path) -> Ratings:
    """Mean of quality and alignment by prompt and generator, over a generator's variants of settings."""
    scores_of: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            score = (float(row["mos_quality"]) + float(row["mos_align"])) / 2
            scores_of[row["prompt"]][row["name"].split("_")[0]].append(score)
    return {
        prompt: {name: sum(scores) / len(scores) for name, scores in models.items()}
        for prompt, models in scores_of.items()
    }


RATED = World(
    "rated",
    "one person's ratings",
    160,
    one_person,
    ((0, 160), (80, 160)),
    needs=(_TIFA,),
    valued=True,
)
PANEL = World(
    "panel",
    "a panel's mean scores",
    300,
    panel,
    ((0, 300), (150, 300)),
    needs=(_AGIQA,),
    valued=True,
)
