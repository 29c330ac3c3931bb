"""Twelve checkpoints and curated style templates around real people's prompts.

A template says which checkpoint its author made it for; the simulated person uses one template for each of
twelve checkpoints, and agrees with their authors on which is best for it. The words are real: templates from
AI-Horde-Styles (CC0), prompts from DiffusionDB as ImageReward ships them (Apache-2.0), whole and with all
their boosters, so that most words of a prompt tell nothing.

In `templates` the other checkpoints do a template more or less well, as in every other world; in `authors`
one is made for it and the rest are no better or worse there than elsewhere: a favourite is an exception that
nothing foretells, and a checkpoint that is good in general wins many a round against the wrong ones.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy

from context_checkpoint.learning.keywords import extract_keywords

from ..wishes import Numbers, Wish
from .contract import Moods, World, tastes

PROMPTS = 400
CHECKPOINTS = 12
TEMPLATES_EACH = 1
_SPECIAL = 2.0

_TEMPLATES, _USERS = "prompts_ai_horde_styles.json", "prompts_sd_users_10k.txt"


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """The templates suit all checkpoints more or less; OSError without a folder that has both files."""
    return _wishes(seed, data, prompts, _own_is_best)


def authors(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """A template suits the checkpoint that it was made for; OSError without a folder that has both files."""
    return _wishes(seed, data, prompts, _own_is_special)


def _own_is_best(rng: numpy.random.Generator) -> Numbers:
    liked = tastes(rng, CHECKPOINTS, CHECKPOINTS)
    for own, row in enumerate(liked):
        best = int(row.argmax())
        row[[own, best]] = row[[best, own]]
    return liked


def _own_is_special(rng: numpy.random.Generator) -> Numbers:
    liked: Numbers = rng.normal(0.0, 0.5, CHECKPOINTS) + _SPECIAL * numpy.eye(CHECKPOINTS)
    return liked


def _wishes(
    seed: int, data: Path | None, prompts: int, tastes_of: Callable[[numpy.random.Generator], Numbers]
) -> Iterator[Wish]:
    by_checkpoint, users = _parsed(data or Path())
    rng = numpy.random.default_rng([seed, 61])
    moods = Moods(numpy.random.default_rng([seed, 62]))
    names = tuple(rng.choice(sorted(by_checkpoint), CHECKPOINTS, replace=False).tolist())
    templates = [
        (own, template)
        for own, name in enumerate(names)
        for template in rng.choice(by_checkpoint[name], TEMPLATES_EACH, replace=False).tolist()
    ]
    liked = tastes_of(rng)
    for _ in range(prompts):
        own, template = templates[int(rng.integers(len(templates)))]
        prompt = template.replace("{p}", users[int(rng.integers(len(users)))])
        yield Wish(prompt, names, liked[own], moods.noise(CHECKPOINTS), moods.bar())


@cache
def _parsed(data: Path) -> tuple[dict[str, Sequence[str]], Sequence[str]]:
    """Templates by checkpoint (those with enough of them), and the users' prompts."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for held in json.loads((data / _TEMPLATES).read_text("utf-8")).values():
        positive = held["prompt"].partition("###")[0].replace("{np}", "")
        if len(extract_keywords(positive.replace("{p}", ""))) >= 2:
            found[held["model"]].append(positive)
    users = [line for line in (data / _USERS).read_text("utf-8").splitlines() if line.strip()]
    return {name: kept for name, kept in found.items() if len(kept) >= TEMPLATES_EACH}, users


_WINDOWS, _NEEDS = ((100, 200), (200, 400)), (_TEMPLATES, _USERS)
TEMPLATES = World(
    "templates", "curated templates around real prompts", PROMPTS, wishes, _WINDOWS, needs=_NEEDS
)
AUTHORS = World("authors", "the same, each made for one checkpoint", PROMPTS, authors, _WINDOWS, needs=_NEEDS)
