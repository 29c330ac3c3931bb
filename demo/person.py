"""A simulated person: four kinds of prompts, and a taste for each kind.

It replaces the person at the screen, so that the demonstration can be repeated. It knows which checkpoint made which
image, since its tastes are about checkpoints, and gives only what a person gives: images to select and to reject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "portrait": (
        "photorealistic portrait of a fisherman, weathered face, window light",
        "photorealistic portrait of a violinist, dark background, rim light",
        "close portrait of an old woman laughing, photorealistic, 85mm",
        "photorealistic portrait of a boxer after the fight, sweat, 50mm",
        "portrait of a beekeeper behind a veil, photorealistic, soft light",
        "photorealistic portrait of a ballet dancer, studio light",
        "portrait of a blacksmith lit by embers, photorealistic, 85mm",
        "photorealistic portrait of twin sisters, overcast light",
        "portrait of a sea captain with a pipe, photorealistic, window light",
        "photorealistic portrait of a young chess player, shallow depth of field",
        "portrait of a welder with raised visor, photorealistic, 50mm",
        "photorealistic portrait of a grandfather and his dog, window light",
    ),
    "anime": (
        "anime girl on a rooftop, cel shading, evening sky",
        "anime boy with a paper umbrella, cel shading, rain",
        "two anime students running for the train, cel shading",
        "anime witch feeding ravens, cel shading, moonlight",
        "anime swordsman in a bamboo grove, cel shading",
        "anime girl repairing a robot, cel shading, warm lamp",
        "anime cook juggling dumplings, cel shading, steam",
        "anime pilot in a cockpit, cel shading, clouds",
        "anime band on a tiny stage, cel shading, confetti",
        "anime girl reading in a tram, cel shading, snow outside",
        "anime gardener talking to a scarecrow, cel shading",
        "anime brothers sharing noodles, cel shading, night market",
    ),
    "landscape": (
        "misty mountain landscape at dawn, pine forest, wide angle",
        "landscape of a desert after rain, wide angle, rainbow",
        "coastal landscape with basalt columns, wide angle, storm",
        "autumn landscape, river bend seen from above, wide angle",
        "landscape of rice terraces at sunset, wide angle",
        "winter landscape, frozen lake, wide angle, long shadows",
        "volcanic landscape under stars, wide angle, lava glow",
        "rolling hills landscape, lone oak, wide angle, morning fog",
        "landscape of a fjord in summer, wide angle, clear water",
        "steppe landscape with wild horses, wide angle, dust",
        "landscape of a vineyard in October, wide angle, low sun",
        "moor landscape with standing stones, wide angle, drizzle",
    ),
    "poster": (
        "minimalist poster of a lighthouse, flat vector shapes, three colours",
        "travel poster of a night train, flat vector, art deco",
        "jazz concert poster, flat vector trumpet, bold geometry",
        "poster of a space museum, flat vector rocket, retro",
        "farmers market poster, flat vector vegetables, bold",
        "poster of a chess tournament, flat vector knight, two colours",
        "film festival poster, flat vector projector, art deco",
        "poster of a bicycle race, flat vector wheels, diagonal",
        "aquarium poster, flat vector whale, minimalist",
        "poster of a tea house, flat vector leaf, retro",
        "poster of a swimming club, flat vector diver, two colours",
        "poster of a book fair, flat vector owl, bold geometry",
    ),
}


@dataclass(frozen=True, slots=True)
class DemoPrompt:
    """One prompt, its kind, and its seed."""

    kind: str
    text: str
    seed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Positions of the selected and of the rejected images; every image is in one of them."""

    selected: tuple[int, ...]
    rejected: tuple[int, ...]


class Person:
    """Has a favourite checkpoint and a second choice for each kind, and is not quite consistent.

    Parameters
    ----------
    noise
        The standard deviation of a judgement from the taste, in its unit: the favourite is 2, the second choice 1, all
        others are between -1 and 0. Above `BAR` an image is good enough to be selected.
    """

    BAR = 0.5

    def __init__(self, checkpoints: Sequence[str], *, seed: int = 0, noise: float = 0.2) -> None:
        self._generator = np.random.default_rng(seed)
        self._noise = noise
        self.tastes = {kind: self._taste(checkpoints) for kind in SUBJECTS}

    def _taste(self, checkpoints: Sequence[str]) -> dict[str, float]:
        liking = self._generator.uniform(-1, 0, len(checkpoints))
        best, second = self._generator.choice(len(checkpoints), 2, replace=False)
        liking[best], liking[second] = 2.0, 1.0
        return dict(zip(checkpoints, map(float, liking), strict=True))

    def favourite(self, kind: str) -> str:
        taste = self.tastes[kind]
        return max(taste, key=taste.__getitem__)

    def prompts(self, count: int) -> list[DemoPrompt]:
        """Return prompts of all kinds in turn, in random order, each once before any is repeated."""
        orders = {kind: self._generator.permutation(len(texts)) for kind, texts in SUBJECTS.items()}
        kinds = list(SUBJECTS)
        prompts = []
        for number in range(count):
            kind = kinds[number % len(kinds)]
            texts = SUBJECTS[kind]
            position = orders[kind][number // len(kinds) % len(texts)]
            prompts.append(DemoPrompt(kind, texts[position], seed=1000 + number))
        return prompts

    def judge(self, kind: str, made_by: Sequence[str]) -> Verdict:
        """Judge the images of one prompt: select the best one if it is good enough, and reject the others."""
        taste = self.tastes[kind]
        ratings = [taste[name] + self._generator.normal(0, self._noise) for name in made_by]
        best = int(np.argmax(ratings))
        selected = (best,) if ratings[best] > self.BAR else ()
        return Verdict(selected, tuple(position for position in range(len(ratings)) if position not in selected))
