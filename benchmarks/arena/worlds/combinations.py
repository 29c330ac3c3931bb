"""Nobody's model: taste depends on the combination of subject and style, and prompts are whole sentences.

Three terms of about equal weight: the style, the kind of subject, and the two together, which no sum over
words can express. On top, every single prompt has a taste of its own that cannot be learned, so no player
reaches zero here. No policy was tuned on this world; it is here so that generality shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World

PROMPTS = 600
CHECKPOINTS = tuple(f"model_{letter}.safetensors" for letter in "abcdefgh")

_MANNERS: Mapping[str, tuple[str, ...]] = {
    "photograph": ("a candid photograph", "a documentary photo", "a photograph on expired film"),
    "painting": ("an impressionist painting", "a thick acrylic painting", "a palette knife painting"),
    "engraving": ("a copperplate engraving", "an etching", "a woodcut print"),
    "cartoon": ("a saturday morning cartoon", "a rubber hose cartoon", "a newspaper cartoon"),
}
_KINDS: Mapping[str, tuple[str, ...]] = {
    "people": (
        "a dancer",
        "two farmers",
        "a nurse",
        "an opera singer",
        "a child with a kite",
        "a goalkeeper",
    ),
    "animals": ("a badger", "a heron", "three goats", "a lynx", "a tortoise", "an octopus"),
    "buildings": ("a cathedral", "a windmill", "a gas station", "a pagoda", "a water tower", "a chalet"),
    "machines": ("a tractor", "a typewriter", "a submarine", "a printing press", "a tram", "a telescope"),
    "food": (
        "a layer cake",
        "a plate of oysters",
        "dumplings",
        "a loaf of bread",
        "figs and cheese",
        "waffles",
    ),
}
_HOW = (
    "after the storm",
    "seen from below",
    "at noon",
    "half hidden by leaves",
    "in an empty room",
    "last winter",
)


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 41])
    moods = Moods(numpy.random.default_rng([seed, 42]))
    manners, kinds, count = list(_MANNERS), list(_KINDS), len(CHECKPOINTS)
    general = rng.normal(0.0, 0.4, count)
    by_manner = rng.normal(0.0, 0.9, (len(manners), 1, count))
    by_kind = rng.normal(0.0, 0.8, (1, len(kinds), count))
    together = rng.normal(0.0, 0.9, (len(manners), len(kinds), count))
    liked = general + by_manner + by_kind + together
    for _ in range(prompts):
        manner, kind = int(rng.integers(len(manners))), int(rng.integers(len(kinds)))
        words = rng.choice(_MANNERS[manners[manner]]), rng.choice(_KINDS[kinds[kind]]), rng.choice(_HOW)
        own = rng.normal(0.0, 0.25, count)
        prompt = f"{words[0]} of {words[1]} {words[2]}"
        yield Wish(prompt, CHECKPOINTS, liked[manner, kind] + own, moods.noise(count), moods.bar())


COMBINATIONS = World(
    "combinations", "taste depends on subject and style together", PROMPTS, wishes, ((150, 300), (300, 600))
)
