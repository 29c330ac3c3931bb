"""Twelve checkpoints and curated style templates around real people's prompts.

A template says which checkpoint its author made it for; the simulated person uses one template for each of
twelve checkpoints, and agrees with their authors on which is best for it. The words are real: templates from
AI-Horde-Styles (CC0), prompts from DiffusionDB as ImageReward ships them (Apache-2.0), whole and with all
their boosters, so that most words of a prompt are not informative.

Three worlds differ in what makes them hard. In `templates` each of the twelve has at least three words of its
own that are no boosters, and the other checkpoints do it more or less well, as in every other world. In
`authors` one checkpoint is made for it and the rest are no better or worse there than elsewhere: a favourite
is an exception that nothing hints at, and a checkpoint that is good in general wins many a round against the
wrong ones. In `alike` any template will do: some are nothing but boosters, and some have all their words in
common with others, so that the prompt hardly says which of them it is.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy

from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.prompts.vocabulary import QUALITY_WORDS

from ..wishes import Numbers, Wish
from .contract import Moods, World, tastes

PROMPTS = 400
CHECKPOINTS = 12
_OWN_WORDS = 3
_SPECIAL = 2.0

_TEMPLATES, _USERS = "prompts_ai_horde_styles.json", "prompts_sd_users_10k.txt"


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """Templates that can be told apart; OSError without a folder that has both files."""
    return _wishes(seed, data, prompts, _own_is_best, _OWN_WORDS)


def authors(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """The same, each liked of one checkpoint above all; OSError without a folder that has both files."""
    return _wishes(seed, data, prompts, _own_is_special, _OWN_WORDS)


def alike(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """Any templates; OSError without a folder that has both files."""
    return _wishes(seed, data, prompts, _own_is_best, 0)


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
    seed: int,
    data: Path | None,
    prompts: int,
    tastes_of: Callable[[numpy.random.Generator], Numbers],
    own_words: int,
) -> Iterator[Wish]:
    users = _parsed(data or Path())[1]
    names, templates, luck = _chosen(seed, data or Path(), own_words)
    rng = numpy.random.default_rng()
    rng.bit_generator.state = luck
    moods = Moods(numpy.random.default_rng([seed, 62]))
    liked = tastes_of(rng)
    for _ in range(prompts):
        own = int(rng.integers(CHECKPOINTS))
        prompt = templates[own].replace("{p}", users[int(rng.integers(len(users)))])
        yield Wish(prompt, names, liked[own], moods.noise(CHECKPOINTS), moods.bar())


@lru_cache(maxsize=4)
def _chosen(seed: int, data: Path, own_words: int) -> tuple[tuple[str, ...], Sequence[str], Mapping[str, Any]]:
    """Twelve checkpoints, a template for each, and the state of chance after that. All players share it."""
    by_checkpoint, _ = _parsed(data)
    rng = numpy.random.default_rng([seed, 61])
    while True:
        names = tuple(rng.choice(sorted(by_checkpoint), CHECKPOINTS, replace=False).tolist())
        templates = [str(rng.choice(by_checkpoint[name])) for name in names]
        if _fewest_own_words(templates) >= own_words:
            return names, templates, rng.bit_generator.state


def _fewest_own_words(templates: Sequence[str]) -> int:
    """How many words the poorest of them has that stand in no other and are no boosters."""
    words = [_words(template) - QUALITY_WORDS for template in templates]
    known = Counter(word for each in words for word in each)
    return min(sum(known[word] == 1 for word in each) for each in words)


@cache
def _words(template: str) -> frozenset[str]:
    return frozenset(word.text for word in extract_keywords(template.replace("{p}", "")))


@cache
def _parsed(data: Path) -> tuple[dict[str, Sequence[str]], Sequence[str]]:
    """Templates of at least two words by checkpoint, and the users' prompts."""
    templates: defaultdict[str, list[str]] = defaultdict(list)
    for template in json.loads((data / _TEMPLATES).read_text("utf-8")).values():
        positive = template["prompt"].partition("###")[0].replace("{np}", "")
        if len(_words(positive)) >= 2:
            templates[template["model"]].append(positive)
    users = [line for line in (data / _USERS).read_text("utf-8").splitlines() if line.strip()]
    return dict(templates), users


def _world(name: str, description: str, wishes: Callable[[int, Path | None], Iterator[Wish]]) -> World:
    return World(name, description, PROMPTS, wishes, ((100, 200), (200, 400)), needs=(_TEMPLATES, _USERS))


TEMPLATES = _world("templates", "curated templates around real prompts", wishes)
AUTHORS = _world("authors", "the same, each made for one checkpoint", authors)
ALIKE = _world("alike", "templates that can hardly be told apart", alike)
