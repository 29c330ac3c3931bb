"""Twelve checkpoints and curated style templates around real people's prompts.

A template says which checkpoint its author made it for; the simulated person uses one template for each of
twelve checkpoints, and agrees with their authors on which is best for it. The words are real: templates from
AI-Horde-Styles (CC0), prompts from DiffusionDB as ImageReward ships them (Apache-2.0), whole and with all
their boosters, so that most words of a prompt tell nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy

from context_checkpoint.learning.keywords import extract_keywords

from ..wishes import Wish
from .contract import Moods, World, tastes

PROMPTS = 400
CHECKPOINTS = 12
TEMPLATES_EACH = 1

_TEMPLATES, _USERS = "prompts_ai_horde_styles.json", "prompts_sd_users_10k.txt"


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    """Raises OSError without a folder that has both files."""
    by_checkpoint, users = _parsed(data or Path())
    rng = numpy.random.default_rng([seed, 61])
    moods = Moods(numpy.random.default_rng([seed, 62]))
    names = tuple(rng.choice(sorted(by_checkpoint), CHECKPOINTS, replace=False).tolist())
    templates = [
        (own, template)
        for own, name in enumerate(names)
        for template in rng.choice(by_checkpoint[name], TEMPLATES_EACH, replace=False).tolist()
    ]
    liked = tastes(rng, CHECKPOINTS, CHECKPOINTS)
    for own, row in enumerate(liked):
        best = int(row.argmax())
        row[[own, best]] = row[[best, own]]
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


TEMPLATES = World(
    "templates",
    "curated templates around real prompts",
    PROMPTS,
    wishes,
    ((100, 200), (200, 400)),
    needs=(_TEMPLATES, _USERS),
)
